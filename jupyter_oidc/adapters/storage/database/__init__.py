"""Stored entries in a database that several processes share: rows that are sealed, and turns at them (ADR 63)."""
