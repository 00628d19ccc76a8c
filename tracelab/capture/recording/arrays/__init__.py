"""NumPy arrays among the arguments, as the traced code gets them."""
