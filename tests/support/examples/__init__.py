"""Code that tests trace: models, and functions with one property each."""
