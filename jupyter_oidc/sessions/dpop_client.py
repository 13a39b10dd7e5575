"""Adds DPoP proofs to the calls of one session, and answers a peer that wants a nonce in them (RFC 9449).

It stands between ``OidcClient`` and the provider's port, and does nothing at all for a session without a key.
It refuses to make up a nonce: none is sent before a peer gave one (X-8).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from jupyter_oidc.language import N_
from jupyter_oidc.problems import TokenResponseInvalid
from jupyter_oidc.protocol import dpop
from jupyter_oidc.sessions.dpop_prover import DPoPProver

if TYPE_CHECKING:
    from jupyter_oidc.clock import Clock
    from jupyter_oidc.entropy import Entropy
    from jupyter_oidc.protocol.message import Call, Reply
    from jupyter_oidc.sessions.ports import ProviderPort

NONCE_AGAIN: Final = "token.dpop_nonce"
"""Detail of the problem that the token endpoint refused its own nonce, or gave none: the refresh token is unused."""

NONCE_AGAIN_FOR_PUSHED: Final = "pushed.dpop_nonce"
"""The same at the endpoint for pushed authorization requests."""


class DPoPClient:
    """Sends calls to the provider, with a proof if the session has a key."""

    def __init__(self, port: ProviderPort, clock: Clock, entropy: Entropy) -> None:
        self._port = port
        self._entropy = entropy
        self._at_token_endpoint = DPoPProver(clock, entropy)
        self._at_userinfo = DPoPProver(clock, entropy)

    def new_key(self) -> dpop.ProofKey:
        """Return a key for one new session (X-1)."""
        return dpop.ProofKey(dpop.new_key(self._entropy.token(dpop.SEED_BITS)))

    async def send(self, call: Call, key: dpop.ProofKey | None) -> Reply:
        """Return the reply to ``call``, which is repeated once, with a new proof, if a nonce is demanded (X-5, X-6).

        A call without a bearer token is a token request or a pushed authorization request, and a second demand there is
        ``TokenResponseInvalid`` (B32); at UserInfo it is a reply like any other.
        Raises the port's own errors, too.
        """
        if key is None:
            return await self._port.send(call)
        reply, informed = await self._attempt(call, key)
        if informed and _wants_nonce(call, reply):
            reply, _ = await self._attempt(call, key)
        if call.bearer is None and _wants_nonce(call, reply):
            raise TokenResponseInvalid(
                N_("The provider demands a nonce in the proof (DPoP) and does not take the one that it gave."),
                detail=NONCE_AGAIN_FOR_PUSHED if call.endpoint == "pushed_authorization_request" else NONCE_AGAIN,
            )
        return reply

    async def _attempt(self, call: Call, key: dpop.ProofKey) -> tuple[Reply, bool]:
        prover = self._at_token_endpoint if call.bearer is None else self._at_userinfo
        proof = prover.proof(key, call.method, call.url, call.bearer)
        reply = await self._port.send(replace(call, proof=proof))
        given = reply.headers.get("dpop-nonce")
        return reply, prover.learn(call.url, () if given is None else (given,))


def _wants_nonce(call: Call, reply: Reply) -> bool:
    if call.bearer is None:
        return dpop.token_endpoint_wants_nonce(reply)
    return reply.status == 401 and dpop.challenge_wants_nonce((reply.headers.get("www-authenticate", ""),))
