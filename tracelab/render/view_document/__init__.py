"""The view document: one JSON object that every reader draws from."""
