"""The grants for workers that live: makes them, finds the one of a call, and ends them (ADR 61).

Of a grant's text only a digest is kept. A front brings the calls, and knows which kernels still run.
What is stored counts, and is looked at again every few seconds: another process may have revoked a grant. What was found
there is remembered meanwhile, and for a minute if the store does not answer.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, Protocol

from jupyter_oidc.language import N_, sentence
from jupyter_oidc.problems import Overloaded, RequestInvalid, StorageUnavailable
from jupyter_oidc.sessions.delegation import PREFIX, IssuedGrant, StoredGrant, WorkerGrant, digest_of, ended

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence

    from jupyter_oidc.clock import Clock, Moment
    from jupyter_oidc.entropy import Entropy
    from jupyter_oidc.sessions.delegation import Delegation, SessionKey
    from jupyter_oidc.sessions.ports import GrantStore

MAX_GRANTS: Final = 1_000
"""Worker grants of all sessions of one person that live at once."""

MAX_GRANTS_PER_MAKER: Final = 100
"""Worker grants that one kernel has made and that live."""

SECONDS_PER_HOUR: Final = 3_600.0

LOOK_SECONDS: Final = 2.0
"""Seconds for which what was found in the store counts; after that it is looked at again."""

MAX_UNSEEN_SECONDS: Final = 60.0
"""Seconds for which a known grant is good while the store does not answer."""

FORSAKEN_SECONDS: Final = 600.0
"""Seconds after the end of its lease after which a grant is removed; a server that comes back can renew it until then."""

USE_NOTED_SECONDS: Final = 60.0
"""Seconds between two notes in the store about the use of one grant."""

LEASE_SECONDS: Final = 60.0
"""Seconds for which a grant goes on that ends with its kernel, where its server has to renew it."""

CLOCK_SKEW_SECONDS: Final = 5.0
"""Seconds by which the clocks of two processes may differ."""

LEASE_RETRY_SECONDS: Final = 5.0


class GrantedSessions(Protocol):
    """The sessions that grants belong to."""

    async def has_session(self, provider: str, key: SessionKey) -> bool:
        """Return whether the session of ``key`` at ``provider`` lives; raises ``StorageUnavailable`` if that is not known."""
        ...

    def is_present(self, provider: str, key: SessionKey) -> bool:
        """Return whether the session of ``key`` at ``provider`` lives in this process."""
        ...

    def is_followed(self, provider: str, key: SessionKey) -> bool:
        """Return whether a later session than that of ``key`` lives in this process."""
        ...


@dataclass(slots=True)
class _Known:
    """What was ``found`` of a grant. The times are of the monotonic clock: when the store was ``asked`` last, and when it answered.

    The grant ends at ``until`` in any case; ``noted`` is when its use was stored last.
    """

    found: StoredGrant
    asked: float
    answered: float
    until: float
    noted: float


class WorkerGrants:
    """The grants in ``store``, which belong to ``sessions`` and last ``max_hours`` at most.

    With ``is_leased`` one that ends with its kernel has to be renewed by that kernel's server, since the kernels are not
    known here. ``spawn`` starts a task that looks at a grant again while a stream flows.
    """

    def __init__(
        self,
        store: GrantStore,
        sessions: GrantedSessions,
        clock: Clock,
        entropy: Entropy,
        *,
        max_hours: float,
        is_leased: bool,
        spawn: Callable[[Coroutine[Any, Any, object]], object],
    ) -> None:
        self.max_hours = max_hours
        self.is_leased = is_leased
        self._store = store
        self._sessions = sessions
        self._clock = clock
        self._entropy = entropy
        self._spawn = spawn
        self._known: dict[str, _Known] = {}
        self._digests: dict[str, str] = {}
        self._issuing = asyncio.Lock()

    async def issue(self, provider: str, delegation: Delegation, session: SessionKey) -> IssuedGrant:
        """Return a new grant for a part of the ``session`` at ``provider``.

        Raises ``RequestInvalid`` for too long a time, ``Overloaded`` if too many live, and ``StorageUnavailable``. The
        caller has checked the names of the APIs.
        """
        if not 0 < delegation.hours <= self.max_hours:
            raise RequestInvalid(
                sentence("A worker grant lasts {hours} hours at most.", hours=format(self.max_hours, "g")),
                detail="worker.hours",
            )
        async with self._issuing:  # NOTE: else many at once would each find room for one more
            await self._require_room(delegation.maker)
            now, text = self._clock.now(), PREFIX + self._entropy.token(256)
            grant = WorkerGrant(
                id=f"worker-{self._entropy.token(96)}",
                provider=provider,
                apis=delegation.apis,
                methods=delegation.methods,
                name=delegation.name,
                maker=delegation.maker,
                outlives_kernel=delegation.outlives_kernel,
                began=now.wall,
                ends=now.wall + delegation.hours * SECONDS_PER_HOUR,
            )
            lease_ends = now.wall + LEASE_SECONDS if self.is_leased and not grant.outlives_kernel else None
            stored = StoredGrant(digest_of(text), grant, session, lease_ends)
            await self._store.add(stored)
            self._remember(stored, now)
        return IssuedGrant(grant, text)

    async def _require_room(self, maker: str) -> None:
        """Raise ``Overloaded`` if too many grants live; those that no session has any more make room."""
        living = await self.living()
        made = Counter(grant.maker for grant in living)
        if made[maker] >= MAX_GRANTS_PER_MAKER or len(living) >= MAX_GRANTS:
            raise Overloaded(
                N_("Too many worker grants live."),
                action=N_("Revoke those that are not needed any more: grant.revoke(), or 'jupyter oidc grants'."),
                detail="worker.too_many",
            )
        if len(self._known) >= MAX_GRANTS:
            for grant_id in self._digests.keys() - {grant.id for grant in living}:
                await self._end(grant_id)

    async def use(self, text: str) -> WorkerGrant:
        """Return the grant of a call, and note the call's time.

        Raises ``GrantInvalid`` for one that has ended, ``Overloaded`` for one that its server has not renewed in time,
        and ``StorageUnavailable`` if it is not known whether it has ended.
        """
        known = await self._looked_up(digest_of(text))
        if known is None:
            raise ended()
        found, now = known.found, self._clock.now()
        if not self._is_in_time(found, known.until, now):
            await self._end(found.grant.id)
            raise ended()
        # NOTE: only refused, since this process may not know yet of a session that another one has.
        if not await self._sessions.has_session(found.grant.provider, found.session):
            raise ended()
        if not self._is_renewed(found, now):
            raise _not_renewed()
        used = replace(found.grant, last_used=now.wall)
        known.found = replace(found, grant=used)
        if now.monotonic - known.noted >= USE_NOTED_SECONDS:
            known.noted = now.monotonic
            self._spawn(self._store.note_use(used.id, now.wall))
        return used

    def lives(self, grant_id: str) -> bool:
        """Return whether the grant of a call that goes on has not ended, by what was found last; look at it again."""
        digest = self._digests.get(grant_id)
        if digest is None:
            return False
        known, now = self._known[digest], self._clock.now()
        if now.monotonic - known.asked >= LOOK_SECONDS:
            self._spawn(self._looked_up(digest))
        found = known.found
        is_known = known.asked <= known.answered or now.monotonic - known.answered < MAX_UNSEEN_SECONDS
        is_open = is_known and self._is_renewed(found, now) and self._is_in_time(found, known.until, now)
        return is_open and self._sessions.is_present(found.grant.provider, found.session)

    async def living(self) -> tuple[WorkerGrant, ...]:
        """Return the grants that have not ended, the oldest first; raises ``StorageUnavailable``.

        Those whose time is over, or whose session another one has followed, are removed.
        """
        before, now, living = set(self._digests), self._clock.now(), []
        every = [self._remember(stored, now) for stored in await self._store.every()]
        for grant_id in before - {known.found.grant.id for known in every}:
            self._forget(grant_id)
        for known in every:
            grant, session = known.found.grant, known.found.session
            has_session = await self._sessions.has_session(grant.provider, session)
            is_in_time = self._is_in_time(known.found, known.until, now)
            if has_session and is_in_time:
                living.append(known.found.grant)
            elif not is_in_time or self._sessions.is_followed(grant.provider, session):
                await self._end(grant.id)
        return tuple(living)

    async def revoke(self, grant_id: str) -> WorkerGrant | None:
        """End a grant and return it; ``None`` if it has ended already, or never was. Raises ``StorageUnavailable``."""
        found = next((grant for grant in await self.living() if grant.id == grant_id), None)
        await self._end(grant_id)  # NOTE: also one that cannot be read
        return found

    async def end_session(self, provider: str, key: SessionKey) -> None:
        """Remove the grants of a session that has been ended on purpose; raises ``StorageUnavailable``."""
        for stored in await self._store.every():
            if (stored.grant.provider, stored.session) == (provider, key):
                await self._end(stored.grant.id)

    async def renew(self, grant_ids: Sequence[str]) -> tuple[str, ...]:
        """Renew the leases of these grants; return those that live. Raises ``StorageUnavailable``."""
        wanted = set(grant_ids)
        living = [grant.id for grant in await self.living() if grant.id in wanted]
        lease_ends = self._clock.now().wall + LEASE_SECONDS
        if living:
            await self._store.renew(living, lease_ends)
        for known in (self._known[self._digests[grant_id]] for grant_id in living if grant_id in self._digests):
            if known.found.lease_ends is not None:
                known.found = replace(known.found, lease_ends=lease_ends)
        return tuple(living)

    def _is_in_time(self, found: StoredGrant, until: float, now: Moment) -> bool:
        """Return whether neither the time of a grant is over, nor that for which grants last by the present settings."""
        # NOTE: by both clocks: one stands still while the machine sleeps, the other can be set back.
        grant, lease_ends = found.grant, found.lease_ends
        is_forsaken = lease_ends is not None and lease_ends + FORSAKEN_SECONDS < now.wall
        ends = min(grant.ends, grant.began + self.max_hours * SECONDS_PER_HOUR)
        return not is_forsaken and until > now.monotonic and ends > now.wall

    def _is_renewed(self, found: StoredGrant, now: Moment) -> bool:
        """Return whether the server of a grant that ends with its kernel has renewed it; no lease is longer than ours."""
        if not self.is_leased or found.grant.outlives_kernel:
            return True
        lease_ends = found.lease_ends
        return lease_ends is not None and now.wall < lease_ends <= now.wall + LEASE_SECONDS + CLOCK_SKEW_SECONDS

    async def _looked_up(self, digest: str) -> _Known | None:
        """Return what is known of the grant, from the store if that was not asked a moment ago."""
        known, now, is_seen = self._known.get(digest), self._clock.now(), False
        if known is not None:
            is_seen = now.monotonic - known.answered < MAX_UNSEEN_SECONDS
            if is_seen and now.monotonic - known.asked < LOOK_SECONDS:
                return known
            known.asked = now.monotonic  # NOTE: who calls meanwhile need not wait for the store, too
        try:
            stored = await self._store.find(digest)
        except StorageUnavailable:
            if not is_seen:
                raise
            return known
        if stored is None:
            if known is not None:
                self._forget(known.found.grant.id)
            return None
        return self._remember(stored, now)

    def _remember(self, stored: StoredGrant, now: Moment) -> _Known:
        grant, known = stored.grant, self._known.get(stored.digest)
        if known is None:
            until = now.monotonic + grant.ends - now.wall
            known = _Known(stored, now.monotonic, now.monotonic, until, -USE_NOTED_SECONDS)
            self._known[stored.digest], self._digests[grant.id] = known, stored.digest
        used = [at for at in (grant.last_used, known.found.grant.last_used) if at is not None]
        known.found = replace(stored, grant=replace(grant, last_used=max(used, default=None)))
        known.asked = known.answered = now.monotonic
        return known

    async def _end(self, grant_id: str) -> None:
        self._forget(grant_id)
        await self._store.remove(grant_id)

    def _forget(self, grant_id: str) -> None:
        digest = self._digests.pop(grant_id, None)
        if digest is not None:
            del self._known[digest]


def _not_renewed() -> Overloaded:
    """Return the refusal of a grant whose server may only have been kept from renewing it."""
    return Overloaded(
        N_("The Jupyter server of this worker grant has not renewed it in time."),
        action=N_("Try again in a moment; if the server has ended, make a new grant in the notebook: oidc.delegate()."),
        detail="worker.lease",
        retry_after=LEASE_RETRY_SECONDS,
    )
