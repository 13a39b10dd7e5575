"""Asks a provider's UserInfo endpoint about the person who is signed in (section U).

It refuses to decide their identity: the subject comes from an ID token, and an answer about another one is refused.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jupyter_oidc.problems import IdpUnavailable, UserinfoRejected
from jupyter_oidc.protocol import jws, userinfo

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jupyter_oidc.protocol import discovery, dpop, jwks
    from jupyter_oidc.secret import Secret
    from jupyter_oidc.sessions.credentials import Credentials
    from jupyter_oidc.sessions.dpop_client import DPoPClient
    from jupyter_oidc.sessions.provider_facts import ProviderFacts
    from jupyter_oidc.settings import Provider

_TRANSIENT_DETAILS = frozenset(
    {"userinfo.status", "userinfo.form", "userinfo.format", "idp.unsent", "idp.proxy", "idp.unanswered"}
)
"""Details of UserInfo replies that say nothing about the person (B6)."""


class UserinfoClient:
    """Asks the provider in ``settings`` through ``dpop_client``."""

    def __init__(
        self, settings: Provider, facts: ProviderFacts, credentials: Credentials, dpop_client: DPoPClient
    ) -> None:
        self._settings = settings
        self._facts = facts
        self._credentials = credentials
        self._dpop_client = dpop_client

    async def at_sign_in(
        self, metadata: discovery.Metadata, access_token: Secret, subject: str, proof_key: dpop.ProofKey | None
    ) -> Mapping[str, Any]:
        """Return the claims for a new session; none, if the provider has no such endpoint, or it is down (U-1, U-8).

        Raises ``IdpUnavailable`` or ``UserinfoRejected`` where the settings require claims, and ``UserinfoRejected`` for
        claims about another subject.
        """
        try:
            return await self._claims(metadata, access_token, subject, proof_key)
        except (IdpUnavailable, UserinfoRejected) as problem:
            if self._settings.userinfo_required or problem.detail in userinfo.INVALID_SUBJECT_DETAILS:
                raise
            return {}

    async def at_refresh(
        self, metadata: discovery.Metadata, access_token: Secret, subject: str, proof_key: dpop.ProofKey | None
    ) -> Mapping[str, Any]:
        """Return the claims for a session that exists; none, if the endpoint is down, or a middlebox's page in its place.

        Raises ``UserinfoRejected`` for claims about another subject, or an answer that fails a check (F-9).
        """
        try:
            return await self._claims(metadata, access_token, subject, proof_key)
        except (IdpUnavailable, UserinfoRejected) as problem:
            if problem.detail not in _TRANSIENT_DETAILS:
                raise
            return {}

    async def _claims(
        self, metadata: discovery.Metadata, access_token: Secret, subject: str, proof_key: dpop.ProofKey | None
    ) -> Mapping[str, Any]:
        alg = self._settings.userinfo_signed_response_alg
        call = userinfo.userinfo_call(metadata, access_token, signed=alg is not None)
        if call is None:
            return {}
        reply = await self._dpop_client.send(call, proof_key)
        if reply.status == 429 or reply.status >= 500:
            raise IdpUnavailable(detail="userinfo.status")

        if alg is None:
            return _fitting(userinfo.read_userinfo_reply(reply, subject=subject, signed=None))

        def judge(keys: jwks.KeySet, *, fresh: bool) -> Mapping[str, Any] | jws.KeysStale:
            signed = userinfo.SignedUserinfo(
                alg=alg,
                keys=keys,
                issuer=self._settings.issuer,
                client_id=self._settings.client_id,
                client_secret=self._credentials.secret_for(alg),
                fresh=fresh,
            )
            return userinfo.read_userinfo_reply(reply, subject=subject, signed=signed)

        return _fitting(await self._facts.judge_with_keys(metadata, judge))


def _fitting(verdict: Mapping[str, Any] | jws.KeysStale) -> Mapping[str, Any]:
    if isinstance(verdict, jws.KeysStale):
        raise UserinfoRejected(detail="userinfo.signature")
    return verdict
