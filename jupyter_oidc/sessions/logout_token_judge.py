"""Judges logout tokens, which arrive in unauthenticated requests, so that a stranger's seldom causes a fetch (K-7)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jupyter_oidc.problems import LogoutTokenInvalid
from jupyter_oidc.protocol import jws, logout_token
from jupyter_oidc.sessions.algorithms import id_token_algs

if TYPE_CHECKING:
    from jupyter_oidc.clock import Clock
    from jupyter_oidc.protocol import jwks
    from jupyter_oidc.secret import Secret
    from jupyter_oidc.sessions.credentials import Credentials
    from jupyter_oidc.sessions.provider_facts import ProviderFacts
    from jupyter_oidc.sessions.shared_fetch import ClosableWaits
    from jupyter_oidc.settings import Provider


class LogoutTokenJudge:
    """Judges those of the provider in ``settings``, by what ``facts`` know of it."""

    def __init__(self, settings: Provider, facts: ProviderFacts, clock: Clock, credentials: Credentials) -> None:
        self._settings = settings
        self._facts = facts
        self._clock = clock
        self._credentials = credentials

    async def judge(self, raw: Secret, waits: ClosableWaits) -> logout_token.LogoutToken:
        """Judge a logout token, which arrives in an unauthenticated request (section B of the rules).

        Fresh keys are fetched at most once in ten seconds, and only for a token that passed every other check (K-7).
        Raises ``LogoutTokenInvalid``, and the port's errors when keys are fetched.
        """
        settings, facts, now = self._settings, self._facts, self._clock.now()
        metadata = facts.known_metadata
        needs_metadata = metadata is None and settings.id_token_signed_response_alg is None
        if needs_metadata:  # only the metadata name the algorithms that may have signed it
            facts.limit_untrusted_fetches()
            metadata = await facts.metadata_of_session(waits)
        alg = jws.alg_of(raw, id_token_algs(settings, metadata))
        rules = logout_token.LogoutTokenRules(
            issuer=settings.issuer,
            client_id=settings.client_id,
            skew=settings.clock_skew,
            alg=alg,
            client_secret=self._credentials.secret_for(alg),
        )

        def judge(keys: jwks.KeySet, *, fresh: bool) -> logout_token.LogoutToken | jws.KeysStale:
            return logout_token.verify_logout_token(raw, rules, keys, now=now.wall, fresh=fresh)

        verdict = judge(facts.known_keys(), fresh=False)
        if isinstance(verdict, jws.KeysStale):
            if not needs_metadata:
                facts.limit_untrusted_fetches()
            verdict = await facts.judge_with_newer_keys(await facts.metadata_of_session(waits), judge)
        if isinstance(verdict, jws.KeysStale):
            raise LogoutTokenInvalid(detail="logout_token.signature")
        return verdict
