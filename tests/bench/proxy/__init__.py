"""The proxy benchmark: how fast calls pass, what they cost, and whether the targets are met.

Everything is compared in one run, side by side, with what people would use otherwise; a number without its anchor is
worth nothing on a shared machine.
``python -m tests.bench.proxy --help`` says how to run it, ``docs/explanation/performance.md`` how to read it.
"""
