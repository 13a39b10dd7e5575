"""Proxied calls with a token that is bound to a key (X-2, X-3, X-6, X-7, X-8)."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace

from jupyter_oidc.proxy.headers import Headers
from jupyter_oidc.proxy.ports import SocketRefused, UpstreamCall
from jupyter_oidc.proxy.request import ProxyRequest
from jupyter_oidc.proxy.service import Answer, OpenSocket, ProxyService
from jupyter_oidc.secret_access import reveal
from jupyter_oidc.sessions.dpop_prover import DPoPProver
from jupyter_oidc.sessions.registry import Sessions
from jupyter_oidc.settings import Api
from tests.support.canary import CANARY
from tests.support.dpop_proofs import Proof, digest, read_proof
from tests.support.marker import MARKER
from tests.unit.sessions.fake_environment import SETTINGS, FakeEnvironment

APIS = (
    Api("orders", "corp", "https://api.example.com/v1/"),
    Api("stock", "corp", "https://stock.example.com/"),
    Api("people", "corp", "https://people.example.com/", bearer_token_source="id_token"),
)
URL = "https://api.example.com/v1/items?page=2"
DEMAND = ("WWW-Authenticate", 'DPoP error="use_dpop_nonce"')
INVALID = ("WWW-Authenticate", 'DPoP error="invalid_token"')


@dataclass
class Scripted:
    """One planned reply of an API."""

    status: int = 200
    headers: Headers = field(default_factory=list)
    dropped: bool = False
    waiting: bool = False
    ended: bool = True

    def whole(self) -> bytes:
        return b""

    async def chunks(self) -> AsyncIterator[bytes]:
        yield b""

    def drop(self) -> None:
        self.dropped = True


class Opened:
    """A WebSocket that carries no message."""

    status = 101
    headers: Headers = []  # noqa: RUF012 - of a fake that nobody changes
    subprotocol: str | None = None
    close_code: int | None = None

    async def messages(self) -> AsyncIterator[str | bytes]:
        yield ""

    async def send(self, message: str | bytes) -> None: ...

    async def close(self, code: int) -> None: ...


class ScriptedUpstream:
    """Answer by plan, and with 200 when the plan is over."""

    def __init__(self, *planned: Scripted) -> None:
        self.planned = list(planned)
        self.calls: list[UpstreamCall] = []

    async def open(self, call: UpstreamCall) -> Scripted:
        self.calls.append(call)
        return self.planned.pop(0) if self.planned else Scripted()

    async def open_socket(self, call: UpstreamCall, subprotocols: tuple[str, ...]) -> SocketRefused | Opened:
        self.calls.append(call)
        planned = self.planned.pop(0) if self.planned else None
        return Opened() if planned is None else SocketRefused(planned.status, planned.headers)

    async def aclose(self) -> None: ...

    @property
    def proofs(self) -> list[Proof]:
        return [read_proof(reveal(call.proof)) for call in self.calls if call.proof is not None]

    @property
    def nonces(self) -> list[str | None]:
        return [proof.claims.get("nonce") for proof in self.proofs]


class Scene:
    """A proxy with a signed-in user, before APIs that answer by plan."""

    def __init__(self, *planned: Scripted, bound: bool = True) -> None:
        self.fake_environment = FakeEnvironment(replace(SETTINGS, dpop_bound_access_tokens=bound, apis=APIS))
        self.upstream = ScriptedUpstream(*planned)
        prover = DPoPProver(self.fake_environment.clock, self.fake_environment.entropy)
        self.proxy = ProxyService(Sessions([self.fake_environment.service]), self.upstream, prover)

    async def get(self, api: str = "orders", **changes: object) -> Answer:
        answer = await self.proxy.open((await self._request(api))._replace(**changes))  # type: ignore[arg-type]
        answer.close()
        return answer

    async def socket(self) -> SocketRefused | OpenSocket:
        return await self.proxy.open_socket(await self._request("orders"), ())

    async def _request(self, api: str) -> ProxyRequest:
        if not self.fake_environment.provider.calls["token"]:
            await self.fake_environment.sign_in()
            entry = await self.fake_environment.vault.load()
            if entry is not None and entry.dpop_key is not None:
                CANARY.hold(json.loads(reveal(entry.dpop_key))["d"])
            self.fake_environment.clock.advance(30)
        return ProxyRequest(api, "GET", "items", "page=2", [("DPoP", "theirs")], "kernel", f"/api/{api}/")

    @property
    def refreshes(self) -> int:
        return self.fake_environment.provider.calls["token"] - 1


async def body() -> AsyncIterator[bytes]:
    yield b"one"


async def test_without_a_key_nothing_is_proved() -> None:
    """X-8: a bearer token goes out as it always did, and the proxy draws no random value for it."""
    scene = Scene(bound=False)
    await scene.get()
    drawn = scene.fake_environment.entropy.drawn
    await scene.get()
    assert [call.proof for call in scene.upstream.calls] == [None, None]
    assert scene.fake_environment.entropy.drawn == drawn


async def test_each_call_has_a_proof_of_its_own_for_its_method_its_url_and_its_token() -> None:
    """X-2: A proof fits exactly one request.

    X-3: Token requests and uses of tokens carry proofs.
    X-8: No nonce is sent unless a server gave one.
    """
    scene = Scene()
    await scene.get()
    await scene.get(method="POST", body=body())
    first, second = scene.upstream.proofs
    assert {name: first.claims[name] for name in first.claims if name != "jti"} == {
        "htm": "GET",
        "htu": "https://api.example.com/v1/items",
        "iat": 1_800_000_030,
        "ath": digest(f"{MARKER}at-1"),
    }
    assert scene.upstream.calls[0].url == URL
    assert second.claims["htm"] == "POST"
    assert first.claims["jti"] != second.claims["jti"]
    assert first.thumbprint == second.thumbprint


async def test_a_proof_of_the_client_never_goes_up() -> None:
    """C5: No credential of the caller reaches an API."""
    scene = Scene()
    await scene.get()
    assert scene.upstream.calls[0].headers == []


async def test_an_api_that_takes_the_id_token_gets_it_as_bearer() -> None:
    """RFC 9449, 5: an ID token is bound to no key."""
    scene = Scene()
    await scene.get("people")
    assert scene.upstream.calls[0].proof is None


async def test_a_demand_for_a_nonce_costs_one_repetition_and_no_refresh() -> None:
    """X-6: A demanded nonce repeats a resource request once."""
    demand = Scripted(401, [DEMAND, ("DPoP-Nonce", "r-1")])
    scene = Scene(demand)
    answer = await scene.get()
    assert (answer.status, demand.dropped, scene.refreshes) == (200, True, 0)
    assert scene.upstream.nonces == [None, "r-1"]
    assert len({proof.claims["jti"] for proof in scene.upstream.proofs}) == 2


async def test_a_second_demand_is_passed_on() -> None:
    """X-6: the call is repeated once; a second demand says nothing about the token, so there is no refresh either."""
    scene = Scene(Scripted(401, [DEMAND, ("DPoP-Nonce", "r-1")]), Scripted(401, [DEMAND, ("DPoP-Nonce", "r-2")]))
    answer = await scene.get()
    assert (answer.status, len(scene.upstream.calls), scene.refreshes) == (401, 2, 0)
    assert "DPoP-Nonce" not in dict(answer.headers)
    await scene.get()
    assert scene.upstream.nonces == [None, "r-1", "r-2"]


async def test_a_demand_without_a_nonce_is_passed_on() -> None:
    """X-6: A demanded nonce repeats a resource request once."""
    scene = Scene(Scripted(401, [DEMAND]))
    answer = await scene.get()
    assert (answer.status, len(scene.upstream.calls), scene.refreshes) == (401, 1, 0)


async def test_a_call_with_a_body_is_not_repeated_but_may_be() -> None:
    """X-6, C11: the body is gone; the caller's next attempt has the nonce."""
    scene = Scene(Scripted(401, [DEMAND, ("DPoP-Nonce", "r-1")]))
    answer = await scene.get(method="POST", body=body())
    assert (answer.status, len(scene.upstream.calls), scene.refreshes) == (401, 1, 0)
    assert dict(answer.headers)["X-OIDC-Retryable"] == "true"
    assert (await scene.get(method="POST", body=body())).status == 200
    assert scene.upstream.nonces == [None, "r-1"]


