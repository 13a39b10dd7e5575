"""The only code that reads the value of a :class:`~jupyter_oidc.secret.Secret`.

A module that imports this one handles raw credentials; the list of those modules is short, and
``tests/laws/test_one_reader.py`` enforces it.
The caller must use the result at once (send, parse or encrypt it) and never put it into an
attribute, a log call or an exception.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jupyter_oidc.secret import Secret


def reveal(secret: Secret) -> str:
    """Return the text inside ``secret``.

    Raises ``UnicodeDecodeError`` if the secret holds bytes that are not UTF-8.
    """
    value: str | bytes = secret._Secret__value  # type: ignore[attr-defined]
    return value if isinstance(value, str) else value.decode("utf-8")


def reveal_bytes(secret: Secret) -> bytes:
    """Return the bytes inside ``secret``; text is encoded as UTF-8."""
    value: str | bytes = secret._Secret__value  # type: ignore[attr-defined]
    return value if isinstance(value, bytes) else value.encode()
