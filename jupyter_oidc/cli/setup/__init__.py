"""``jupyter oidc setup``: finds out what a provider is, asks the rest, writes the settings, and judges the first session.

The decisions (``issuer``, ``place``, ``decisions``, ``first_session``, ``api_probe``) are functions of values; the
dialogue, the files, the secret and the server for the first sign-in have a module each; ``command`` joins them.
This package refuses to have checks of its own where :mod:`jupyter_oidc.diagnostics` has one: it runs that and prints it.
"""
