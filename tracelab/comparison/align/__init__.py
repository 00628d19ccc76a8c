"""Which nodes of two graphs belong together."""
