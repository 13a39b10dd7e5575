"""Tests of what a broker asks JupyterHub."""
