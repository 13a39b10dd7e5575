"""Two providers at once, each with its own APIs, never mix: a property over whole stories.

Both sign with the same key, know the same subject and call us by the same client id, so nothing but the issuer keeps
them apart. Every token carries its provider and its audience; every provider and every API refuses foreign tokens and
records them. A story is any order of signing in, calling, refreshing, signing out, waiting, a rejected token,
settings that swap the two issuers, and a callback of one provider that is delivered to the other.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from hypothesis import given, settings
from hypothesis import strategies as st

from jupyter_oidc.adapters.storage.vault_memory import MemoryVault
from jupyter_oidc.compose import Parts, Services, build
from jupyter_oidc.problems import Problem
from jupyter_oidc.protocol.message import Call, Reply
from jupyter_oidc.proxy.ports import UpstreamCall
from jupyter_oidc.proxy.request import ProxyRequest
from jupyter_oidc.secret_access import reveal
from jupyter_oidc.sessions.ports import ProviderPort
from jupyter_oidc.settings import Api, Provider, Settings
from tests.support.canary import CANARY
from tests.support.marker import MARKER
from tests.unit.protocol.makers import CLIENT, RSA, SUBJECT, claims_of, document, jwk, reply, signed
from tests.unit.proxy.anything import EmptyReply
from tests.unit.sessions.fake_environment import (
    CountingEntropy,
    HandClock,
    HandScheduler,
    Notes,
    SharedLock,
    form_of,
    settle,
)

HOSTS = ("north", "south")
PLAIN, OWN, IDENTITY = "plain", "own", "identity"


def issuer_of(host: str) -> str:
    return f"https://{host}.example.com"


def apis_of(name: str) -> tuple[Api, ...]:
    """Make an API with the sign-in's token, one with a token of its own, and one that gets the ID token."""

    def at(kind: str) -> str:
        return f"https://{kind}.{name}.example.com/"

    return (
        Api(f"{name}-{PLAIN}", name, at(PLAIN)),
        Api(f"{name}-{OWN}", name, at(OWN), audience=at(OWN)),
        Api(f"{name}-{IDENTITY}", name, at(IDENTITY), bearer_token_source="id_token"),
    )


def settings_for(first: str, second: str) -> Settings:
    """Return the providers ``a`` and ``b`` at these hosts; an API belongs to its provider's name, with any issuer."""
    return Settings(
        tuple(
            Provider(name, issuer_of(host), CLIENT, apis=apis_of(name)) for name, host in (("a", first), ("b", second))
        ),
        "memory",
    )


@dataclass
class Host:
    """One provider on the network; it refuses and records foreign tokens."""

    name: str
    clock: HandClock
    nonce: str = ""
    issued: int = 0
    strangers: list[str] = field(default_factory=list)

    async def send(self, call: Call) -> Reply:
        parts = urlsplit(call.url)
        if parts.hostname != f"{self.name}.example.com":
            self.strangers.append(call.url)
        await asyncio.sleep(0)
        base = issuer_of(self.name)
        match parts.path:
            case "/keys":
                return reply({"keys": [jwk(RSA, kid="k1", use="sig", alg="RS256")]})
            case "/userinfo":
                self._own(reveal(call.bearer) if call.bearer else "")
                return reply({"sub": SUBJECT, "name": self.name})
            case "/revoke":
                self._own(form_of(call)["token"])
                return reply(b"")
            case "/token":
                return self._token(form_of(call))
        ends = {name: f"{base}/{name.split('_')[0]}" for name in ("token_endpoint", "userinfo_endpoint")}
        more = {"revocation_endpoint": f"{base}/revoke", "jwks_uri": f"{base}/keys"}
        return reply(document(issuer=base, authorization_endpoint=f"{base}/authorize", **ends, **more))

    async def aclose(self) -> None: ...

    def _own(self, token: str) -> None:
        if not token.startswith(f"{MARKER}{self.name}."):
            self.strangers.append("a token of somebody else")

    def _token(self, form: dict[str, str]) -> Reply:
        for secret in ("code", "refresh_token"):
            if secret in form:
                self._own(form[secret])
        self.issued += 1
        audience = form.get("audience", "")
        body: dict[str, Any] = {
            "access_token": f"{MARKER}{self.name}.{self.issued}.{audience}",
            "refresh_token": f"{MARKER}{self.name}.r{self.issued}",
            "token_type": "Bearer",
            "expires_in": 300,
        }
        now = self.clock.now().wall
        nonce = self.nonce if "code" in form else ...
        body["id_token"] = signed(claims_of(iss=issuer_of(self.name), iat=now, exp=now + 300, nonce=nonce))
        CANARY.hold(body["id_token"])
        return reply(body)


