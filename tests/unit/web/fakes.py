"""A front and sessions of plain values, for calls of route functions without a server."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from jupyter_oidc.problems import Problem
from jupyter_oidc.sessions.api import ProviderSettings, SignIn
from jupyter_oidc.web.front import Call, GrantTerms
from jupyter_oidc.web.request import Caller, Headers, Request

USER = Caller("user", "user:ada")
BEARER = Caller("user", "token", bears_token=True)
KERNEL = Caller("kernel", "kernel:k1")
STRANGER = Caller("public")


def settings_of(name: str = "corp", **changes: Any) -> ProviderSettings:
    given: dict[str, Any] = {
        "issuer": "https://id.example.com",
        "redirect_uri": None,
        "response_mode": "query",
        "pins_server": False,
        "pins_callback": False,
    }
    return ProviderSettings(name, **(given | changes))


def sign_in_of(**changes: Any) -> SignIn:
    given: dict[str, Any] = {
        "flow": "f1",
        "settings": settings_of(),
        "strategy": "server",
        "state": "waiting",
        "expires_in": 600,
    }
    return SignIn(**(given | changes))


@dataclass
class PlainFront:
    """A front whose answers are its fields."""

    base_url: str = "/user/ada/"
    home: str = "/user/ada/"
    protocol: str = "https"
    host: str = "hub.example.com"
    browser: Any = "elsewhere"
    under_hub: bool = False
    default_provider: str | None = None
    server_name: str = ""
    has_own_host: bool = False
    page_address: str | None = None
    has_logins: bool = True
    sharing_mode: Any = "none"
    request_id: str = "r1"
    public: str | None = "https://hub.example.com/user/ada/"
    notes: list[str] = field(default_factory=list)
    listening_for: list[str] = field(default_factory=list)
    makes_worker_grants: bool = True
    worker_address: str | None = "https://hub.example.com/user/ada/"
    grant_terms: GrantTerms = field(default_factory=lambda: GrantTerms(24.0))
    made: list[tuple[str, bool]] = field(default_factory=list)

    def public_url(self, settings: ProviderSettings | None = None) -> str | None:
        return self.public

    def xsrf_token(self) -> str:
        return "x1"

    def nonce(self) -> str:
        return "n1"

    def begin_record(self, api: str) -> Any:
        raise AssertionError("the route made a call")

    def remember_maker(self, grant_id: str, *, is_outlived: bool) -> None:
        self.made.append((grant_id, is_outlived))

    async def end_forsaken_grants(self) -> None:
        """No kernel of this front has ended."""

    async def diagnostics(self, headers: Any) -> dict[str, Any]:
        raise AssertionError("the route made a check")

    def note(self, text: str) -> None:
        self.notes.append(text)

    async def open_listener(self, sign_in: SignIn) -> str:
        self.listening_for.append(sign_in.flow)
        return "http://127.0.0.1:5001/cb?start=s1"


class ScriptedSessions:
    """Sessions that answer by a script and keep what they were asked; a question that is not in it is a failure."""

    def __init__(self, **answers: Any) -> None:
        self._answers = answers
        self.asked: list[tuple[Any, ...]] = []

    def __getattr__(self, name: str) -> Callable[..., Awaitable[Any]]:
        async def answer(*arguments: Any, **named: Any) -> Any:
            assert name in self._answers, f"the route asked for {name}"
            self.asked.append((name, *arguments, *sorted(named.items())))
            told = self._answers[name]
            if isinstance(told, Problem):
                raise told
            return told

        return answer


def call_of(
    sessions: ScriptedSessions,
    method: str = "GET",
    path: str = "/user/ada/jupyter-oidc/x",
    *,
    caller: Caller = USER,
    query: str = "",
    body: bytes | None = b"",
    front: PlainFront | None = None,
    headers: Mapping[str, str] | None = None,
) -> Call:
    lines = Headers((headers or {}).items())
    request = Request(method, path, caller, query=query, headers=lines, body=body)
    front = front or PlainFront()
    return Call(request, front, lambda: sessions, lambda: sessions)  # type: ignore[arg-type,return-value]
