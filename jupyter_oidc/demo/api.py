"""The demo's protected API: a few orders that only a caller with a valid access token may read.

It stands for a company's API. It checks every token by itself (:mod:`jupyter_oidc.demo.bearer`), keeps its orders in
memory, and never repeats a token in a reply or a log: a caller learns a running number instead.
It describes itself by an OpenAPI document (``/v1/openapi.json``, with a token) and by a page for people (``/docs``).
"""

from __future__ import annotations

import argparse
import asyncio
import csv
import hashlib
import io
import json
import re
import signal
import socket
import time
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from aiohttp import ClientError, ClientSession, ClientTimeout, web

from jupyter_oidc.demo import parent_watch
from jupyter_oidc.demo.bearer import Caller, Refused, judge, key_id, keys_of
from jupyter_oidc.demo.personas import API, READ, WRITE

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from cryptography.hazmat.primitives.asymmetric import rsa

HOST: Final = "127.0.0.1"
_ORDERS: Final = (
    {"id": 1, "item": "Difference engine", "quantity": 1, "price": 17000.0, "status": "delivered"},
    {"id": 2, "item": "Punched cards", "quantity": 2400, "price": 0.12, "status": "shipped"},
    {"id": 3, "item": "Brass gears", "quantity": 320, "price": 4.5, "status": "open"},
    {"id": 4, "item": "Steam valve", "quantity": 6, "price": 89.9, "status": "open"},
)
DOCUMENT: Final = Path(__file__).with_name("openapi.json")
"""The API's own description."""

_MAX_LISTED: Final = 1_000
_COLUMNS: Final = ("id", "item", "quantity", "price", "status")


class Keys:
    """The provider's signing keys, fetched when a token names one that is not known yet."""

    def __init__(self, issuer: str) -> None:
        self._issuer = issuer
        self._keys: dict[str, rsa.RSAPublicKey] = {}
        self._asked_at = float("-inf")
        self._lock = asyncio.Lock()

    async def naming(self, kid: str) -> dict[str, rsa.RSAPublicKey]:
        """Return all known keys; asks the provider at most once in two seconds for an unknown ``kid``."""
        async with self._lock:
            if kid not in self._keys and time.monotonic() - self._asked_at > 2:
                self._asked_at = time.monotonic()
                self._keys = await self._fetch()
        return self._keys

    async def _fetch(self) -> dict[str, rsa.RSAPublicKey]:
        async with ClientSession(timeout=ClientTimeout(total=5), trust_env=False) as client:
            async with client.get(f"{self._issuer}/.well-known/openid-configuration") as reply:
                where = (await reply.json())["jwks_uri"]
            async with client.get(where) as reply:
                return keys_of(await reply.json())


