"""Calls to the OpenID Provider over httpx."""
