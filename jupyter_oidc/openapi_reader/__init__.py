"""The process that reads OpenAPI documents: it holds no secret, has limits of memory and time, and answers in JSON (ADR 52).

It reads what the owner of an API wrote, who may be hostile; the server trusts nothing of its answer but its form.
"""
