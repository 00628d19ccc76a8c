"""The three layers that see a call: operators, torch functions, and numbers."""
