"""The journey at real identity providers: ``make providers-check``."""