@dataclass
class Net:
    """The APIs' side of the network: it records the tokens that each API was sent, as (API, token)."""

    rejects: bool = False
    seen: list[tuple[Api, str]] = field(default_factory=list)

    async def open(self, call: UpstreamCall) -> EmptyReply:
        assert urlsplit(call.url).hostname == urlsplit(call.api.base_url).hostname
        self.seen.append((call.api, reveal(call.bearer)))
        answer = EmptyReply()
        if self.rejects:
            self.rejects = False
            answer.status = 401
        return answer

    async def open_socket(self, call: UpstreamCall, subprotocols: tuple[str, ...]) -> Any:
        raise NotImplementedError

    async def aclose(self) -> None: ...


class EventLog(Notes):
    def emit_all(self) -> None: ...

    def notice(self, text: str) -> None: ...


class World:
    """Both providers, all APIs, and the services between them."""

    def __init__(self) -> None:
        self.clock = HandClock()
        self.hosts = {name: Host(name, self.clock) for name in HOSTS}
        self.net = Net()
        self.scheduler = HandScheduler(self.clock)
        self.order = HOSTS
        vaults: dict[tuple[str, str], MemoryVault] = {}
        locks: dict[tuple[str, str], SharedLock] = {}
        self.parts = Parts(
            clock=self.clock,
            entropy=CountingEntropy(),
            scheduler=self.scheduler,
            event_log=EventLog(),  # type: ignore[arg-type]
            provider_port=self.provider_port,
            vault=lambda provider: vaults.setdefault((provider.name, provider.issuer), MemoryVault()),
            lock=lambda provider: locks.setdefault((provider.name, provider.issuer), SharedLock()),
            upstream=self.net,
        )
        self.services: Services = build(settings_for(*self.order), self.parts)

    def provider_port(self, provider: Provider) -> ProviderPort:
        """The way to a provider."""
        return self.hosts[str(urlsplit(provider.issuer).hostname).split(".")[0]]

    def host_of(self, name: str) -> Host:
        return self.hosts[self.order["ab".index(name)]]

    async def sign_in(self, name: str, *, deliver_to: str = "") -> bool:
        """Sign in at ``name``; the callback goes to that provider's route, or to the route of ``deliver_to``."""
        session = self.services.sessions.service_for_sign_in(name, by_user=True)
        pending, ticket = await session.sign_ins.begin("user:a")
        self.services.pending.use_ticket(ticket)
        url, binding = await session.sign_ins.authorization_url(pending, f"http://localhost:8888/{name}")
        query = parse_qs(urlsplit(url).query)
        host = self.host_of(name)
        assert urlsplit(url).hostname == f"{host.name}.example.com"
        host.nonce = query["nonce"][0]
        code = f"{MARKER}{host.name}.code{host.issued}"
        receiver = self.services.sessions.of_provider(deliver_to) if deliver_to else session
        parameters = [("code", code), ("state", query["state"][0]), ("iss", issuer_of(host.name))]
        done = await receiver.sign_ins.callback(parameters, [binding])
        return done.progress == "completed"

    async def do(self, what: str, *about: Any) -> None:
        """Take one step of a story."""
        match what:
            case "call" | "rejected call":
                self.net.rejects = what != "call"
                await self.call("-".join(about))
            case "refresh":
                await self.services.sessions.of_provider(*about).tokens.refresh()
            case "sign-out":
                await self.services.sessions.of_provider(*about).sign_outs.sign_out()
            case "wait":
                await self.scheduler.pass_time(*about)
            case "swap":
                await self.swap()
            case "mix-up":
                assert not await self.sign_in(*about, deliver_to="b" if about == ("a",) else "a")

    async def call(self, api: str) -> None:
        request = ProxyRequest(api, "GET", "items", "", [], "kernel", f"/api/{api}/")
        answer = await self.services.proxy.open(request)
        answer.close()

    async def swap(self) -> None:
        """Swap the issuers in the settings: each name gets the other's."""
        self.order = (self.order[1], self.order[0])

        def install(services: Services) -> None:
            self.services = services

        await self.services.reload(settings_for(*self.order), install)

    def check(self) -> None:
        """Assert that no token of one provider was shown to the other, or to an API of the other."""
        assert [host.strangers for host in self.hosts.values()] == [[], []]
        for api, token in self.net.seen:
            host, kind = self.host_of(api.provider), api.name.partition("-")[2]
            if kind == IDENTITY:
                assert token.count(".") == 2
                assert issuer_of(host.name) in _payload(token)
            else:
                assert token.startswith(f"{MARKER}{host.name}.")
                assert token.split(".", 2)[2] == (api.audience or ""), "the token of another audience"
        self.net.seen.clear()


