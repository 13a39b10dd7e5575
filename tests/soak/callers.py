"""The clients of the soak: their calls, and the endings that are right.

Right is the whole answer; or, while something is killed, an honest error: the API unreachable, the provider unavailable,
a connection that breaks off and does not look complete. Everything else is wrong: another status, a short body that
looks whole, the body of another call, a call that hangs.
"""

from __future__ import annotations

import asyncio
import hashlib
import random
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field

import aiohttp
from yarl import URL

from tests.soak.api import EVENTS, content

HONEST = {
    (502, "upstream_unreachable"),
    (503, "idp_unavailable"),
    (503, "overloaded"),
    (504, "upstream_timeout"),
}
BROKEN = (aiohttp.ClientPayloadError, aiohttp.ServerDisconnectedError, aiohttp.ClientOSError, ConnectionError)
LONGEST = 60.0
"""Seconds after which a call counts as hanging."""


@dataclass
class Tally:
    """How calls ended; ``wrong`` says what was wrong."""

    ended: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    @property
    def calls(self) -> int:
        """How many calls there were."""
        return sum(self.ended.values())


class Wrong(Exception):
    """An answer that must not be."""


class Caller:
    """One client with connections of its own; ``credential`` is its ``Authorization``."""

    def __init__(self, number: int, url: str, credential: Callable[[], str], tally: Tally) -> None:
        self._number = number
        self._url = url
        self._credential = credential
        self._tally = tally
        self._chance = random.Random(number)
        self._made = 0

    async def run(self, over: asyncio.Event) -> None:
        """Call until it is ``over``."""
        deeds: list[tuple[int, Callable[[aiohttp.ClientSession], Awaitable[None]]]] = [
            (60, self._small),
            (12, self._download),
            (8, self._upload),
            (6, self._follow_events),
            (6, self._talk),
            (4, self._leave),
            (4, self._summary),
        ]
        weights, acts = [weight for weight, _ in deeds], [act for _, act in deeds]
        timeout = aiohttp.ClientTimeout(total=LONGEST)
        async with aiohttp.ClientSession(timeout=timeout) as session:
            while not over.is_set():
                act = self._chance.choices(acts, weights)[0]
                await self._judge(act, session)
                await asyncio.sleep(self._chance.random() * 0.05)

    async def _judge(
        self, act: Callable[[aiohttp.ClientSession], Awaitable[None]], session: aiohttp.ClientSession
    ) -> None:
        name = act.__name__.lstrip("_")
        try:
            await act(session)
            self._tally.ended[f"{name}: right"] += 1
        except Wrong as wrong:
            self._tally.ended[f"{name}: WRONG"] += 1
            self._tally.wrong.append(f"{name}: {wrong}")
        except Honest as honest:
            self._tally.ended[f"{name}: {honest}"] += 1
        except BROKEN as broken:
            self._tally.ended[f"{name}: broke off ({type(broken).__name__})"] += 1
        except asyncio.TimeoutError:
            self._tally.ended[f"{name}: WRONG"] += 1
            self._tally.wrong.append(f"{name}: nothing for {LONGEST:.0f} seconds")

    def _at(self, path: str) -> URL:
        return URL(f"{self._url}jupyter-oidc/{path}", encoded=True)

    def _headers(self) -> dict[str, str]:
        return {"Authorization": self._credential()}

    def _next(self) -> int:
        self._made += 1
        return self._number * 1_000_000 + self._made

    async def _small(self, session: aiohttp.ClientSession) -> None:
        what = str(self._next())
        async with session.get(self._at(f"api/orders/echo/{what}"), headers=self._headers()) as reply:
            check(reply)
            told = await reply.json()
            if told != {"what": what}:
                raise Wrong(f"{told} for {what}")

    async def _download(self, session: aiohttp.ClientSession) -> None:
        seed, size = self._next(), self._chance.choice([0, 1, 70_000, 1_000_000, 5_000_000])
        async with session.get(self._at(f"api/orders/bytes/{seed}/{size}"), headers=self._headers()) as reply:
            check(reply)
            if await reply.read() != content(seed, size):
                raise Wrong(f"another body than that of {seed}")

    async def _upload(self, session: aiohttp.ClientSession) -> None:
        seed, size = self._next(), self._chance.choice([1, 70_000, 3_000_000])
        body = content(seed, size)

        async def pieces() -> AsyncIterator[bytes]:
            for start in range(0, size, 50_000):
                yield body[start : start + 50_000]

        url = self._at("api/orders/digest")
        data = pieces() if self._chance.random() < 0.5 else body
        async with session.post(url, data=data, headers=self._headers()) as reply:
            if reply.status == 401 and reply.headers.get("X-OIDC-Retryable") == "true":
                raise Honest("401, retryable")
            check(reply)
            told = await reply.json()
            if told != {"sha256": hashlib.sha256(body).hexdigest(), "size": size}:
                raise Wrong(f"{told['size']} of {size} bytes arrived")

    async def _follow_events(self, session: aiohttp.ClientSession) -> None:
        seed = self._next()
        async with session.get(self._at(f"api/orders/events/{seed}"), headers=self._headers()) as reply:
            check(reply)
            told = (await reply.read()).decode()
            if told != "".join(f"data: {seed}-{number}\n\n" for number in range(EVENTS)):
                raise Wrong(f"{told.count('data')} of {EVENTS} events, and no sign that it broke off")

    async def _talk(self, session: aiohttp.ClientSession) -> None:
        try:
            async with session.ws_connect(self._at("api/orders/socket"), headers=self._headers()) as socket:
                for _ in range(5):
                    word = str(self._next())
                    await socket.send_str(word)
                    message = await socket.receive()
                    if message.type is not aiohttp.WSMsgType.TEXT:
                        raise Honest("the socket was closed")
                    if message.data != f"echo {word}":
                        raise Wrong(f"{message.data} for {word}")
        except aiohttp.WSServerHandshakeError as refused:
            code = refused.headers.get("X-OIDC-Error", "") if refused.headers else ""
            if (refused.status, code) not in HONEST:
                raise Wrong(f"handshake: {refused.status} {code}") from None
            raise Honest(f"{refused.status} {code}") from None

    async def _leave(self, session: aiohttp.ClientSession) -> None:
        reply = await session.get(self._at(f"api/orders/bytes/{self._next()}/5000000"), headers=self._headers())
        try:
            check(reply)
            await reply.content.readany()
        finally:
            reply.close()

    async def _summary(self, session: aiohttp.ClientSession) -> None:
        async with session.get(self._at("providers/corp/session"), headers=self._headers()) as reply:
            check(reply)
            state = (await reply.json())["state"]
            if state not in ("active", "refresh-failed"):
                raise Wrong(f"the session is {state}")


class Honest(Exception):
    """An ending that is right while something is killed."""


def check(reply: aiohttp.ClientResponse) -> None:
    """Raise :class:`Honest` or :class:`Wrong` unless ``reply`` is a success."""
    if reply.status == 200:
        return
    code = reply.headers.get("X-OIDC-Error", "")
    if (reply.status, code) not in HONEST:
        raise Wrong(f"{reply.status} {code}")
    if reply.status == 503 and not reply.headers.get("Retry-After", "").isdigit():
        raise Wrong("503 without Retry-After")
    raise Honest(f"{reply.status} {code}")
