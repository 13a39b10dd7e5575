"""Fetches and keeps the facts of one provider, for all sessions there: its metadata, its key set and its clock.

One instance serves one session or hundreds. It fetches each document once for all that ask at the same time, and decides
how long a document serves, when a failed fetch may be repeated, and how often strangers may cause one.
Its maker closes it; it refuses to belong to a session, and to judge tokens itself.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeVar

from jupyter_oidc.language import sentence
from jupyter_oidc.problems import ClockSkew, IdpUnavailable, IssuerMismatch, LogoutTokenInvalid, Problem
from jupyter_oidc.protocol import discovery, jwks, jws, token
from jupyter_oidc.sessions.shared_fetch import SharedFetch, superseded

if TYPE_CHECKING:
    from collections.abc import Callable

    from jupyter_oidc.clock import Clock
    from jupyter_oidc.protocol.message import Reply
    from jupyter_oidc.sessions.ports import ProviderPort
    from jupyter_oidc.sessions.shared_fetch import ClosableWaits
    from jupyter_oidc.settings import Provider

_T_co = TypeVar("_T_co", covariant=True)

MIN_METADATA_LIFETIME_SECONDS = 60.0
"""Seconds for which metadata are not fetched again, even against their headers; many providers forbid any caching."""

MAX_METADATA_AGE_SECONDS = 86_400.0
"""Seconds for which old metadata serve a live session while newer ones cannot be fetched (RFC 5861, 4)."""

MAX_KEYS_AGE_SECONDS = 86_400.0
"""Seconds for which cached keys may be used while the key endpoint is down (A19)."""

MIN_UNTRUSTED_FETCH_INTERVAL_SECONDS = 10.0
"""Seconds between two fetches of the key set that an unauthenticated token can cause (K-7)."""

MAX_CLOCK_OFFSET_SECONDS = 300.0
"""Seconds by which the provider's clock may differ from ours (A21)."""

_UNAVAILABLE_STATUSES = frozenset({429, 500, 502, 503, 504})


class Judge(Protocol[_T_co]):
    """Judges a signed object with a key set; ``fresh`` says that the set was fetched during this validation."""

    def __call__(self, keys: jwks.KeySet, *, fresh: bool) -> _T_co | jws.KeysStale:
        """Return the verdict, or ``KeysStale`` if other keys might verify the object."""
        ...


@dataclass(frozen=True, slots=True)
class _FetchedKeys:
    """A key set, from where and when (monotonic seconds) it came, and the number of its fetch."""

    keys: jwks.KeySet
    jwks_uri: str
    at: float
    number: int