async def test_any_reply_may_bring_the_next_nonce() -> None:
    """X-7: the newest nonce counts, for its origin alone."""
    scene = Scene(Scripted(200, [("dpop-nonce", "r-1")]), Scripted(404, [("DPoP-Nonce", "r-2")]))
    await scene.get()
    await scene.get()
    await scene.get("stock")
    await scene.get()
    assert scene.upstream.nonces == [None, "r-1", None, "r-2"]


async def test_a_token_that_an_api_refuses_is_refreshed_and_proved_anew() -> None:
    """C11, X-2: the hash in the proof is that of the new token."""
    scene = Scene(Scripted(401, [INVALID]))
    answer = await scene.get()
    assert (answer.status, scene.refreshes) == (200, 1)
    assert [proof.claims["ath"] for proof in scene.upstream.proofs] == [
        digest(f"{MARKER}at-1"),
        digest(f"{MARKER}at-2"),
    ]


async def test_a_refused_token_after_a_nonce_is_refreshed_too() -> None:
    """X-6, C11: a repetition for a nonce does not replace the one for a token."""
    scene = Scene(Scripted(401, [DEMAND, ("DPoP-Nonce", "r-1")]), Scripted(401, [INVALID]))
    answer = await scene.get()
    assert (answer.status, scene.refreshes, len(scene.upstream.calls)) == (200, 1, 3)
    assert scene.upstream.nonces == [None, "r-1", "r-1"]


