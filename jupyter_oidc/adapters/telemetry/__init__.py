"""What is told about the running server: log, events, counters."""
