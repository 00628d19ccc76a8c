"""A graph as plain JSON, and back."""
