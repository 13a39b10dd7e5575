"""The only I/O: HTTP clients, keyring, timers, events. No third-party exception leaves this package."""