async def test_a_bearer_token_that_a_strange_challenge_refuses_is_refreshed_as_ever() -> None:
    """C11: without a key, a demand for a nonce is a 401 like any other."""
    scene = Scene(Scripted(401, [DEMAND, ("DPoP-Nonce", "r-1")]), bound=False)
    assert (await scene.get()).status == 200
    assert scene.refreshes == 1


# -- WebSockets ----------------------------------------------------------------------------------------------------


async def test_a_handshake_is_proved_as_a_call_is() -> None:
    """X-2, X-3: the proof is for the address and the method that are sent."""
    scene = Scene()
    assert isinstance(await scene.socket(), OpenSocket)
    (proof,) = scene.upstream.proofs
    assert (proof.claims["htm"], proof.claims["htu"]) == ("GET", "https://api.example.com/v1/items")
    assert proof.claims["ath"] == digest(f"{MARKER}at-1")


async def test_a_handshake_without_a_key_is_not_proved() -> None:
    """X-8: No nonce is sent unless a server gave one."""
    scene = Scene(bound=False)
    assert isinstance(await scene.socket(), OpenSocket)
    assert scene.upstream.calls[0].proof is None


async def test_a_demand_for_a_nonce_costs_a_handshake_one_repetition_and_no_refresh() -> None:
    """X-6: A demanded nonce repeats a resource request once."""
    scene = Scene(Scripted(401, [DEMAND, ("DPoP-Nonce", "r-1")]))
    assert isinstance(await scene.socket(), OpenSocket)
    assert (scene.upstream.nonces, scene.refreshes) == ([None, "r-1"], 0)


async def test_a_second_demand_refuses_the_socket() -> None:
    """X-6, X-7: the next call carries the nonce of the refusal."""
    scene = Scene(Scripted(401, [DEMAND, ("DPoP-Nonce", "r-1")]), Scripted(401, [DEMAND, ("DPoP-Nonce", "r-2")]))
    refused = await scene.socket()
    assert isinstance(refused, SocketRefused)
    assert (refused.status, scene.refreshes) == (401, 0)
    assert "DPoP-Nonce" not in dict(refused.headers)
    assert isinstance(await scene.socket(), OpenSocket)
    assert scene.upstream.nonces == [None, "r-1", "r-2"]


async def test_a_token_that_a_handshake_shows_in_vain_is_refreshed_and_proved_anew() -> None:
    """C11: A 401 earns one refresh and one replay."""
    scene = Scene(Scripted(401, [INVALID]))
    assert isinstance(await scene.socket(), OpenSocket)
    assert [proof.claims["ath"] for proof in scene.upstream.proofs] == [
        digest(f"{MARKER}at-1"),
        digest(f"{MARKER}at-2"),
    ]
