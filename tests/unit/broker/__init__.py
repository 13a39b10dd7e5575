"""The parts of the broker, each alone."""
