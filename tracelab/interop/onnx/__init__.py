"""ONNX files: read into a graph, and run operator by operator through onnxruntime."""
