"""The explorer widget, and runs in it."""
