"""Static pictures, by Graphviz."""
