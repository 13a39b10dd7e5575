"""Plugins for the whole suite: a Jupyter server to test against, and the canary of law 9."""

pytest_plugins = ["pytest_jupyter.jupyter_server", "tests.support.canary_plugin", "pytester"]
