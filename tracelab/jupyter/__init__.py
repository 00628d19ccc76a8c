"""tracelab in notebooks: the magics and the explorer widget."""
