"""The `.tlab` archive: traces in files. The Jupyter server reads archives without torch."""
