"""Where values that left the graph come back, read from the source."""
