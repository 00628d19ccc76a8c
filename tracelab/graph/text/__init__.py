"""A graph as text: TorchScript IR, readable Python, tables, and the arguments of calls."""
