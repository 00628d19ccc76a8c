"""Edits of the code that take a specialization out of it."""
