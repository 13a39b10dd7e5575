"""Knows the operations of each API: fetches its OpenAPI document, lets it be read, and keeps the result for a while.

A document at a path of the API comes through the proxy, with the token and in the name of its caller; one at another
address is fetched without any token; one in a file is read like other files that the settings name (ADR 52).
Callers that ask at once share one fetch. What was read with a session's token is forgotten with that session.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Literal, Protocol

from jupyter_oidc.catalogue.cell import path_with
from jupyter_oidc.catalogue.operation import Operation, ReadDocument, Unreadable
from jupyter_oidc.facts import facts
from jupyter_oidc.language import N_, Sentence, sentence
from jupyter_oidc.problems import (
    BadPath,
    CallerForbidden,
    NoOperations,
    NotSignedIn,
    OpenapiInvalid,
    Problem,
    RouteForbidden,
)
from jupyter_oidc.proxy.path import check_path
from jupyter_oidc.proxy.request import Person, ProxyRequest
from jupyter_oidc.sessions.shared_fetch import ClosableWaits, SharedFetch
from jupyter_oidc.settings.api_description import FILE_PREFIX, MAX_DOCUMENT_BYTES

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from jupyter_oidc.clock import Clock
    from jupyter_oidc.proxy.ports import Caller
    from jupyter_oidc.proxy.service import ProxyService, SessionBound
    from jupyter_oidc.settings import Api

KEEP_SECONDS: Final = 600.0
"""Seconds for which a document that was read is kept."""

KEEP_FAULT_SECONDS: Final = 10.0
"""Seconds for which a document that cannot be read is left alone."""

FETCH_TIMEOUT_SECONDS: Final = 60.0
"""Seconds for the fetch of a document; the process that reads it has a limit of its own."""

MAX_READERS: Final = 2
"""Documents that are read at once, each by a process of its own."""

MAX_KEPT_OPERATIONS: Final = 20_000
"""Operations that are kept of all APIs together; beyond that the oldest documents are forgotten."""

ACCEPT: Final = (
    "application/vnd.oai.openapi+json, application/vnd.oai.openapi, application/json, application/yaml, */*;q=0.5"
)
_HEADERS: Final = [("Accept", ACCEPT), ("Accept-Encoding", "identity")]
_SAMPLE_SEGMENT: Final = "x"


@dataclass(frozen=True, slots=True)
class Listing:
    """The operations of ``api``, each with the obstacle for the visitor that asked."""

    api: str
    document: ReadDocument


class FetchedDocument(Protocol):
    """The reply to the fetch of a document: its head, with the body still to be read."""

    @property
    def status(self) -> int:
        """The HTTP status."""
        ...

    @property
    def headers(self) -> list[tuple[str, str]]:
        """The headers as received."""
        ...

    def whole(self) -> bytes | None:
        """Take the body if all of it is there; else ``None``."""
        ...

    def chunks(self) -> AsyncIterator[bytes]:
        """Yield the body."""
        ...


class Record(Protocol):
    """The record of a call through the proxy; ``person`` is that of the token which it carried."""

    sent_bytes: int
    person: Person | None

    def fail(self, status: int, problem: Problem | None, request_id: str = "") -> None:
        """Log and count that the call ended in ``problem``."""
        ...

    def write(self, status: int, outcome: str) -> None:
        """Add the call to the counters and the audit trail."""
        ...


@dataclass(frozen=True, slots=True)
class Visitor:
    """The caller of the catalogue, in whose name a document is fetched; ``begin_record`` begins the record of that call.

    It gets the API's name.
    """

    caller: Caller
    begin_record: Callable[[str], Record]


class DocumentPorts(Protocol):
    """The outside of the catalogue: other hosts, files, and the process that reads."""

    def fetch(self, api: Api, url: str, read: Callable[[FetchedDocument], Awaitable[bytes]]) -> Awaitable[bytes]:
        """Fetch ``url`` by the network settings of ``api`` and without any secret; return what ``read`` makes of the reply."""
        ...

    def read_file(self, path: str, max_bytes: int) -> Awaitable[bytes]:
        """Return the content of a file, one byte more than ``max_bytes`` at most; raises ``OSError``."""
        ...

    def read_document(
        self, content: bytes, base_url: str, document_url: str, finish: Callable[[ReadDocument], ReadDocument]
    ) -> Awaitable[ReadDocument | Unreadable]:
        """Let a process read a document; ``finish`` completes the result outside of the event loop."""
        ...


@dataclass(frozen=True, slots=True)
class _Kept:
    """What is known of one document, for these settings and this session until ``expires_at`` (monotonic seconds)."""

    api: Api
    session: SessionBound | None
    expires_at: float
    result: ReadDocument | OpenapiInvalid


class Catalogue:
    """The operations of all APIs; ``proxy`` knows the settings in force."""

    def __init__(self, proxy: ProxyService, ports: DocumentPorts, clock: Clock) -> None:
        self._proxy = proxy
        self._ports = ports
        self._clock = clock
        self._kept: dict[str, _Kept] = {}
        self._fetches: dict[str, SharedFetch[_Kept]] = {}
        self._waits = ClosableWaits()
        self._readers = asyncio.Semaphore(MAX_READERS)

    async def operations(self, name: str, visitor: Visitor) -> Listing:
        """Return the operations of the API ``name``.

        Raises ``UnknownApi``, ``NoOperations``, ``OpenapiInvalid``, and the problem of a call to the API.
        """
        kept = await self._document(name, visitor)
        if isinstance(kept.result, OpenapiInvalid):
            known = kept.result
            raise OpenapiInvalid(known.message, action=known.action, detail=known.detail, params=known.params)
        if visitor.caller in kept.api.callers:
            return Listing(name, kept.result)
        closed = tuple(replace(one, obstacle=one.obstacle or "caller") for one in kept.result.operations)
        return Listing(name, replace(kept.result, operations=closed))

    async def operation(self, name: str, method: str, path: str, visitor: Visitor) -> Operation:
        """Return the operation with this ``method`` and ``path`` as the list has them; raises ``NoOperations`` for none."""
        listing = await self.operations(name, visitor)
        for one in listing.document.operations:
            if (one.method, one.path) == (method, path):
                return one
        raise NoOperations(
            N_("The OpenAPI document of this API has no such operation."),
            action=N_("Take method and path from the list of operations."),
            detail="operations.unknown",
            params=facts(api=name, method=method),
        )

    async def aclose(self) -> None:
        """End the fetches that are under way, and forget everything."""
        self._waits.close()
        for fetch in self._fetches.values():
            fetch.cancel()
        for name in list(self._kept):
            self._drop(name)

    async def _document(self, name: str, visitor: Visitor) -> _Kept:
        api = self._proxy.route(name).api
        if api.openapi is None:
            raise NoOperations(params=facts(api=name))
        if _place_of(api.openapi) == "api" and visitor.caller not in api.callers:
            raise CallerForbidden(params=facts(api=name, caller=visitor.caller, callers=api.callers))
        self._forget_old()
        kept = self._kept.get(name)
        for _ in range(2):
            if kept is not None and self._is_good(kept, self._proxy.route(name).api):
                return kept
            fetch = self._fetches.setdefault(name, SharedFetch())
            kept = await self._waits.result_of(lambda: fetch.join(lambda: self._fetch(name, visitor)))  # noqa: B023
        if kept is None or not self._is_good(kept, self._proxy.route(name).api):
            raise NotSignedIn  # the session or the settings change faster than the document can be read
        return kept

    def _is_good(self, kept: _Kept, api: Api) -> bool:
        over = kept.session is not None and kept.session.is_over
        return kept.api == api and not over and self._clock.now().monotonic < kept.expires_at

    def _forget_old(self) -> None:
        now = self._clock.now().monotonic
        for name, kept in list(self._kept.items()):
            if now >= kept.expires_at or (kept.session is not None and kept.session.is_over):
                self._drop(name)

    def _keep(self, name: str, kept: _Kept) -> None:
        self._drop(name)
        self._kept[name] = kept
        while len(self._kept) > 1 and sum(map(_size_of, self._kept.values())) > MAX_KEPT_OPERATIONS:
            self._drop(next(iter(self._kept)))
        if kept.session is not None:
            kept.session.on_session_end(lambda: self._forget(name, kept))

    def _forget(self, name: str, kept: _Kept) -> None:
        if self._kept.get(name) is kept:
            self._drop(name)

    def _drop(self, name: str) -> None:
        kept = self._kept.pop(name, None)
        if kept is not None and kept.session is not None:
            kept.session.stop_watching()  # the watcher would hold a document that nothing asks for any more

    async def _fetch(self, name: str, visitor: Visitor) -> _Kept:
        api = self._proxy.route(name).api
        session: SessionBound | None = None
        result: ReadDocument | OpenapiInvalid
        try:
            content, session = await asyncio.wait_for(self._content(api, visitor), FETCH_TIMEOUT_SECONDS)
            result = await self._read(api, content)
            seconds = KEEP_SECONDS
        except asyncio.TimeoutError:
            result, seconds = (
                _invalid(api, sentence("it did not arrive within a minute"), "openapi.slow"),
                KEEP_FAULT_SECONDS,
            )
        except OpenapiInvalid as problem:
            result, seconds = problem.with_traceback(None), KEEP_FAULT_SECONDS
        kept = _Kept(api, session, self._clock.now().monotonic + seconds, result)
        self._keep(name, kept)
        return kept

    async def _read(self, api: Api, content: bytes) -> ReadDocument:
        if len(content) > MAX_DOCUMENT_BYTES:
            raise _invalid(api, sentence("it is larger than 5 MB"), "openapi.size")
        async with self._readers:
            read = await self._ports.read_document(
                content, api.base_url, _address_of(api), lambda found: _with_obstacles(api, found)
            )
        if isinstance(read, Unreadable):
            raise _invalid(api, read.fault, "openapi.content")
        return read

    async def _content(self, api: Api, visitor: Visitor) -> tuple[bytes, SessionBound | None]:
        reference = api.openapi or ""
        match _place_of(reference):
            case "api":
                return await self._through_proxy(api, visitor)
            case "file":
                try:
                    path = reference.removeprefix(FILE_PREFIX)
                    return await self._ports.read_file(path, MAX_DOCUMENT_BYTES), None
                except OSError:
                    fault = sentence("the file that the settings name is not there, or is no file that can be read")
                    raise _invalid(api, fault, "openapi.file") from None
        return await self._ports.fetch(api, reference, lambda reply: _body_of(api, reply)), None

    async def _through_proxy(self, api: Api, visitor: Visitor) -> tuple[bytes, SessionBound | None]:
        record = visitor.begin_record(api.name)
        record.person = person = Person()
        path, _, query = (api.openapi or "").removeprefix("/").partition("?")
        request = ProxyRequest(api.name, "GET", path, query, list(_HEADERS), visitor.caller, "/", person=person)
        try:
            answer = await self._proxy.open_document(request)
        except Problem as problem:
            record.fail(problem.status, problem)
            record.write(problem.status, "refused")
            raise
        try:
            content = await _body_of(api, _Answered(answer.status, answer.upstream))
            record.sent_bytes = len(content)
        finally:
            answer.close()
            record.write(answer.status, f"{answer.status // 100}xx")
        return content, answer.session_bound()


class _Answered:
    """An answer of the proxy as a fetched document: its headers as received."""

    def __init__(self, status: int, upstream: FetchedDocument) -> None:
        self.status = status
        self._upstream = upstream

    @property
    def headers(self) -> list[tuple[str, str]]:
        return self._upstream.headers

    def whole(self) -> bytes | None:
        return self._upstream.whole()

    def chunks(self) -> AsyncIterator[bytes]:
        return self._upstream.chunks()


async def _body_of(api: Api, reply: FetchedDocument) -> bytes:
    """Return the body of ``reply``; raises ``OpenapiInvalid`` if it is none of success, or too large."""
    if 300 <= reply.status < 400:
        raise _invalid(
            api,
            sentence("the answer is a redirect ({status}), which is not followed", status=reply.status),
            "openapi.redirect",
        )
    if reply.status != 200:
        raise _invalid(
            api, sentence("the answer has the status {status}", status=reply.status), f"openapi.status_{reply.status}"
        )
    encodings = {value.strip().lower() for name, value in reply.headers if name.lower() == "content-encoding"}
    if encodings - {"identity", ""}:
        raise _invalid(api, sentence("it is sent compressed, although it was asked for plain"), "openapi.encoding")
    content = reply.whole()
    if content is not None:
        return content
    pieces, size = [], 0
    async for piece in reply.chunks():
        size += len(piece)
        if size > MAX_DOCUMENT_BYTES:
            raise _invalid(api, sentence("it is larger than 5 MB"), "openapi.size")
        pieces.append(piece)
    return b"".join(pieces)


def _place_of(reference: str) -> Literal["api", "file", "elsewhere"]:
    if reference.startswith("/"):
        return "api"
    return "file" if reference.startswith(FILE_PREFIX) else "elsewhere"


def _address_of(api: Api) -> str:
    """Return the address of the document, to which the addresses of its servers are relative."""
    reference = api.openapi or ""
    match _place_of(reference):
        case "api":
            return api.base_url + reference.removeprefix("/")
        case "file":
            return api.base_url
    return reference


def _invalid(api: Api, fault: Sentence, detail: str) -> OpenapiInvalid:
    message = sentence("The OpenAPI document of '{api}' cannot be read: {fault}.", api=api.name, fault=fault)
    return OpenapiInvalid(message, detail=detail, params=facts(api=api.name))


def _with_obstacles(api: Api, document: ReadDocument) -> ReadDocument:
    """Return ``document`` with the obstacle of each operation that the settings do not open."""
    return replace(document, operations=tuple(_with_obstacle(api, one) for one in document.operations))


def _with_obstacle(api: Api, operation: Operation) -> Operation:
    if operation.method not in api.methods or operation.method == "OPTIONS":
        return replace(operation, obstacle="method")  # NOTE: Jupyter answers OPTIONS itself
    try:
        check_path(_example_path(operation), api.path_prefixes, api.path_data)
    except (BadPath, RouteForbidden):
        return replace(operation, obstacle="path")
    return operation


def _example_path(operation: Operation) -> str:
    """Return the path as a call would have it, with a plain value in the place of each parameter."""
    return path_with(operation, lambda _: _SAMPLE_SEGMENT)


def _size_of(kept: _Kept) -> int:
    return len(kept.result.operations) if isinstance(kept.result, ReadDocument) else 0