def _payload(token: str) -> str:
    import base64

    part = token.split(".")[1]
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)).decode()


NAMES = st.sampled_from("ab")
STEPS = st.one_of(
    st.tuples(st.just("sign-in"), NAMES),
    st.tuples(st.just("call"), NAMES, st.sampled_from([PLAIN, OWN, IDENTITY])),
    st.tuples(st.just("rejected call"), NAMES, st.sampled_from([PLAIN, OWN, IDENTITY])),
    st.tuples(st.just("refresh"), NAMES),
    st.tuples(st.just("sign-out"), NAMES),
    st.tuples(st.just("wait"), st.integers(1, 900)),
    st.tuples(st.just("swap")),
    st.tuples(st.just("mix-up"), NAMES),
)


async def tell(story: list[tuple[Any, ...]]) -> None:
    world = World()
    for what, *about in [("sign-in", "a"), ("sign-in", "b"), *story, ("call", "a", PLAIN), ("call", "b", PLAIN)]:
        if what == "sign-in":
            assert await world.sign_in(*about)
        else:
            with suppress(Problem):  # a call without a session, for example, is refused, as it should be
                await world.do(what, *about)
        world.net.rejects = False
        await settle()
        world.check()
    await world.services.aclose()


@settings(max_examples=120, deadline=None)
@given(story=st.lists(STEPS, max_size=12))
def test_whatever_happens_no_token_reaches_the_other_provider_or_its_apis(story: list[tuple[Any, ...]]) -> None:
    """D9: Changed settings never carry a session elsewhere.

    B23: A token goes only to its own provider.
    R-5: An answer must come from the configured issuer.
    V-4: The token's issuer is the configured one.
    """
    asyncio.run(tell(story))


def test_the_story_itself_reaches_every_api_of_both() -> None:
    """The property tests something: calls go out with tokens of both providers and all three kinds."""
    every = [("call", name, kind) for name in "ab" for kind in (PLAIN, OWN, IDENTITY)]
    seen: list[str] = []

    async def run() -> None:
        world = World()
        for name in "ab":
            assert await world.sign_in(name)
        for _, name, kind in every:
            await world.call(f"{name}-{kind}")
        seen.extend(api.name for api, _ in world.net.seen)
        await world.services.aclose()

    asyncio.run(run())
    assert seen == [f"{name}-{kind}" for _, name, kind in every]


def test_a_mixed_token_would_be_noticed() -> None:
    """The property can fail: an API that is shown a token of the other provider fails the check."""
    world = World()
    world.net.seen.append((apis_of("a")[0], f"{MARKER}south.1."))
    try:
        world.check()
    except AssertionError:
        return
    raise AssertionError("not noticed")
