"""Fake parts around one session service: a scripted provider that answers in values, and clocks moved by hand."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from jupyter_oidc.adapters.storage.vault_memory import MemoryVault
from jupyter_oidc.clock import Moment
from jupyter_oidc.problems import Overloaded, StorageUnavailable
from jupyter_oidc.protocol.device import DEVICE_CODE
from jupyter_oidc.protocol.message import Call, Reply, written
from jupyter_oidc.secret import Secret
from jupyter_oidc.sessions.credentials import Credentials
from jupyter_oidc.sessions.pending import PendingSignIn, PendingSignIns, SignInOptions
from jupyter_oidc.sessions.provider_logout import AcceptedLogouts
from jupyter_oidc.sessions.service import SessionService
from jupyter_oidc.sessions.shared_provider import SharedProvider
from jupyter_oidc.sessions.shared_tokens import NoSharedTokens, SharedTokens
from jupyter_oidc.sessions.sign_out_pages import SignOutPages
from jupyter_oidc.settings import Api, Provider
from tests.support.canary import CANARY
from tests.support.marker import MARKER
from tests.unit.protocol.makers import CLIENT, ISSUER, NOW, RSA, SUBJECT, claims_of, document, jwk, reply, signed

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from jupyter_oidc.background import Defect
    from jupyter_oidc.sessions.ports import Entry, SessionEvent

SETTINGS = Provider(
    name="corp",
    issuer=ISSUER,
    client_id=CLIENT,
    scopes=("openid", "profile", "offline_access"),
    apis=(Api("orders", "corp", "https://api.example.com/v1/", requires=("orders.read",)),),
)
ENDPOINTS = {
    "/keys": "jwks",
    "/token": "token",
    "/userinfo": "userinfo",
    "/revoke": "revoke",
    "/device": "device",
    "/par": "push",
}
DEVICE = {"device_authorization_endpoint": ISSUER + "/device"}
"""Further metadata of a provider that offers sign-in by code."""

GIVEN = {
    "device_code": f"{MARKER}device-code",
    "user_code": "WDJB-MJHT",
    "verification_uri": ISSUER + "/enter",
    "verification_uri_complete": ISSUER + "/enter?user_code=WDJB-MJHT",
    "expires_in": 300,
    "interval": 5,
}


class HandClock:
    """Clock that stands still until a test moves it."""

    def __init__(self) -> None:
        self.moment = Moment(NOW, 5_000.0)

    def now(self) -> Moment:
        return self.moment

    def advance(self, seconds: float) -> None:
        self.moment = self.moment.later(seconds)

    def jump_wall(self, seconds: float) -> None:
        self.moment = Moment(self.moment.wall + seconds, self.moment.monotonic)


class CountingEntropy:
    """Draw ``r1``, ``r2``, ... padded to a plausible length; no jitter."""

    def __init__(self) -> None:
        self.drawn = 0

    def token(self, bits: int) -> str:
        self.drawn += 1
        return f"r{self.drawn}".ljust(-(-bits // 6), "x")

    def jitter(self) -> float:
        return 0.0


@dataclass(eq=False)
class Timer:
    at: float
    callback: Callable[[], None]
    cancelled: bool = False

    def cancel(self) -> None:
        self.cancelled = True


class ReplaceableVault(MemoryVault):
    """Vault in memory; a test can replace what loads, saves and deletes."""

    def __init__(self) -> None:
        super().__init__()
        self.loading: Callable[[], Awaitable[Entry | None]] = super().load
        self.saving: Callable[[Entry], Awaitable[None]] = super().save
        self.deleting: Callable[[], Awaitable[None]] = super().delete

    async def load(self) -> Entry | None:
        return await self.loading()

    async def save(self, entry: Entry) -> None:
        await self.saving(entry)

    async def delete(self) -> None:
        await self.deleting()


def no_answer(detail: str | None = None) -> Callable[..., Awaitable[Any]]:
    """Return what a vault that does not answer does in the place of loading, saving or deleting."""

    async def refuse(*_: object) -> None:
        raise StorageUnavailable(detail=detail)

    return refuse


class SharedLock:
    """The lock and the marker that the services of one environment share; while ``stuck``, every wait for it times out.

    Timeouts are a hundredth of ``timeout_seconds``.
    """

    def __init__(self) -> None:
        self.lock = asyncio.Lock()
        self.marked = False
        self.stuck = False
        self.held_last = False
        self.turns = 0

    @asynccontextmanager
    async def hold(self, *, timeout_seconds: float) -> AsyncIterator[SharedHeldLock]:
        try:
            if self.stuck:
                raise asyncio.TimeoutError
            await asyncio.wait_for(self.lock.acquire(), timeout_seconds / 100)
        except asyncio.TimeoutError:
            raise Overloaded(detail="lock.timeout", retry_after=1.0) from None
        self.turns += 1
        try:
            yield SharedHeldLock(self, self.marked, self.held_last)
        finally:
            self.lock.release()


@dataclass
class SharedHeldLock:
    lock: SharedLock
    interrupted: bool
    held_last: bool

    async def mark_in_use(self) -> None:
        self.lock.marked = True

    async def clear_mark(self) -> None:
        self.lock.marked = False


class HandScheduler:
    """Run timers when the test says so."""

    def __init__(self, clock: HandClock) -> None:
        self.clock = clock
        self.timers: list[Timer] = []
        self.slept: list[float] = []
        self.sleeping_takes_time = False
        self.gate: asyncio.Event | None = None
        """Every sleep lasts until it is set, if there is one."""

    def after(self, seconds: float, callback: Callable[[], None]) -> Timer:
        timer = Timer(self.clock.now().monotonic + seconds, callback)
        self.timers.append(timer)
        return timer

    async def sleep(self, seconds: float) -> None:
        if self.gate is not None:
            await self.gate.wait()
            return
        self.slept.append(seconds)
        if self.sleeping_takes_time:
            self.clock.advance(seconds)
        await asyncio.sleep(0)

    @property
    def due_in(self) -> list[float]:
        now = self.clock.now().monotonic
        return sorted(timer.at - now for timer in self.timers if not timer.cancelled)

    async def pass_time(self, seconds: float) -> None:
        """Let ``seconds`` pass, run the timers that are due, and let their work finish."""
        self.clock.advance(seconds)
        now = self.clock.now().monotonic
        for timer in [timer for timer in self.timers if not timer.cancelled and timer.at <= now]:
            self.timers.remove(timer)
            timer.callback()
        await settle()


class Notes:
    """Event log that remembers its entries."""

    def __init__(self) -> None:
        self.events: list[SessionEvent] = []
        self.refusals: list[tuple[str, str]] = []
        self.flows: list[str] = []
        self.defects: list[Defect] = []

    def session(self, event: SessionEvent) -> None:
        self.events.append(event)

    def refusal(self, provider: str, flow: str, refused: str, detail: str) -> None:
        del provider
        self.flows.append(flow)
        self.refusals.append((refused, detail))

    def defect(self, about: str, defect: Defect) -> None:
        del about
        self.defects.append(defect)

    @property
    def kinds(self) -> list[str]:
        return [event.kind for event in self.events]


@dataclass
class ValueProvider:
    """A provider that answers in values and rotates one-time refresh tokens; faults are planned per endpoint."""

    clock: HandClock
    lifetime: float | None = 300
    rotate: bool = True
    issue_refresh_token: bool = True
    claims: dict[str, Any] = field(default_factory=dict)
    userinfo: dict[str, Any] = field(default_factory=lambda: {"sub": SUBJECT, "name": "Example User"})
    nonce: str = ""
    scope: str | None = None
    date: str | None = None
    advertise: dict[str, Any] = field(default_factory=dict)
    calls: Counter[str] = field(default_factory=Counter)
    sent: list[Call] = field(default_factory=list)
    plans: dict[str, list[Reply | Exception | asyncio.Event]] = field(default_factory=dict)
    issued: int = 0
    current: str = ""
    revoked: list[str] = field(default_factory=list)
    closed: int = 0

    def plan(self, endpoint: str, *outcomes: Reply | Exception | asyncio.Event) -> None:
        """Answer the next calls to ``endpoint`` with ``outcomes``; an event holds the call until it is set."""
        self.plans.setdefault(endpoint, []).extend(outcomes)

    async def send(self, call: Call) -> Reply:
        endpoint = ENDPOINTS.get(urlsplit(call.url).path, "discovery")
        self.calls[endpoint] += 1
        self.sent.append(call)
        planned = self.plans.get(endpoint)
        if planned:
            outcome = planned.pop(0)
            if isinstance(outcome, asyncio.Event):
                await outcome.wait()
            elif isinstance(outcome, Exception):
                raise outcome
            else:
                return outcome
        await asyncio.sleep(0)
        match endpoint:
            case "discovery":
                extra = {"revocation_endpoint": ISSUER + "/revoke", "end_session_endpoint": ISSUER + "/logout"}
                extra |= self.advertise
                return reply(document(**extra))
            case "jwks":
                return reply({"keys": [jwk(RSA, kid="k1", use="sig", alg="RS256")]})
            case "userinfo":
                return reply(self.userinfo)
            case "device":
                return reply(GIVEN)
            case "push":
                reference = f"urn:ietf:params:oauth:request_uri:{self.calls[endpoint]}"
                return reply({"request_uri": reference, "expires_in": 60}, status=201)
            case "revoke":
                self.revoked.append(form_of(call)["token"].removeprefix(MARKER))
                return reply(b"", status=200)
        return self.token(call)

    def token(self, call: Call) -> Reply:
        """Answer a token request; refresh tokens are good for one use."""
        form = form_of(call)
        if form["grant_type"] == "refresh_token" and self.rotate and form["refresh_token"] != self.current:
            return reply({"error": "invalid_grant"}, status=400)
        self.issued += 1
        now = self.clock.now().wall
        body: dict[str, Any] = {
            "access_token": f"{MARKER}at-{self.issued}",
            "token_type": "DPoP" if call.proof else "Bearer",
        }
        if self.lifetime is not None:
            body["expires_in"] = self.lifetime
        if self.scope is not None:
            body["scope"] = self.scope
        exchanged = form["grant_type"].endswith("token-exchange")
        if self.issue_refresh_token and not exchanged and (self.rotate or self.issued == 1):
            self.current = f"{MARKER}rt-{self.issued}"
            body["refresh_token"] = self.current
        if form["grant_type"] in ("authorization_code", DEVICE_CODE):
            nonce = self.nonce if form["grant_type"] == "authorization_code" else ...
            claims = claims_of(**{"iat": now, "exp": now + 600, "nonce": nonce, **self.claims})
            body["id_token"] = signed(claims)
            CANARY.hold(body["id_token"])
        return reply(body, headers={} if self.date is None else {"date": self.date})

    async def aclose(self) -> None:
        self.closed += 1


def form_of(call: Call) -> dict[str, str]:
    """Return the form of ``call``, opened as only a test may."""
    return {name: written(value) for name, value in call.form}


class FakeEnvironment:
    """One service with fake parts around it."""

    def __init__(self, settings: Provider = SETTINGS, vault: Any = None) -> None:
        self.clock = HandClock()
        self.entropy = CountingEntropy()
        self.scheduler = HandScheduler(self.clock)
        self.notes = Notes()
        self.provider = ValueProvider(self.clock)
        self.vault: ReplaceableVault = vault or ReplaceableVault()
        self.lock = SharedLock()
        self.shared_tokens: SharedTokens = NoSharedTokens()
        self.pending = PendingSignIns(self.clock, self.entropy)
        self.sign_out_pages = SignOutPages(self.clock, self.entropy, self.scheduler)
        self.settings = settings
        self.service = self.new_service()

    def new_service(self, client_secret: Callable[[], Secret | None] = lambda: None) -> SessionService:
        """Return another process's service over the same vault and provider."""
        return self.service_over(self.share_provider(client_secret))

    def credentials(self, client_secret: Callable[[], Secret | None]) -> Credentials:
        """What the client of a new service proves itself with."""
        return Credentials(self.settings, self.clock, self.entropy, secret=client_secret, key=lambda: None)

    def share_provider(self, client_secret: Callable[[], Secret | None] = lambda: None) -> SharedProvider:
        """What all sessions of one process share."""
        credentials = self.credentials(client_secret)
        return SharedProvider(self.settings, self.provider, self.clock, credentials, self.entropy)

    def service_over(self, shared: SharedProvider) -> SessionService:
        """One more service, which shares with others."""
        self.oidc_client = shared.client()
        return SessionService(
            self.settings,
            oidc_client=self.oidc_client,
            vault=self.vault,
            lock=self.lock,
            pending=self.pending,
            clock=self.clock,
            entropy=self.entropy,
            scheduler=self.scheduler,
            event_log=self.notes,
            logouts=AcceptedLogouts(),
            sign_out_pages=self.sign_out_pages,
            shared_tokens=self.shared_tokens,
        )

    async def stored(self) -> Entry:
        """Return the stored entry, which must be there."""
        entry = await self.vault.load()
        assert entry is not None
        return entry

    async def begin(
        self, caller: str = "user:a", options: SignInOptions | None = None
    ) -> tuple[PendingSignIn, str, str]:
        """Begin and visit the start page; return the sign-in, its state and its binding."""
        pending, ticket = await self.service.sign_ins.begin(caller, options or SignInOptions())
        used = self.pending.use_ticket(ticket)
        assert used is pending
        url, binding = await self.service.sign_ins.authorization_url(pending, "http://localhost:8888/cb")
        query = parse_qs(urlsplit(url).query)
        self.provider.nonce = query["nonce"][0]
        return pending, query["state"][0], binding

    async def sign_in(self) -> PendingSignIn:
        """Sign in without a fault, and return the sign-in."""
        _, state, binding = await self.begin()
        return await self.service.sign_ins.callback([("code", "c-1"), ("state", state)], [binding])


async def settle() -> None:
    """Let all tasks that are ready run."""
    for _ in range(50):
        await asyncio.sleep(0)


def text_of(secret: Secret) -> str:
    """Return the text of ``secret``, as only a test may; the mark of the canary is left out."""
    from jupyter_oidc.secret_access import reveal

    return reveal(secret).removeprefix(MARKER)
