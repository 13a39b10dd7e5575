"""Tests of the way to a broker."""
