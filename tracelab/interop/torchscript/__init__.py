"""TorchScript programs as graphs."""
