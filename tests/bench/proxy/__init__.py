"""The proxy benchmark measures the speed and the cost of calls, and judges them by targets.

Everything is compared in one run, side by side, with the usual alternatives; a number without its anchor is worth
nothing on a shared machine.
``python -m tests.bench.proxy --help`` says how to run it, ``docs/explanation/performance.md`` how to read it.
"""
