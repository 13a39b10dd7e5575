"""The fixed values of the demo: the two personas, the client, the lifetimes.

All values are public and good for this demo only; none is a real secret.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

CLIENT_ID: Final = "jupyter"
"""The public client that the Jupyter server signs in with."""

PROVIDER: Final = "demo"
"""The name of the provider in the Jupyter settings."""

API: Final = "orders"
"""The name of the API in the Jupyter settings; also the audience of its tokens."""

SCOPES: Final = ("openid", "profile", "email", "offline_access")

ACCESS_TOKEN_SECONDS: Final = 20
"""Seconds; so short that a reader sees a token expire, and that the tutorial's loop meets several expiries."""

READ: Final = "orders.read"
WRITE: Final = "orders.write"


NAME_CLAIMS: Final = ("name", "given_name", "family_name")
"""The claims of the scope ``profile`` that the provider knows of a persona (OpenID Connect Core 1.0, 5.4)."""


@dataclass(frozen=True, slots=True)
class Persona:
    """A user to sign in as; none has a password."""

    username: str
    given_name: str
    family_name: str
    roles: tuple[str, ...]
    about: str

    @property
    def name(self) -> str:
        """The full name, as the session card shows it."""
        return f"{self.given_name} {self.family_name}"

    @property
    def initials(self) -> str:
        """Two letters that stand for the name."""
        return f"{self.given_name[0]}{self.family_name[0]}"

    @property
    def email(self) -> str:
        """An address that belongs to nobody (RFC 2606)."""
        return f"{self.username}@example.com"


ADA: Final = Persona("ada", "Ada", "Lovelace", (READ, WRITE), "reads and writes orders")
BEN: Final = Persona("ben", "Ben", "Herschel", (READ,), "reads orders, and may not write any")
PERSONAS: Final = (ADA, BEN)
