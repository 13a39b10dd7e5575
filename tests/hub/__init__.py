"""A real JupyterHub with the configuration of the documentation (``make hub-check``)."""
