"""Trace against trace: structure, and values."""
