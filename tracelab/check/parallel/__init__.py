"""Trials of a check on other processes and machines."""
