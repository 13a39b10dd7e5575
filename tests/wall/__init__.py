"""The wall around the tokens, tried with real users of the operating system: ``python -m tests.wall``, as root."""