class ProviderFacts:
    """Fetches and keeps the documents that the provider in ``settings`` publishes, through ``port``.

    ``on_metadata`` is called with each document that was read.
    A method that may wait takes the ``waits`` of its caller, which can be closed alone.
    """

    def __init__(
        self,
        settings: Provider,
        port: ProviderPort,
        clock: Clock,
        *,
        on_metadata: Callable[[discovery.Metadata], None] = lambda _: None,
    ) -> None:
        self._settings = settings
        self._port = port
        self._clock = clock
        self._on_metadata = on_metadata
        self._metadata: discovery.Metadata | None = None
        self._metadata_at = self._metadata_until = self._discovery_failed_at = -MAX_METADATA_AGE_SECONDS
        self._discovery: SharedFetch[discovery.Metadata] = SharedFetch()
        self._keys: _FetchedKeys | None = None
        self._key_fetches: dict[str, SharedFetch[_FetchedKeys]] = {}
        self._key_fetches_begun = 0
        self._untrusted_fetch_at = -MIN_UNTRUSTED_FETCH_INTERVAL_SECONDS
        self._closed = False

    # -- metadata ------------------------------------------------------------------------------------------

    @property
    def known_metadata(self) -> discovery.Metadata | None:
        """The newest good metadata, however old; ``None`` before the first, and after another issuer's (D-5)."""
        return self._metadata

    async def metadata(self, waits: ClosableWaits) -> discovery.Metadata:
        """Return the provider metadata in force, fetching it when there is none or it is too old (D-10).

        Raises ``IssuerMismatch``, ``DiscoveryFailed``, ``IdpUnavailable`` or ``TlsUntrusted``; failures are
        not remembered, but all callers that wait for the same answer get the same failure.
        Raises ``Overloaded`` if ``waits`` or these facts are closed meanwhile, because others take over.
        """
        if self._metadata is not None and self._clock.now().monotonic < self._metadata_until:
            return self._metadata
        if self._closed:
            raise superseded()
        return await waits.result_of(lambda: self._discovery.join(self._discover))

    async def metadata_of_session(
        self, waits: ClosableWaits, max_age_seconds: float = MAX_METADATA_AGE_SECONDS
    ) -> discovery.Metadata:
        """Return metadata for a session that exists: up to ``max_age_seconds`` old if newer ones cannot be fetched.

        After a failure newer ones are not requested for a minute, so that an outage does not slow every refresh.
        A document of another issuer is no outage, and discards the old metadata (D-5, D-10).
        Raises as :meth:`metadata` does.
        """
        now = self._clock.now().monotonic
        known = self._metadata if now - self._metadata_at <= max_age_seconds else None
        if known is not None and now - self._discovery_failed_at < MIN_METADATA_LIFETIME_SECONDS:
            return known
        try:
            return await self.metadata(waits)
        except IssuerMismatch:
            raise
        except Problem:
            if known is None:
                raise
            return known

    async def _discover(self) -> discovery.Metadata:
        issuer, asked = self._settings.issuer, self._clock.now().monotonic
        try:
            reply = await self._port.send(discovery.discovery_call(issuer, self._settings.metadata_url))
            if reply.status in _UNAVAILABLE_STATUSES:
                raise IdpUnavailable(detail="discovery.status")
            metadata = discovery.read_discovery_reply(
                issuer,
                reply,
                allow_loopback_http=self._settings.allow_insecure_loopback,
                endpoints=dict(self._settings.endpoints),
                mutual_tls=self._settings.mutual_tls,
            )
        except Problem as problem:
            self._discovery_failed_at = asked
            if isinstance(problem, IssuerMismatch):
                self._metadata = None
            raise
        self._metadata, self._metadata_at = metadata, asked
        self._on_metadata(metadata)
        self._metadata_until = asked + max(metadata.lifetime, MIN_METADATA_LIFETIME_SECONDS)
        self._discovery_failed_at = -MAX_METADATA_AGE_SECONDS
        return metadata

    # -- keys ----------------------------------------------------------------------------------------------

    def known_keys(self) -> jwks.KeySet:
        """Return the cached keys; none, if there are none or they are too old."""
        known = self._keys
        return jwks.KeySet(()) if known is None or self._is_old(known) else known.keys

    async def judge_with_keys(self, metadata: discovery.Metadata, judge: Judge[_T_co]) -> _T_co | jws.KeysStale:
        """Judge with the cached keys, and once more with fresh ones if no cached key fits (K-6)."""
        known = self._keys
        if known is not None and known.jwks_uri == metadata.jwks_uri and not self._is_old(known):
            verdict = judge(known.keys, fresh=False)
            if not isinstance(verdict, jws.KeysStale):
                return verdict
        return await self.judge_with_newer_keys(metadata, judge)

    async def judge_with_newer_keys(self, metadata: discovery.Metadata, judge: Judge[_T_co]) -> _T_co | jws.KeysStale:
        """Judge with keys that are fetched now.

        A fetch that was under way before serves too, if its keys fit; only one that begins later is final, because the
        provider may have changed its keys in between.
        """
        begun_before = self._key_fetches_begun
        while True:
            fetched = await self._fetch_keys(metadata)
            fresh = fetched.number > begun_before
            verdict = judge(fetched.keys, fresh=fresh)
            if fresh or not isinstance(verdict, jws.KeysStale):
                return verdict

    def limit_untrusted_fetches(self) -> None:
        """Raise ``LogoutTokenInvalid`` if keys were fetched for such a token less than ten seconds ago (K-7)."""
        now = self._clock.now().monotonic
        if now - self._untrusted_fetch_at < MIN_UNTRUSTED_FETCH_INTERVAL_SECONDS:
            raise LogoutTokenInvalid(detail="logout_token.keys")
        self._untrusted_fetch_at = now

    def _is_old(self, known: _FetchedKeys) -> bool:
        return self._clock.now().monotonic - known.at > MAX_KEYS_AGE_SECONDS

    async def _fetch_keys(self, metadata: discovery.Metadata) -> _FetchedKeys:
        shared = self._key_fetches.setdefault(metadata.jwks_uri, SharedFetch())
        task = shared.join(lambda: self._request_keys(metadata))
        await asyncio.wait((task,))
        if task.cancelled():
            raise IdpUnavailable(detail="idp.unanswered")
        return task.result()

    async def _request_keys(self, metadata: discovery.Metadata) -> _FetchedKeys:
        self._key_fetches_begun += 1
        number = self._key_fetches_begun
        reply = await self._port.send(jwks.jwks_call(metadata))
        if reply.status in _UNAVAILABLE_STATUSES:
            raise IdpUnavailable(detail="jwks.status")
        keys = jwks.read_jwks_reply(reply)
        self._keys = _FetchedKeys(keys, metadata.jwks_uri, self._clock.now().monotonic, number)
        return self._keys

    # -- clock ---------------------------------------------------------------------------------------------

    def clock_offset(self, reply: Reply) -> float:
        """Return by how many seconds the provider's clock was ahead of ours when it sent ``reply`` (A21).

        Raises ``ClockSkew`` if that is too much, either way. Each reply is measured anew: either clock may be set right.
        """
        offset = token.date_offset(reply.headers, self._clock.now().wall) or 0.0
        if abs(offset) > MAX_CLOCK_OFFSET_SECONDS:
            seconds = round(abs(offset))
            raise ClockSkew(
                sentence("The provider's clock is {offset} seconds ahead of ours.", offset=seconds)
                if offset > 0
                else sentence("The provider's clock is {offset} seconds behind ours.", offset=seconds)
            )
        return offset

    def close(self) -> None:
        """Cancel the fetches under way; callers that wait for metadata are told to try again."""
        self._closed = True
        self._discovery.cancel()
        for fetch in self._key_fetches.values():
            fetch.cancel()
