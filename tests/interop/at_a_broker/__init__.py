"""Tests with real parts that hold at a broker, too."""
