"""The demo: an embedded provider, a protected API and a tutorial; it uses the product only through HTTP."""
