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


@dataclass(frozen=True, slots=True)
class Persona:
    """A user to sign in as; the password is printed on the terminal and works only in the demo."""

    username: str
    password: str
    roles: tuple[str, ...]
    about: str


ADA: Final = Persona("ada", "analytical", (READ, WRITE), "reads and writes orders")
BEN: Final = Persona("ben", "benefit", (READ,), "reads orders only")
PERSONAS: Final = (ADA, BEN)
