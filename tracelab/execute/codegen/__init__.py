"""Generated Python code for a graph."""
