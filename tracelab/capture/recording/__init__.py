"""One recording: what it knows, and how calls, results and numbers become nodes and values."""
