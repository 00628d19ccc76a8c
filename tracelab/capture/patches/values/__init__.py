"""What tensors, numbers, generators and settings of torch do while recordings run."""
