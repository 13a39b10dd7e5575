"""JupyterHub, asked by a broker that is one of its services."""
