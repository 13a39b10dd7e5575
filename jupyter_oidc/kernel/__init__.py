"""The kernel helper, which a notebook imports as ``jupyter_oidc``.

It stands alone: it knows the server only through HTTP and the contract, and loads neither tornado, traitlets,
keyring nor jupyter_server.
"""