class Orders:
    """The routes; one instance per server."""

    def __init__(self, issuer: str, *, clock: Callable[[], float] = time.time) -> None:
        self._issuer = issuer
        self._clock = clock
        self._keys = Keys(issuer)
        self._orders: list[dict[str, Any]] = [dict(order) for order in _ORDERS]
        self._tokens_seen: list[bytes] = []

    def application(self) -> web.Application:
        """Return the application; every route but ``/health`` and ``/docs`` needs a token."""
        app = web.Application(client_max_size=65_536)
        app.router.add_get("/health", self._health)
        app.router.add_get("/docs", self._docs)
        for path, role, route in (
            ("/v1/orders", READ, self._list),
            ("/v1/orders/{id:[0-9]+}", READ, self._show),
            ("/v1/openapi.json", READ, self._document),
            ("/v1/search", READ, self._search),
            ("/v1/clock", READ, self._time),
            ("/v1/stream", READ, self._stream),
            ("/v1/report.csv", READ, self._report),
        ):
            app.router.add_get(path, self._guarded(role, route))
        app.router.add_post("/v1/orders", self._guarded(WRITE, self._add))
        return app

    def _guarded(
        self,
        role: str,
        route: Callable[[web.Request, Caller], Awaitable[web.StreamResponse]],
    ) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def handle(request: web.Request) -> web.StreamResponse:
            scheme, _, token = request.headers.get("Authorization", "").partition(" ")
            if scheme.lower() != "bearer" or not token:
                return _problem(401, "token_missing", "Send an access token.", challenge="Bearer")
            try:
                keys = await self._keys.naming(key_id(token))
                caller = judge(token, keys, issuer=self._issuer, audience=API, now=self._clock())
            except Refused as refused:
                return _problem(401, "invalid_token", str(refused), challenge='Bearer error="invalid_token"')
            except (ClientError, asyncio.TimeoutError, KeyError, ValueError):
                return _problem(503, "keys_unavailable", "The provider's keys cannot be read now. Try again.")
            if role not in caller.roles:
                text = f"{caller.subject} may not do this: the role {role} is missing."
                return _problem(403, "insufficient_role", text, challenge='Bearer error="insufficient_scope"')
            return await route(request, caller)

        return handle

    async def _health(self, _request: web.Request) -> web.Response:
        return web.json_response({"status": "ok"})

    async def _docs(self, _request: web.Request) -> web.Response:
        return web.Response(text=_page_of(json.loads(DOCUMENT.read_bytes())), content_type="text/html")

    async def _document(self, _request: web.Request, _caller: Caller) -> web.Response:
        return web.Response(body=DOCUMENT.read_bytes(), content_type="application/json")

    async def _list(self, request: web.Request, _caller: Caller) -> web.Response:
        status, limit = request.query.get("status"), request.query.get("limit", "1000")
        if not re.fullmatch(r"[0-9]{1,4}", limit) or not 1 <= int(limit) <= _MAX_LISTED:
            return _problem(422, "limit_invalid", f"Send a limit from 1 to {_MAX_LISTED}.")
        found = [order for order in self._orders if status is None or order["status"] == status]
        return web.json_response({"orders": found[: int(limit)]})

    async def _search(self, request: web.Request, _caller: Caller) -> web.Response:
        part = request.query.get("q", "").casefold()
        if not part:
            return _problem(422, "query_missing", "Send q, a part of the name of an item.")
        return web.json_response({"orders": [one for one in self._orders if part in one["item"].casefold()]})

    async def _show(self, request: web.Request, _caller: Caller) -> web.Response:
        wanted = int(request.match_info["id"])
        for order in self._orders:
            if order["id"] == wanted:
                return web.json_response(order)
        return _problem(404, "no_such_order", "There is no order with this number.")

    async def _add(self, request: web.Request, caller: Caller) -> web.Response:
        try:
            wish = await request.json()
        except ValueError:
            wish = None
        item = wish.get("item") if isinstance(wish, dict) else None
        quantity = wish.get("quantity", 1) if isinstance(wish, dict) else None
        if not isinstance(item, str) or not 0 < len(item) <= 80 or type(quantity) is not int or quantity < 1:
            return _problem(422, "order_invalid", 'Send {"item": "...", "quantity": 1}.')
        number = len(self._orders) + 1
        order = {"id": number, "item": item, "quantity": quantity, "price": 1.0, "status": f"new, by {caller.subject}"}
        self._orders.append(order)
        return web.json_response(order, status=201)

    async def _time(self, request: web.Request, caller: Caller) -> web.Response:
        """Return the remaining lifetime of the presented token, and its number in the order of arrival."""
        print_of = hashlib.sha256(request.headers["Authorization"].encode()).digest()
        if print_of not in self._tokens_seen:
            self._tokens_seen.append(print_of)
        known = {
            "caller": caller.subject,
            "token_number": self._tokens_seen.index(print_of) + 1,
            "seconds_left": round(caller.ends_at - self._clock(), 1),
            "ends_at": caller.ends_at,
        }
        return web.json_response(known)

    async def _stream(self, request: web.Request, _caller: Caller) -> web.StreamResponse:
        reply = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"})
        await reply.prepare(request)
        for order in self._orders:
            await reply.write(f"event: order\ndata: {json.dumps(order)}\n\n".encode())
            await asyncio.sleep(0.4)
        await reply.write_eof()
        return reply

    async def _report(self, _request: web.Request, _caller: Caller) -> web.Response:
        text = io.StringIO()
        writer = csv.DictWriter(text, fieldnames=_COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(self._orders)
        return web.Response(text=text.getvalue(), content_type="text/csv")


def _page_of(document: dict[str, Any]) -> str:
    """Return the documentation for people: one line for each operation."""
    info = document["info"]
    rows = [
        f"<tr><td><code>{method.upper()} {escape(path)}</code></td><td>{escape(operation['summary'])}</td></tr>"
        for path, item in document["paths"].items()
        for method, operation in item.items()
        if method != "parameters"
    ]
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(info["title"])}</title>'
        "<style>body{font:16px system-ui;margin:2rem auto;max-width:44rem;color-scheme:light dark}"
        "td{padding:.3rem 1rem .3rem 0;vertical-align:top}</style>"
        f"<h1>{escape(info['title'])}</h1><p>{escape(info['description'])}</p><table>{''.join(rows)}</table></html>"
    )


def _problem(status: int, code: str, message: str, *, challenge: str | None = None) -> web.Response:
    headers = {"WWW-Authenticate": challenge} if challenge else None
    return web.json_response({"error": code, "message": message}, status=status, headers=headers)


async def _serve(listener: socket.socket, issuer: str, ready: Path) -> None:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    signal.signal(signal.SIGTERM, lambda *_: loop.call_soon_threadsafe(stopping.set))
    parent_watch.watch_parent(grace=3)
    runner = web.AppRunner(Orders(issuer).application(), access_log=None)
    await runner.setup()
    await web.SockSite(runner, listener, shutdown_timeout=1).start()
    parent_watch.publish(ready, f"http://{HOST}:{listener.getsockname()[1]}/v1/")
    await stopping.wait()
    await runner.cleanup()


def main() -> None:
    """Serve until standard input ends."""
    parser = argparse.ArgumentParser(prog="python -m jupyter_oidc.demo.api")
    parser.add_argument("--issuer", required=True, help="whose tokens are accepted")
    parser.add_argument("--ready", type=Path, required=True, help="the file that receives the base URL when ready")
    chosen = parser.parse_args()
    with socket.create_server((HOST, 0)) as listener:
        asyncio.run(_serve(listener, chosen.issuer, chosen.ready))


if __name__ == "__main__":
    main()
