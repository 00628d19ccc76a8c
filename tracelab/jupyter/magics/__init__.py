"""`%%trace`, `%trace` and `%trace_diff`."""
