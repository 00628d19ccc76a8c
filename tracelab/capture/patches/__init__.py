"""What is replaced in torch and Python while recordings run."""
