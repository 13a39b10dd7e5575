"""The demo: an embedded provider, a protected API and a tutorial; knows the rest only through HTTP."""
