"""Refresh tokens at rest: keyring, encrypted file or memory, with the lock that servers share."""
