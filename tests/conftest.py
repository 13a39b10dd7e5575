"""Plugins for the whole suite: a Jupyter server to test against, the canary of law 9, lanes for browsers, and the list of the slowest."""

from __future__ import annotations

import os
import signal
import sys

import hypothesis
import pytest

pytest_plugins = [
    "pytest_jupyter.jupyter_server",
    "tests.support.canary_plugin",
    "tests.support.lanes_plugin",
    "tests.support.slowest_plugin",
    "pytester",
]

# NOTE: the tests start hundreds of Pythons; without compiled files each compiles this package and its libraries anew.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

# A run that a script starts in the background ignores Ctrl-C, and so would every program that a test interrupts.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# The tests quote the English sentences; those about languages choose theirs (ADR 59).
os.environ["LANGUAGE"] = "en"

# The suite asks the same examples in each run, so that a change is judged by what it changes; `make fuzz` looks for new ones.
hypothesis.settings.register_profile("suite", derandomize=True)
hypothesis.settings.register_profile("search", derandomize=False, print_blob=True)
hypothesis.settings.load_profile("suite")


@pytest.fixture
def jp_nbconvert_templates() -> None:
    """No templates for the servers in this process: 200 files each, and only servers of their own convert notebooks."""
