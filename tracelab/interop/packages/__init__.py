"""Readers and overlays that installed packages bring."""
