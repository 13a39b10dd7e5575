"""In any order of events, no signed-out session comes back, no stored token is lost, and no token works twice.

Two servers share one entry; a provider rotates refresh tokens and notices reuse. Hypothesis chooses the events:
sign-ins, sign-outs, calls, refreshes, time, outages, refusals, stores that fail, servers that are restarted.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from jupyter_oidc.problems import IdpUnavailable, Problem, StorageUnavailable
from jupyter_oidc.protocol.message import Call, Reply
from jupyter_oidc.secret import Secret
from jupyter_oidc.sessions.grant import SIGN_IN_KEY, Granted, TokenKey
from jupyter_oidc.sessions.machine import State, has_session
from jupyter_oidc.sessions.ports import Entry
from tests.unit.protocol.makers import logout_claims_of, reply, signed
from tests.unit.sessions.fake_environment import FakeEnvironment, ValueProvider, form_of, settle, text_of

SERVERS = st.sampled_from([0, 1])
WEATHER: dict[str, Reply | Exception] = {
    "unsent": IdpUnavailable(detail="idp.unsent"),
    "503": reply(b"", status=503),
    "429": reply(b"", status=429, headers={"retry-after": "30"}),
    "invalid_client": reply({"error": "invalid_client"}, status=401),
}
OWN = TokenKey(audience="https://other.example")


class WatchfulProvider(ValueProvider):
    """Count refresh tokens that come a second time, and record the audience of each access token."""

    def __init__(self, clock: Any) -> None:
        super().__init__(clock)
        self.reuses = 0
        self.spent: set[str] = set()
        self.audience: dict[str, str | None] = {}

    def token(self, call: Call) -> Reply:
        form = form_of(call)
        sent = form.get("refresh_token", "")
        self.reuses += sent in self.spent
        answer = super().token(call)
        if answer.status == 200:
            self.spent |= {sent} - {""}
            self.audience[f"at-{self.issued}"] = form.get("audience")
        return answer


class SharedSession(RuleBasedStateMachine):
    """Two services over one vault, one lock and one provider."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.signed_out = True
        self.store_fails = False

    def do(self, work: Coroutine[Any, Any, Any]) -> Any:
        async def and_settle() -> Any:
            try:
                return await work
            except Problem:
                return None
            finally:
                await settle()

        return self.loop.run_until_complete(asyncio.wait_for(and_settle(), 20))

    @initialize()
    def begin(self) -> None:
        async def make() -> FakeEnvironment:
            fake_environment = FakeEnvironment()
            fake_environment.provider = self.provider = WatchfulProvider(fake_environment.clock)
            save = fake_environment.vault.saving

            async def sometimes(entry: Entry) -> None:
                if self.store_fails:
                    raise StorageUnavailable
                await save(entry)

            fake_environment.vault.saving = sometimes
            return fake_environment

        self.fake_environment = self.loop.run_until_complete(make())
        self.servers = [self.fake_environment.new_service(), self.fake_environment.new_service()]

    @rule(server=SERVERS)
    def sign_in(self, server: int) -> None:
        self.fake_environment.provider.plans.clear()
        self.fake_environment.service = self.servers[server]
        self.do(self.fake_environment.sign_in())
        self.signed_out = False

    @rule(server=SERVERS)
    def sign_out(self, server: int) -> None:
        self.do(self.servers[server].sign_outs.sign_out())
        self.left(server)

    def left(self, server: int) -> None:
        """Expect that a session stays which the other server could not store."""
        self.signed_out = not self.servers[1 - server]._store.unsaved

    @rule(server=SERVERS)
    def refresh(self, server: int) -> None:
        self.fake_environment.clock.advance(10)
        self.do(self.servers[server].tokens.refresh())

    @rule()
    def both_refresh_at_once(self) -> None:
        async def both() -> None:
            self.fake_environment.clock.advance(10)
            await asyncio.gather(*(server.tokens.refresh() for server in self.servers), return_exceptions=True)

        self.do(both())

    @rule(server=SERVERS)
    def sign_out_during_a_refresh(self, server: int) -> None:
        async def both() -> None:
            self.fake_environment.clock.advance(10)
            refreshing = asyncio.ensure_future(self.servers[server].tokens.refresh())
            await asyncio.sleep(0)
            await self.servers[server].sign_outs.sign_out()
            await refreshing

        self.do(both())
        self.left(server)

    @rule(server=SERVERS, own=st.booleans())
    def call(self, server: int, own: bool) -> None:
        key = OWN if own else SIGN_IN_KEY
        granted = self.do(self.servers[server].tokens.bearer(key))
        if isinstance(granted, Granted):
            name = text_of(granted.secret)
            assert self.provider.audience[name] == key.audience, "a token of another audience"

    @rule(seconds=st.sampled_from([1, 5, 61, 241, 400, 4000]))
    def time_passes(self, seconds: int) -> None:
        self.do(self.fake_environment.scheduler.pass_time(seconds))

    @rule(kind=st.sampled_from(sorted(WEATHER)), times=st.integers(1, 3))
    def weather(self, kind: str, times: int) -> None:
        self.fake_environment.provider.plan("token", *[WEATHER[kind]] * times)

    @rule()
    def the_provider_ends_everything(self) -> None:
        self.fake_environment.provider.current = "revoked"

    @rule(server=SERVERS)
    def a_server_is_restarted(self, server: int) -> None:
        """The server stops in order; a token that it could not store by then is lost."""
        old = self.servers[server]
        self.do(old.aclose())
        self.was_lost = self.was_lost or old._store.unsaved
        old._store._unsaved = None
        self.servers[server] = self.fake_environment.new_service()

    @rule(server=SERVERS)
    def the_provider_announces_a_logout(self, server: int) -> None:
        """D6: the session ends here; the other server has to learn of it from the provider or the store."""
        now = self.fake_environment.clock.now().wall
        self.logouts += 1
        claims = logout_claims_of(iat=now, exp=now + 120, jti=f"l-{self.logouts}", sid=...)
        had = has_session(self.servers[server].state)
        self.do(self.servers[server].sign_outs.end_by_provider(Secret(signed(claims))))
        assert not has_session(self.servers[server].state) or not self.servers[server].current.data.subject
        if had and not self.servers[1 - server]._store.unsaved and not self.store_fails:
            self.left(server)

    @rule(seconds=st.sampled_from([-86_400, -300, 300, 86_400]))
    def the_wall_clock_jumps(self, seconds: int) -> None:
        """B24: A laptop that wakes refreshes before it calls.

        B25: A clock that jumps causes no refresh storm.
        """
        self.fake_environment.clock.jump_wall(seconds)

    @rule(fails=st.booleans())
    def the_store(self, fails: bool) -> None:
        self.store_fails = fails

    @invariant()
    def no_spent_token_is_sent_again(self) -> None:
        """Only one server knows a token that could not be stored; every other token is spent once."""
        if not hasattr(self, "fake_environment"):
            return
        lost = self.store_fails or any(server._store.unsaved for server in self.servers)
        if not lost and not self.was_lost:
            assert self.provider.reuses == 0
        self.was_lost = self.was_lost or lost

    @invariant()
    def nothing_signed_out_comes_back(self) -> None:
        if hasattr(self, "fake_environment") and self.signed_out:
            assert self.loop.run_until_complete(self.fake_environment.vault.load()) is None

    @precondition(lambda self: hasattr(self, "fake_environment") and self.signed_out)
    @rule(server=SERVERS)
    def after_a_sign_out_every_server_notices(self, server: int) -> None:
        self.do(self.fake_environment.scheduler.pass_time(4_000))
        self.do(self.servers[server].tokens.refresh())
        assert not has_session(self.servers[server].state) or self.servers[server]._store.unsaved

    @invariant()
    def who_is_active_has_a_person_or_will_have_one(self) -> None:
        for server in getattr(self, "servers", []):
            if server.state in (State.SIGNED_OUT, State.SIGNED_OUT_EXPIRED, State.SIGNING_IN):
                assert server.current.data.refresh_token is None
                assert not server.current.data.access

    was_lost = False
    logouts = 0

    def teardown(self) -> None:
        self.loop.run_until_complete(settle())
        for task in asyncio.all_tasks(self.loop):
            task.cancel()
        self.loop.run_until_complete(settle())
        self.loop.close()


TestSharedSession = SharedSession.TestCase
TestSharedSession.settings = settings(max_examples=200, stateful_step_count=40, deadline=None)
