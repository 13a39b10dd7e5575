"""The process that converts a notebook: it holds no secret, and ends with the one conversion (ADR 32).

It stands alone: it imports no other module of this package, and no other module imports it.
"""
