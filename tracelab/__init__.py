"""tracelab: trace PyTorch code into a graph that you read, check, run and explore."""
