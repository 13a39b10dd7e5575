"""The way from a Jupyter server to its broker."""
