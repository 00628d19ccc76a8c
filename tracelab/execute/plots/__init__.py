"""Plots of runs and profiles, by matplotlib, without its global state."""
