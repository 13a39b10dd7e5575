"""The process that reads an OpenAPI document has no secret, and ends by its limits or with its caller."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path

import psutil
import pytest

from jupyter_oidc.adapters.system.openapi_process import Limits, read_document, read_file
from jupyter_oidc.catalogue.operation import AnswerUnusable, ReadDocument, Unreadable, read_answer
from jupyter_oidc.language import sentence
from tests.support.documents import ORDERS
from tests.support.polling import eventually

BASE = "https://api.example.com/v1/"


async def read(content: bytes, limits: Limits | None = None) -> ReadDocument | Unreadable:
    return await read_document(content, BASE, BASE + "openapi.json", lambda found: found, limits or Limits())


def readers() -> list[psutil.Process]:
    """The processes that read; one that has ended and was not waited for has no command any more, and counts."""
    return [one for one in psutil.Process().children() if any("openapi_reader" in part for part in command_of(one))]


def command_of(process: psutil.Process) -> list[str]:
    try:
        return list(process.cmdline())
    except psutil.ZombieProcess:
        return ["openapi_reader"]
    except psutil.NoSuchProcess:
        return []


async def test_a_document_is_read() -> None:
    found = await read(json.dumps(ORDERS).encode())
    assert isinstance(found, ReadDocument)
    assert [(one.method, one.path) for one in found.operations] == [
        ("GET", "/orders/{id}"),
        ("DELETE", "/orders/{id}"),
        ("POST", "/orders"),
    ]


def yaml_of_seconds() -> bytes:
    return b"openapi: 3.1.0\npaths: {}\nx-list:\n" + b"- {a: [1, 2, 3], b: text}\n" * 150_000


async def test_the_process_has_no_environment_no_folder_and_no_file_of_the_server(tmp_path: Path) -> None:
    """A secret may stand in the environment of the server (``env:NAME``)."""
    secret = tmp_path / "secret"
    secret.write_text("x", encoding="utf-8")
    with secret.open(encoding="utf-8"):
        task = asyncio.ensure_future(read(yaml_of_seconds()))
        try:
            while not readers():
                await asyncio.sleep(0.01)
            [process] = readers()
            environment, folder, files = process.environ(), process.cwd(), [one.path for one in process.open_files()]
        finally:
            await task
    assert set(environment) <= {"SYSTEMROOT", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "LC_CTYPE"}
    assert (folder, str(secret) in files) == (os.sep, False)


async def test_a_caller_that_leaves_takes_the_process_along() -> None:
    task = asyncio.ensure_future(read(yaml_of_seconds()))
    while not readers():
        await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await eventually(lambda: not readers())


@pytest.mark.parametrize(
    ("limits", "fault"),
    [
        (Limits(seconds=0.2), "it takes too long to be read"),
        (Limits(cpu_seconds=1), "it takes too much memory or time to be read"),
        (Limits(memory_bytes=96 * 1024 * 1024), "it needs too much memory to be read"),
    ],
    ids=["time", "processor", "memory"],
)
async def test_a_process_at_its_limit_ends(limits: Limits, fault: str) -> None:
    assert await read(yaml_of_seconds() * 2, limits) == Unreadable(sentence(fault))


@pytest.mark.parametrize(
    "line",
    [
        [],
        {},
        {"fault": 7},
        {"fault": "a\nb"},
        {"document": {"title": "", "version": "", "openapi": "9.0.0"}, "problems": [], "operations_more": 0},
        {"document": {"title": "", "version": "", "openapi": "3.1.0"}, "problems": [], "operations_more": -1},
        {"document": {"title": "x" * 9_999, "version": "", "openapi": "3.1.0"}, "problems": [], "operations_more": 0},
    ],
)
def test_an_answer_of_another_form_is_not_believed(line: object) -> None:
    with pytest.raises(AnswerUnusable):
        read_answer([line])


@pytest.mark.parametrize(
    "change",
    [
        {"method": "GET\n"},
        {"path": "a"},
        {"path": "/\u202e"},
        {"reply": "<script>"},
        {"tags": "x"},
        {"parameters": [{"name": "", "in": "query"}]},
        {"parameters": [{"name": "a", "in": "body"}]},
        {"parameters": [{"name": "a", "in": "query", "sample": [[0] * 600] * 2}]},
        {"parameters": [{"name": "a", "in": "query", "sample": ["\ud800"]}]},
        {"body": {"media_type": "a/b", "required": True, "sample": {"\ud800": "a"}}},
        {"body": {"media_type": "a b", "required": True}},
    ],
)
def test_an_operation_of_another_form_is_not_believed(change: dict[str, object]) -> None:
    head = {"document": {"title": "", "version": "", "openapi": "3.1.0"}, "problems": [], "operations_more": 0}
    good: dict[str, object] = {
        "method": "GET",
        "path": "/a",
        "reply": "json",
        "tags": [],
        "parameters": [],
        "body": None,
    }
    assert isinstance(read_answer([head, good]), ReadDocument)
    with pytest.raises(AnswerUnusable):
        read_answer([head, {**good, **change}])


async def test_a_pipe_a_folder_and_nothing_are_no_file(tmp_path: Path) -> None:
    """The open of a pipe would wait for its writer."""
    os.mkfifo(tmp_path / "pipe")
    for name in ("pipe", ".", "nothing", "\0"):
        with pytest.raises(OSError):
            await read_file(str(tmp_path / name) if name != "\0" else name, 10)


async def test_no_more_of_a_file_is_read_than_may_be_used(tmp_path: Path) -> None:
    (tmp_path / "large").write_bytes(b"x" * 100)
    assert await read_file(str(tmp_path / "large"), 10) == b"x" * 11
