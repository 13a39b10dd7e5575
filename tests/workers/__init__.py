"""Workers of real engines at a real Jupyter server: ``make workers-check``."""
