"""A JupyterLab server, and what a person sees and does in a browser."""
