"""``jupyter oidc``: for whoever sets the extension up, and for whoever wants to know how it is.

``doctor`` and ``config`` work without a running server; ``status``, ``sign-in`` and ``sign-out`` ask one.
Nothing here prints a token, and what is printed can be pasted in public.
"""
