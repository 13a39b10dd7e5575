"""An API behind the proxy that records what reached it; a bearer token is kept only as its SHA-256 digest."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from aiohttp import web

from tests.support.loop_thread import ServedInThread

if TYPE_CHECKING:
    import ssl

    from typing_extensions import Self

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]
Judge = Callable[[web.Request, str, str], "web.Response | None"]
"""Gets a request with the scheme and the token of its ``Authorization``; returns the refusal, if it refuses."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One request as it arrived: ``path`` is the raw target, ``bearer`` the digest of the token or ``None``.

    ``scheme`` is that of its ``Authorization``.
    """

    method: str
    path: str
    headers: tuple[tuple[str, str], ...]
    bearer: str | None
    body: bytes
    scheme: str = ""

    def header(self, name: str) -> str | None:
        """The first header called ``name``."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)


@dataclass
class Upstream:
    """Context manager. Answers 200 with ``{"path": ...}`` to a bearer token that ``accepts``, 401 to any other.

    ``plan`` puts answers in a queue that are given first, one a request. A ``judge`` takes the place of ``accepts``.
    """

    accepts: Callable[[str], bool] = lambda _: True
    judge: Judge | None = None
    tls: ssl.SSLContext | None = None
    seen: list[Seen] = field(default_factory=list)
    gone: int = 0
    _plan: list[Answer] = field(default_factory=list)

    def __post_init__(self) -> None:
        application = web.Application(client_max_size=64 * 1024 * 1024)
        application.router.add_route("*", "/{tail:.*}", self._serve)
        self._server = ServedInThread(application, tls=self.tls)

    def __enter__(self) -> Self:
        self._server.__enter__()
        return self

    def __exit__(self, *reason: object) -> None:
        self._server.__exit__(*reason)

    @property
    def port(self) -> int:
        """The loopback port on which it listens."""
        return self._server.port

    @property
    def url(self) -> str:
        """The base URL that goes into the settings."""
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}/v1/"

    def plan(self, *answers: Answer) -> None:
        """Answer the next requests by ``answers``, in their order."""
        self._plan.extend(answers)

    def plan_nothing(self) -> None:
        """Forget all planned answers."""
        self._plan.clear()

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        known = scheme in ("Bearer", "DPoP") and bool(token)
        kept = tuple((name, value) for name, value in request.headers.items() if name.lower() != "authorization")
        digest = hashlib.sha256(token.encode()).hexdigest() if known else None
        self.seen.append(Seen(request.method, request.raw_path, kept, digest, await request.read(), scheme))
        try:
            if self._plan:
                return await self._plan.pop(0)(request)
            refusal = (self.judge or self._judge)(request, scheme, token)
            return web.json_response({"path": request.raw_path}) if refusal is None else refusal
        except asyncio.CancelledError:
            self.gone += 1
            raise

    def _judge(self, _: web.Request, scheme: str, token: str) -> web.Response | None:
        return None if scheme == "Bearer" and token and self.accepts(token) else refused("Bearer", "invalid_token")


def refused(scheme: str, error: str, **headers: str) -> web.Response:
    """Answer 401 with a challenge (RFC 6750, 3; RFC 9449, 7.1); an underscore in a header's name stands for a hyphen."""
    told = {name.replace("_", "-"): value for name, value in headers.items()}
    challenge = {"WWW-Authenticate": f'{scheme} error="{error}"'}
    return web.json_response({"error": error}, status=401, headers={**challenge, **told})
