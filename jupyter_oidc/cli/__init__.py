"""``jupyter oidc``: sets the extension up, and shows its state.

``doctor`` and ``config`` work without a running server; ``status``, ``sign-in`` and ``sign-out`` ask one.
No command prints a token, and the output can be pasted in public.
"""
