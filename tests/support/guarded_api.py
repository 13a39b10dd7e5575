"""APIs that take a token only with its key or certificate: they ask the provider for the binding of each token.

RFC 9449, 7; RFC 8705, 3.
"""

from __future__ import annotations

import base64
import hashlib
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx
from aiohttp import web

from tests.support.certified_provider import CertifiedProvider, RegisteredClient
from tests.support.dpop_proofs import ProofJudge, ProofRefused
from tests.support.plain_http import PLAIN
from tests.support.upstream import refused

if TYPE_CHECKING:
    import ssl

NAME, PASSWORD = "api", "the API's own word for the provider"


@dataclass
class KeyGuard:
    """A judge for :class:`~tests.support.upstream.Upstream`; ``keys`` are the thumbprints that were let in."""

    provider: CertifiedProvider
    proofs: ProofJudge = field(default_factory=ProofJudge)
    keys: list[str] = field(default_factory=list)
    tls: ssl.SSLContext | None = None

    def register(self) -> None:
        """Become a client of the provider that may ask about tokens (RFC 7662)."""
        register_with(self.provider)

    def __call__(self, request: web.Request, scheme: str, token: str) -> web.Response | None:
        """Refuse a token that is not active or not bound, and a proof that is not by its key."""
        bound = self._bound_to(token) if scheme == "DPoP" and token else None
        if bound is None:
            return refused("DPoP", "invalid_token")
        try:
            url = f"{request.scheme}://{request.host}{request.raw_path}"
            key = self.proofs.judge(request.headers.get("DPoP"), request.method, url, now=time.time(), token=token)
        except ProofRefused as refusal:
            nonce = {"DPoP_Nonce": self.proofs.nonce} if self.proofs.nonce else {}
            return refused("DPoP", refusal.error, **nonce)
        if key != bound:
            return refused("DPoP", "invalid_token")
        self.keys.append(key)
        return None

    def _bound_to(self, token: str) -> str | None:
        told = told_of(self.provider, token, self.tls)
        return told["cnf"]["jkt"] if told.get("active") and told.get("token_type") == "DPoP" else None


@dataclass
class CertificateGuard:
    """A judge likewise; ``shown`` are the certificates that were let in, by their thumbprints."""

    provider: CertifiedProvider
    tls: ssl.SSLContext | None = None
    shown: list[str] = field(default_factory=list)

    def __call__(self, request: web.Request, scheme: str, token: str) -> web.Response | None:
        """Refuse a token that is not active, or is bound to another certificate than the connection's."""
        told = told_of(self.provider, token, self.tls) if scheme == "Bearer" and token else {}
        spoken = request.transport.get_extra_info("ssl_object") if request.transport else None
        seen = spoken.getpeercert(binary_form=True) if spoken else None
        if not told.get("active") or not seen or told.get("cnf", {}).get("x5t#S256") != thumbprint(seen):
            return refused("Bearer", "invalid_token")
        self.shown.append(thumbprint(seen))
        return None


def thumbprint(der: bytes) -> str:
    """Return the SHA-256 thumbprint of a certificate (RFC 8705, 3.1)."""
    return base64.urlsafe_b64encode(hashlib.sha256(der).digest()).rstrip(b"=").decode()


def told_of(provider: CertifiedProvider, token: str, tls: ssl.SSLContext | None) -> dict[str, Any]:
    """Ask the provider about ``token`` (RFC 7662)."""
    told: dict[str, Any] = httpx.post(
        f"{provider.issuer}/token/introspection",
        data={"token": token},
        auth=(NAME, PASSWORD),
        trust_env=False,
        verify=tls or PLAIN,
    ).json()
    return told


def register_with(provider: CertifiedProvider) -> None:
    """Make the API a client of ``provider``, so that it may ask about tokens."""
    provider.register_client(
        RegisteredClient(NAME, ("https://api.example.com/cb",), auth_method="client_secret_basic", secret=PASSWORD)
    )
