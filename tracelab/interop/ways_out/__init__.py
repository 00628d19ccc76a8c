"""Ways out: a graph as a torch.fx graph module, an exported program, ONNX, a compiled package, TorchScript."""
