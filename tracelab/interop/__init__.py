"""Graphs of others: torch.export programs, TorchScript, torch.fx."""
