"""Tests of a Jupyter server that hold at a broker, too: the same ones, with the sessions behind a Unix socket."""
