"""The routes as functions: a request value goes in, a reply value comes out, and the callers are declared beside them.

A front serves them: it authenticates the caller, makes the request, and writes the reply (ADR 46).
This package refuses to know a web framework, and of the sessions it holds ``sessions.api`` only.
"""
