"""Decides which headers an API's settings may add to the proxy's lists: none for credentials or the browser."""

from __future__ import annotations

import re
from typing import Final

_NAME: Final = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+\Z")  # RFC 9110, 5.6.2
_FORBIDDEN_NAMES: Final = frozenset(
    {
        *("authorization", "authentication-info", "cookie", "set-cookie", "set-cookie2", "dpop", "dpop-nonce", "host"),
        *("connection", "content-length", "expect", "forwarded", "keep-alive", "te", "trailer", "transfer-encoding"),
        *("upgrade", "via", "origin", "referer", "clear-site-data", "service-worker-allowed", "refresh", "sourcemap"),
        *("x-sourcemap", "x-xsrftoken", "x-csrftoken", "x-frame-options", "x-content-type-options", "alt-svc"),
        *("strict-transport-security", "public-key-pins", "link-template", "nel", "report-to", "reporting-endpoints"),
        *("permissions-policy", "feature-policy", "referrer-policy", "timing-allow-origin", "x-xss-protection"),
        *("x-webkit-csp", "x-content-security-policy", "speculation-rules", "x-dns-prefetch-control", "set-login"),
        *(
            "x-permitted-cross-domain-policies",
            "x-http-method-override",
            *("x-http-method", "x-method-override", "x-http-path-override", "x-original-uri", "x-original-method"),
            "x-original-url",
            "x-rewrite-url",
        ),
    },
)
_FORBIDDEN_PREFIXES: Final = (
    *("access-control-", "content-security-policy", "cross-origin-", "proxy-", "sec-", "x-oidc-", "x-forwarded"),
    *("x-accel-", "x-sendfile", "x-real-", "cf-", "attribution-reporting-"),
)


def may_be_listed(name: str) -> bool:
    """Return whether settings may add the header ``name``."""
    return (
        bool(_NAME.match(name))
        and name.lower() not in _FORBIDDEN_NAMES
        and not name.lower().startswith(_FORBIDDEN_PREFIXES)
    )


def has_authority(name: str) -> bool:
    """Return whether ``name`` is one of the known headers that never pass, and so may be repeated in a message."""
    return name.lower() in _FORBIDDEN_NAMES
