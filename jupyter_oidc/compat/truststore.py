"""Private names of truststore: the context of OpenSSL inside its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import ssl

SEEN: Final = ("0.10.5", "0.10.5")


def inner_context(context: Any) -> ssl.SSLContext:
    """Return the context that holds what ``context`` has read from the system; its methods do not read it again."""
    inner: ssl.SSLContext = context._ctx
    return inner
