"""Judges the answers of a token endpoint: the response, the binding of its access token, and its ID token.

It needs the provider's keys and clock for that, and sends no request of its own.
It refuses to revoke tokens that it refuses; the client that asked for them does that.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from jupyter_oidc.language import N_
from jupyter_oidc.problems import IdTokenRejected, TokenResponseInvalid
from jupyter_oidc.protocol import id_token, jws, token
from jupyter_oidc.protocol.confirmation import certificate_of
from jupyter_oidc.sessions.algorithms import id_token_algs
from jupyter_oidc.sessions.request_parameters import demanded_step_up, max_age_of, scopes_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from jupyter_oidc.clock import Clock
    from jupyter_oidc.protocol import discovery, dpop, jwks
    from jupyter_oidc.protocol.message import Reply
    from jupyter_oidc.secret import Secret
    from jupyter_oidc.sessions.credentials import Credentials
    from jupyter_oidc.sessions.grant import TokenKey
    from jupyter_oidc.sessions.pending import SignInOptions
    from jupyter_oidc.sessions.provider_facts import ProviderFacts
    from jupyter_oidc.settings import Provider

Answer = token.TokenSet | token.TokenError | token.TokenUnavailable


class TokenJudge:
    """Judges the answers of the provider in ``settings``, by what ``facts`` know of it."""

    def __init__(self, settings: Provider, facts: ProviderFacts, clock: Clock, credentials: Credentials) -> None:
        self._settings = settings
        self._facts = facts
        self._clock = clock
        self._credentials = credentials

    def read_sign_in(self, metadata: discovery.Metadata, reply: Reply, proof_key: dpop.ProofKey | None) -> Answer:
        """Judge the form of the answer to a code, and the binding of its access token to our certificate.

        Raises ``TokenResponseInvalid``, and the errors of reading our certificate.
        """
        answer = token.read_token_reply(
            reply,
            requested_scopes=scopes_of(self._settings, metadata),
            id_token_required=True,
            now=self._clock.now().wall,
            proved=proof_key is not None,
        )
        self._check_binding(answer, self._credentials.certificate)
        return answer

    def read_further(
        self, metadata: discovery.Metadata, reply: Reply, key: TokenKey, proof_key: dpop.ProofKey | None
    ) -> Answer:
        """Judge the form of the answer to a refresh or an exchange for ``key``; raises ``TokenResponseInvalid``."""
        answer = token.read_token_reply(
            reply,
            requested_scopes=key.scopes or scopes_of(self._settings, metadata),
            id_token_required=False,
            now=self._clock.now().wall,
            proved=proof_key is not None,
        )
        self._check_binding(answer)
        return answer

    def _check_binding(self, answer: Answer, certificate: Callable[[], str | None] = lambda: None) -> None:
        """Refuse an access token that is visibly bound to no ``certificate``, or to another than that (RFC 8705, 3.1).

        Most access tokens are opaque, and only the API can check their binding.
        NOTE: at a refresh no certificate is compared: open connections still present a certificate that was replaced,
        and the refresh token is used already.
        """
        if not isinstance(answer, token.TokenSet) or not self._settings.tls_client_certificate_bound_access_tokens:
            return
        told = certificate_of(answer.access_token)
        ours = certificate() if told else None
        if told == "" or (ours is not None and told != ours):
            raise TokenResponseInvalid(
                N_("The provider's access token is not bound to the client certificate of this server."),
                action=N_(
                    "Ask your administrator whether something on the way to the provider ends TLS, and whether "
                    "tls_client_certificate_bound_access_tokens is set for this client at the provider."
                ),
                detail="token.cnf",
            )

    def sign_in_rules(self, nonce: str | None, options: SignInOptions) -> id_token.IdTokenRules:
        """Return the rules for the ID token of a sign-in: every requested value is checked, too (V-13, V-14)."""
        return replace(
            self._rules(),
            nonce=nonce,
            max_age=max_age_of(self._settings, options),
            acr_values=demanded_step_up(self._settings, options).acr_values,
        )

    def refresh_rules(self, subject: str, previous: id_token.Identity | None) -> id_token.IdTokenRules:
        """Return the rules for a refreshed ID token: it is about ``subject``, and repeats ``previous``, if known (F-5)."""
        return replace(self._rules(), expected_subject=subject, previous=previous)

    def _rules(self) -> id_token.IdTokenRules:
        settings = self._settings
        return id_token.IdTokenRules(
            issuer=settings.issuer,
            client_id=settings.client_id,
            nonce=None,
            skew=settings.clock_skew,
            trusted_audiences=frozenset(settings.trusted_audiences),
        )

    async def verify(
        self,
        metadata: discovery.Metadata,
        answer: token.TokenSet,
        raw: Secret,
        rules: id_token.IdTokenRules,
        reply: Reply,
    ) -> id_token.IdToken:
        """Verify the ID token ``raw`` of ``answer``, which came with ``reply``, by ``rules`` (section V).

        Raises ``IdTokenRejected``, ``ClockSkew``, and the port's errors when keys are fetched.
        """
        now = self._clock.now().wall
        offset = self._facts.clock_offset(reply)
        alg = jws.alg_of(raw, id_token_algs(self._settings, metadata))
        rules = replace(rules, alg=alg, client_secret=self._credentials.secret_for(alg))

        def judge(keys: jwks.KeySet, *, fresh: bool) -> id_token.IdToken | jws.KeysStale:
            return id_token.verify_id_token(
                raw,
                rules,
                keys,
                now=now + offset,
                access_token=answer.access_token,
                fresh=fresh,
            )

        verdict = await self._facts.judge_with_keys(metadata, judge)
        if isinstance(verdict, jws.KeysStale):
            raise IdTokenRejected(detail="id_token.signature")
        return verdict
