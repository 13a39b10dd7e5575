"""Reads the memory of a page: the heaps of its scripts and workers, and everything it stores.

A heap is read through the browser's own debugging protocol. Start the browser with :data:`WHOLE_STRINGS`, since a
snapshot cuts long strings otherwise. Memory outside the heap (buffers of bytes, pictures) is not in a snapshot.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from playwright.sync_api import BrowserContext, CDPSession, Page

WHOLE_STRINGS = "--js-flags=--heap-snapshot-string-limit=1000000000"
"""A flag of the browser: a heap snapshot holds every string to its end."""

_PATIENCE = 60.0

_STORED = """async () => {
    const stored = {session: {...sessionStorage}, local: {...localStorage}, name: window.name, caches: {}, databases: {}};
    for (const key of await caches.keys()) {
        const cache = await caches.open(key);
        for (const request of await cache.keys()) {
            stored.caches[request.url] = await (await cache.match(request)).text();
        }
    }
    for (const {name} of await indexedDB.databases()) {
        const database = await new Promise((done, failed) => {
            const opening = indexedDB.open(name);
            opening.onsuccess = () => done(opening.result);
            opening.onerror = () => failed(opening.error);
        });
        const read = asked => new Promise((done, failed) => {
            asked.onsuccess = () => done(asked.result);
            asked.onerror = () => failed(asked.error);
        });
        for (const store of database.objectStoreNames) {
            const rows = database.transaction(store).objectStore(store);
            stored.databases[`${name}/${store}`] = [await read(rows.getAllKeys()), await read(rows.getAll())];
        }
        database.close();
    }
    return JSON.stringify(stored);
}"""


def heaps(page: Page) -> Iterator[tuple[str, str]]:
    """Yield the place and the heap snapshot of ``page`` and of each of its workers, after a collection of garbage."""
    session = page.context.new_cdp_session(page)
    try:
        chunks: list[str] = []
        session.on("HeapProfiler.addHeapSnapshotChunk", lambda event: chunks.append(event["chunk"]))
        session.send("HeapProfiler.takeHeapSnapshot", {"reportProgress": False})
        # NOTE: the last pieces, with the strings in them, may come in after the answer, where the machine is busy.
        yield f"the heap of {page.title()}", _whole(session, lambda: chunks, "The page did not show all of its heap.")
        yield from _heaps_of_workers(session)
    finally:
        session.detach()


def _heaps_of_workers(session: CDPSession) -> Iterator[tuple[str, str]]:
    """Yield the heaps of the workers: each is a target of its own, spoken to in messages within messages."""
    attached: list[dict[str, Any]] = []
    received: dict[str, list[dict[str, Any]]] = {}
    session.on("Target.attachedToTarget", lambda event: attached.append(event))  # noqa: PLW0108 - not a built-in
    session.on(
        "Target.receivedMessageFromTarget",
        lambda event: received.setdefault(event["sessionId"], []).append(json.loads(event["message"])),
    )
    session.send("Target.setAutoAttach", {"autoAttach": True, "waitForDebuggerOnStart": False, "flatten": False})
    for event in attached:
        if event["targetInfo"]["type"] != "worker":
            continue
        worker = event["sessionId"]
        wish = json.dumps({"id": 1, "method": "HeapProfiler.takeHeapSnapshot", "params": {}})
        session.send("Target.sendMessageToTarget", {"sessionId": worker, "message": wish})
        messages = received.setdefault(worker, [])
        snapshot = _whole(session, partial(_chunks, messages), "The worker did not show all of its heap.")
        yield f"the heap of the worker {event['targetInfo']['title']}", snapshot


def _chunks(messages: list[dict[str, Any]]) -> list[str]:
    wanted = "HeapProfiler.addHeapSnapshotChunk"
    return [message["params"]["chunk"] for message in messages if message.get("method") == wanted]


def _whole(session: CDPSession, chunks: Callable[[], list[str]], failure: str) -> str:
    """Return the snapshot once its last piece is there: the end of an object whose last member is a list of strings.

    Any question to the browser lets its messages in.
    """
    until = time.monotonic() + _PATIENCE
    while not "".join(chunks()[-2:]).rstrip().endswith("]}"):
        assert time.monotonic() < until, failure
        session.send("Target.getTargetInfo")
    return "".join(chunks())


def stores(context: BrowserContext) -> Iterator[tuple[str, str]]:
    """Yield the stored data of the open pages of ``context``, and all its cookies and storages by origin."""
    for page in context.pages:
        for frame in page.frames:
            if frame.url.startswith("http"):
                yield f"what {frame.url.partition('?')[0]} stores", frame.evaluate(_STORED)
    yield "the storages and cookies of the profile", json.dumps(context.storage_state(indexed_db=True))


def markup(context: BrowserContext) -> Iterator[tuple[str, str]]:
    """Yield the open pages as they stand, and their addresses."""
    for page in context.pages:
        yield f"the page {page.title()}", f"{page.url}\n{page.content()}"
