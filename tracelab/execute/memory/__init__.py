"""What a run holds at each moment, predicted without data: forward, and backward where gradients run."""
