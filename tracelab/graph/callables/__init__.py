"""Things that nodes call beside operators and intrinsics, and what an operator makes of recorded types."""
