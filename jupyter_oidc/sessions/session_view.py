"""Makes the summary of a session, with the access to each API.

It refuses to ask the provider and to change the session.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from jupyter_oidc.problems import AudienceRefused
from jupyter_oidc.protocol.audience import audience_of
from jupyter_oidc.sessions.grant import SIGN_IN_KEY, token_key
from jupyter_oidc.sessions.machine import State, has_session
from jupyter_oidc.sessions.ports import database_away
from jupyter_oidc.sessions.readiness import readiness_of
from jupyter_oidc.sessions.summary import ApiAccess, Summary

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from jupyter_oidc.clock import Clock
    from jupyter_oidc.sessions.current_session import CurrentSession
    from jupyter_oidc.sessions.delegation import SessionKey
    from jupyter_oidc.sessions.grant import TokenKey
    from jupyter_oidc.sessions.live_session import BearerSource, LiveSession
    from jupyter_oidc.sessions.readiness import Outages, TokenOutlook
    from jupyter_oidc.sessions.session_store import SessionStore
    from jupyter_oidc.settings import Api


class SessionView:
    """Shows the session in ``current``; ``restored`` returns once storage was looked at.

    ``settings_pending`` says whether other settings wait for the next sign-in (ADR 30).
    ``sign_in_under_way`` says whether a sign-in waits for the person.
    """

    def __init__(
        self,
        current: CurrentSession,
        store: SessionStore,
        *,
        restored: Callable[[], Awaitable[None]],
        scopes: Callable[[], tuple[str, ...]],
        outages: Outages,
        sign_in_under_way: Callable[[], bool],
        clock: Clock,
        settings_pending: bool,
    ) -> None:
        self.settings_pending = settings_pending
        self._sign_in_under_way = sign_in_under_way
        self._current = current
        self._store = store
        self._restored = restored
        self._scopes = scopes
        self._outages = outages
        self._clock = clock
        self._last_changing: tuple[int, tuple[tuple[ApiAccess, ...], bool]] = (-1, ((), False))

    @property
    def is_in_memory_only(self) -> bool:
        """Whether this process would lose something if it forgot the session: its tokens, or a sign-in under way."""
        store = self._store
        unstored = has_session(self._current.raw_state) and not store.is_stored
        return unstored or store.is_removal_pending or self._sign_in_under_way()

    async def has_session(self, key: SessionKey) -> bool:
        """Return whether the session of ``key`` is the present one; raises ``StorageUnavailable`` if that is not known yet."""
        await self._restored()
        if self._current.is_unread:
            raise database_away()
        return self._current.key == key

    async def summary(self) -> Summary:
        """Return the session as a client may see it; the first call reads the storage, none uses the network."""
        await self._restored()
        return await self._summary_now()

    async def changed_since(self, sequence: int, seconds: float) -> Summary:
        """Return the summary once its sequence number differs from ``sequence``, or after ``seconds``."""
        await self._restored()
        self._current.apply_expiry()
        if self._current.sequence == sequence and seconds > 0:
            await self._current.wait_for_change(seconds)
        return await self._summary_now()

    @property
    def entitlements_known(self) -> bool:
        """Whether the provider listed the entitlements of the person; true without a session, too."""
        return self._current.data.entitlements.known

    def set_settings_pending(self, waiting: bool) -> None:  # noqa: FBT001 - a property that others set and hear of
        """Set whether other settings wait for the next sign-in, and publish a change."""
        if waiting != self.settings_pending:
            self.settings_pending = waiting
            self._current.publish("settings-changed")

    def token_ready(self, key: TokenKey) -> bool:
        """Return whether a call made now would carry a token without asking the provider first."""
        session = self._current.live
        return session is not None and session.usable(session.token(key, "access_token")) is not None

    def token_audience(self, key: TokenKey) -> tuple[str, ...] | None:
        """Return the audience in the access token of ``key``; ``None`` if there is no token, or it cannot be read."""
        token = self._current.data.access.get(key)
        return None if token is None else audience_of(token.secret)

    async def _summary_now(self) -> Summary:
        storage = "unsaved" if self._store.unsaved else await self._store.kind()
        current = self._current
        current.apply_expiry()
        data, settings, now = current.data, current.settings, self._clock.now()
        retry_at = None if current.live is None else current.live.schedule.retry_at
        last = data.last_token(settings, now)
        left = last.seconds_left(now) if last else None
        apis = tuple(self._access_to(api) for api in settings.apis)
        under_way = self._sign_in_under_way()
        return Summary(
            provider=settings.name,
            issuer=settings.issuer,
            state=current.raw_state,
            reason=current.reason,
            sequence=self._sequence_of((apis, under_way)),
            user=data.user,
            entitlements=data.shown.names,
            entitlements_more=data.shown.more,
            entitlements_known=data.shown.known,
            scopes=data.scopes,
            missing_scopes=tuple(s for s in self._scopes() if s not in data.scopes) if data.subject else (),
            signed_in_at=data.signed_in_at,
            access_expires_at=None if left is None else now.wall + left,
            expires_in=None if left is None else max(0, int(left)),
            refreshable=data.refresh_token is not None,
            storage=storage,
            retry_at=None if retry_at is None else max(retry_at, now.wall),
            apis=apis,
            settings_pending=self.settings_pending,
            sign_in_under_way=under_way,
        )

    def _access_to(self, api: Api) -> ApiAccess:
        missing = self._current.data.entitlements.missing(api.requires)
        session = self._current.live
        readiness = readiness_of(
            self._current.raw_state,
            "ended" if session is None else self._outlook(session, token_key(api), api.bearer_token_source),
            missing=bool(missing),
            unreachable=self._outages.lasts(api.name),
        )
        return ApiAccess(api.name, readiness, allowed=not missing, missing=missing)

    def _outlook(self, session: LiveSession, key: TokenKey, source: BearerSource) -> TokenOutlook:
        """Return whether a call would get the token of ``key``; the provider is not asked."""
        now = self._clock.now()
        token, sign_in = session.token(key, source), session.sign_in_token
        if token is not None and token.alive(now):
            return "there"
        may_exchange = source != "id_token" and key != SIGN_IN_KEY and sign_in is not None and sign_in.alive(now)
        if session.data.refresh_token is None and not may_exchange:
            return "ended"
        try:
            resting = session.negative_tokens.lookup((key, source))
        except AudienceRefused:
            return "refused"
        return "delayed" if resting is not None or self._current.raw_state is State.REFRESH_FAILED else "there"

    def _sequence_of(self, changing: tuple[tuple[ApiAccess, ...], bool]) -> int:
        """Return the sequence number of this summary; it also grows if one of the ``changing`` parts did so unnoticed.

        They are the access to the APIs, which changes by time alone, and whether a sign-in is under way.
        """
        sequence, told = self._last_changing
        if sequence == self._current.sequence and told != changing:
            self._current.sequence += 1
        self._last_changing = (self._current.sequence, changing)
        return self._current.sequence
