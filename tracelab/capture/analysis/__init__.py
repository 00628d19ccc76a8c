"""What the recorder works out: what a branch decides, which sizes are static, what names stood for."""
