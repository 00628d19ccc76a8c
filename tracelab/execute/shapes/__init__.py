"""Symbolic shapes: the sizes of every value as expressions over those of the inputs."""
