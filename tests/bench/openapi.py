"""Measures the reading of large OpenAPI documents: seconds, memory of the reading process, pauses of the event loop.

The documents are generated: 5 MB each, as JSON of version 3.0, as YAML of version 3.1, and of deep recursive schemas.
The targets are those of ADR 52: each is read within its limits, and the event loop never stands still for long.
"""

from __future__ import annotations

import asyncio
import json
import os
import resource
import sys
import time
from typing import Any, Final

import yaml

from jupyter_oidc.adapters.system.openapi_process import MAX_MEMORY_BYTES, read_document
from jupyter_oidc.catalogue.operation import ReadDocument
from jupyter_oidc.settings.api_description import MAX_DOCUMENT_BYTES

MAX_CPU_SECONDS: Final = 10.0
"""Seconds of the processor for one document, a third of the limit."""

MAX_PAUSE_MS: Final = 50.0
"""Milliseconds; on a busy machine three times the pauses that there are without any document."""

IDLE_SECONDS: Final = 3.0
TICK_SECONDS: Final = 0.001
SIZE: Final = MAX_DOCUMENT_BYTES - 50_000
BASE: Final = "https://api.example.com/v1/"


def operation(number: int, reference: str) -> dict[str, Any]:
    """Return one operation as large APIs have them."""
    schema = {"$ref": reference}
    return {
        "operationId": f"operation{number}",
        "summary": f"Operation number {number}",
        "description": "What it does, in a few words that nobody reads. " * 8,
        "tags": [f"tag{number % 40}"],
        "parameters": [
            {"name": f"p{n}", "in": "query", "required": n == 0, "schema": {"type": "string", "enum": ["a", "b"]}}
            for n in range(6)
        ],
        "requestBody": {"content": {"application/json": {"schema": schema}}},
        "responses": {"200": {"description": "It worked.", "content": {"application/json": {"schema": schema}}}},
    }


def schemas(count: int, width: int) -> dict[str, Any]:
    """Return schemas of which each refers to the next ones and to itself."""
    return {
        f"S{n}": {
            "type": "object",
            "required": ["a0", "self"],
            "properties": {
                "self": {"$ref": f"#/components/schemas/S{n}"},
                **{f"a{k}": {"$ref": f"#/components/schemas/S{(n * width + k + 1) % count}"} for k in range(width)},
                **{f"t{k}": {"type": "string", "description": "A text of a sentence or so. " * 2} for k in range(10)},
            },
        }
        for n in range(count)
    }


def document(version: str, operations: int, parts: dict[str, Any]) -> dict[str, Any]:
    """Return a document with that many operations."""
    names = list(parts)
    paths = {
        f"/things/{n}/{{id}}": {"post": operation(n, f"#/components/schemas/{names[n % len(names)]}")}
        for n in range(operations)
    }
    info = {"title": "Large", "version": "1"}
    return {"openapi": version, "info": info, "paths": paths, "components": {"schemas": parts}}


def padded(text: str) -> bytes:
    """Return ``text`` as bytes; raises ``ValueError`` if it is not about as large as a document may be."""
    content = text.encode()
    if not 0.9 * SIZE < len(content) <= MAX_DOCUMENT_BYTES:
        raise ValueError(f"{len(content):,} bytes")
    return content


def documents() -> dict[str, bytes]:
    """Return the three documents by name."""
    dump = {"Dumper": getattr(yaml, "CSafeDumper", yaml.SafeDumper), "sort_keys": False}
    return {
        "JSON 3.0": padded(json.dumps(document("3.0.3", 3_600, schemas(100, 5)))),
        "YAML 3.1": padded(yaml.dump(document("3.1.0", 2_790, schemas(100, 5)), **dump)),
        "recursive schemas": padded(json.dumps(document("3.1.0", 300, schemas(2_850, 12)))),
    }


async def longest_pause(stop: asyncio.Event) -> float:
    """Return the longest time in milliseconds that the event loop did not run, until ``stop``."""
    longest = 0.0
    while not stop.is_set():
        before = time.perf_counter()
        await asyncio.sleep(TICK_SECONDS)
        longest = max(longest, 1000 * (time.perf_counter() - before - TICK_SECONDS))
    return longest


async def idle_pause() -> float:
    """Return the longest pause of an event loop that has nothing to do."""
    stop = asyncio.Event()
    asyncio.get_running_loop().call_later(IDLE_SECONDS, stop.set)
    return await longest_pause(stop)


def children_seconds() -> float:
    """Return the processor time of all processes that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


async def measure(name: str, content: bytes) -> bool:
    """Read one document, report, and return whether it kept its targets."""
    idle, before = await idle_pause(), children_seconds()
    stop = asyncio.Event()
    watch = asyncio.ensure_future(longest_pause(stop))
    began = time.perf_counter()
    read = await read_document(content, BASE, BASE + "openapi.json", lambda found: found)
    seconds = time.perf_counter() - began
    cpu = children_seconds() - before
    stop.set()
    pause = await watch
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    if not isinstance(read, ReadDocument):
        print(f"{name}: not read: {read.fault}")
        return False
    told = f"{len(read.operations):,} operations and {read.operations_more:,} more, {len(read.problems)} problems"
    print(
        f"{name}: {len(content) / 1e6:.1f} MB in {seconds:.1f} s ({cpu:.1f} s of a processor), at most {peak / 1e6:.0f} MB "
        f"in the process so far, longest pause of the event loop {pause:.0f} ms ({idle:.0f} ms without it); {told}"
    )
    return cpu < MAX_CPU_SECONDS and pause < max(MAX_PAUSE_MS, 3 * idle) and peak < MAX_MEMORY_BYTES


async def main() -> int:
    """Measure all; 1 if one misses a target."""
    kept = [await measure(name, content) for name, content in documents().items()]
    print(
        f"targets: {MAX_CPU_SECONDS:.0f} s of a processor, {MAX_MEMORY_BYTES / 1e6:.0f} MB, {MAX_PAUSE_MS:.0f} ms ({os.cpu_count()} cores)"
    )
    return 0 if all(kept) else 1


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
