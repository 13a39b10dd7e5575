"""The process that converts a notebook: it holds no secret, and ends with the one conversion (ADR 32).

It stands alone: it knows no other module of this package, and nobody imports it.
"""
