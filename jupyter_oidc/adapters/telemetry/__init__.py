"""Reports about the running server: log, events, counters."""
