"""A package, so that `python -m tests.benchmarks` is this folder, whatever other packages install under the name."""
