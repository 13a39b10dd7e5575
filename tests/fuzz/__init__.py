"""Properties of the suite that can be run for long."""
