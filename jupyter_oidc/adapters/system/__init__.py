"""The process and its surroundings: timers, files, modules, other processes."""
