"""An API that takes a token only from who holds its key: it asks the provider what the token is bound to (RFC 9449, 7)."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

import httpx
from aiohttp import web

from tests.support.certified_provider import CertifiedProvider, RegisteredClient
from tests.support.dpop_proofs import ProofJudge, ProofRefused
from tests.support.upstream import refused

NAME, PASSWORD = "api", "the API's own word for the provider"


@dataclass
class KeyGuard:
    """A judge for :class:`~tests.support.upstream.Upstream`; ``keys`` are the thumbprints that were let in."""

    provider: CertifiedProvider
    proofs: ProofJudge = field(default_factory=ProofJudge)
    keys: list[str] = field(default_factory=list)

    def register(self) -> None:
        """Become a client of the provider that may ask about tokens (RFC 7662)."""
        self.provider.register_client(
            RegisteredClient(NAME, ("https://api.example.com/cb",), auth_method="client_secret_basic", secret=PASSWORD)
        )

    def __call__(self, request: web.Request, scheme: str, token: str) -> web.Response | None:
        """Refuse a token that is not active or not bound, and a proof that is not by its key."""
        bound = self._bound_to(token) if scheme == "DPoP" and token else None
        if bound is None:
            return refused("DPoP", "invalid_token")
        try:
            url = f"http://{request.host}{request.raw_path}"
            key = self.proofs.judge(request.headers.get("DPoP"), request.method, url, now=time.time(), token=token)
        except ProofRefused as refusal:
            nonce = {"DPoP_Nonce": self.proofs.nonce} if self.proofs.nonce else {}
            return refused("DPoP", refusal.error, **nonce)
        if key != bound:
            return refused("DPoP", "invalid_token")
        self.keys.append(key)
        return None

    def _bound_to(self, token: str) -> str | None:
        reply = httpx.post(
            f"{self.provider.issuer}/token/introspection", data={"token": token}, auth=(NAME, PASSWORD), trust_env=False
        )
        told = reply.json()
        return told["cnf"]["jkt"] if told.get("active") and told.get("token_type") == "DPoP" else None
