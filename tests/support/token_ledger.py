"""The scripted provider's record of codes and tokens: which are live, which belong together, which were reused."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.support.marker import MARKER


@dataclass(frozen=True, slots=True)
class Code:
    """An authorization code's grant: the authorization request's parameters, and the family its tokens belong to.

    ``key`` is the thumbprint that the request named (RFC 9449, 10), or empty.
    """

    redirect_uri: str
    challenge: str
    nonce: str | None
    scope: str
    subject: str
    family: int
    key: str = ""


@dataclass(frozen=True, slots=True)
class Granted:
    """The use of a token; ``until`` is seconds since 1970 by the provider's clock, or ``None`` for ever.

    ``key`` is the thumbprint of the key that it is bound to, or empty.
    """

    subject: str
    scope: str
    audience: str
    family: int
    until: float | None = None
    key: str = ""


@dataclass(slots=True)
class TokenLedger:
    """``register`` is called with each secret before it is sent."""

    register: Callable[[str], None] = field(repr=False)
    issued: list[str] = field(default_factory=list, repr=False)
    codes: dict[str, Code] = field(default_factory=dict, repr=False)
    access: dict[str, Granted] = field(default_factory=dict, repr=False)
    refresh: dict[str, Granted] = field(default_factory=dict, repr=False)
    spent: dict[str, Granted] = field(default_factory=dict, repr=False)
    reuses: int = 0
    families: int = 0

    def new_secret(self, kind: str, length: int = 0) -> str:
        """Return an opaque value that carries the mark and has at least ``length`` bytes."""
        secret = f"{MARKER}{kind}-{secrets.token_urlsafe(24)}"
        return self.note(secret + secrets.token_urlsafe(length)[: max(0, length - len(secret))])

    def note(self, secret: str) -> str:
        """Remember ``secret`` as issued, and return it."""
        self.issued.append(secret)
        self.register(secret)
        return secret

    def new_family(self) -> int:
        """Return the number of a new grant."""
        self.families += 1
        return self.families

    def spend(self, token: str, *, forgive: bool) -> Granted | None:
        """Take the refresh ``token``, which is good for one use; a second use is forgiven, or ends its family."""
        granted = self.refresh.pop(token, None)
        if granted is not None:
            self.spent[token] = granted
        elif forgive:
            granted = self.spent.get(token)
        elif token in self.spent:
            self.reuses += 1
            self.end_family(self.spent[token].family)
        return granted

    def end_family(self, family: int) -> None:
        """End every token of one grant."""
        for tokens in (self.access, self.refresh):
            for token in [token for token, granted in tokens.items() if granted.family == family]:
                del tokens[token]

    def end_all(self) -> None:
        """End every token and code."""
        self.codes.clear()
        self.access.clear()
        self.refresh.clear()

    def revoke(self, token: str) -> None:
        """Revoke as RFC 7009, 2.1 says: with a refresh token goes its whole grant."""
        granted = self.refresh.get(token) or self.spent.get(token)
        if granted is not None:
            self.end_family(granted.family)
        self.access.pop(token, None)
