"""Builds the headers of an API's answer for tornado."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tornado.httputil import HTTPHeaders

if TYPE_CHECKING:
    from jupyter_oidc.proxy.headers import Headers


def response_headers(lines: Headers) -> HTTPHeaders:
    """Return ``lines``, each of which the policy has judged already."""
    head = HTTPHeaders()
    for name, value in lines:
        head[name] = value
    if len(head) < len(lines):  # a name comes more than once
        head = HTTPHeaders()
        for name, value in lines:
            head.add(name, value)
    return head
