"""What a user holds in the hand: `trace`, traced functions and modules, files, comparisons."""
