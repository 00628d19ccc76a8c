"""Numbers from files, laid on the nodes of a graph."""
