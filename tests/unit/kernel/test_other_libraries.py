"""Real libraries use the auth objects of this package: when a grant is old at once, each call needs a new one."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable
from typing import Any

import fsspec
import httpx
import pandas as pd
import pytest
import requests
from openai import AsyncOpenAI, DefaultAsyncHttpxClient, DefaultHttpxClient, OpenAI

import jupyter_oidc as oidc
from jupyter_oidc.kernel.server_connection import server_connection
from tests.unit.kernel.fake_server import Answer, FakeServer

ITEMS = "jupyter-oidc/api/orders/items"
CHAT = "jupyter-oidc/api/models/chat/completions"
QUESTION: dict[str, Any] = {"model": "small", "messages": [{"role": "user", "content": "Say hello."}]}
ANSWER = {
    "id": "chat-1",
    "object": "chat.completion",
    "created": 1,
    "model": "small",
    "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "Hello."}}],
}


@pytest.fixture
def fleeting(kernel: FakeServer) -> FakeServer:
    """Make a kernel whose clock goes on by a quarter of an hour each time it is read."""
    kernel.answers("GET", "jupyter-oidc/providers", {"providers": []})
    kernel.answers("GET", ITEMS, Answer(b"id,title\n1,a book\n", headers={"Content-Type": "text/csv"}))
    kernel.answers("POST", CHAT, ANSWER)
    server_connection().auth._now = itertools.count(0, 900).__next__
    return kernel


def bearers(fake_server: FakeServer, method: str = "GET", path: str = ITEMS) -> list[str | None]:
    return [got.bearer for got in fake_server.asked(method, path)]


def newest(count: int) -> Callable[[list[str | None]], bool]:
    """Return a check that the last ``count`` calls each carried a grant of their own."""
    return lambda found: len(found) == count and len(set(found)) == count and None not in found


def test_one_pair_of_headers_serves_many_calls_of_requests(fleeting: FakeServer) -> None:
    url, headers = oidc.endpoint("orders")
    for _ in range(2):
        requests.get(url + "items", headers=headers, timeout=5)
    assert newest(2)(bearers(fleeting))


def test_one_pair_of_headers_serves_many_tables_of_pandas(fleeting: FakeServer) -> None:
    url, headers = oidc.endpoint("orders")
    for _ in range(2):
        pd.read_csv(url + "items", storage_options=headers)
    assert newest(2)(bearers(fleeting))


def test_one_filesystem_of_fsspec_serves_many_reads(fleeting: FakeServer) -> None:
    """fsspec keeps its options and itself for ever: the same options get the same filesystem."""
    url, headers = oidc.endpoint("orders")
    for _ in range(2):
        fsspec.filesystem("http", headers=headers, skip_instance_cache=False).cat_file(url + "items")
    assert newest(2)(bearers(fleeting))


def test_one_client_of_openai_serves_many_calls(fleeting: FakeServer) -> None:
    models = oidc.auth("models")
    with OpenAI(
        base_url=models.base_url, api_key=models.api_key, http_client=DefaultHttpxClient(trust_env=False)
    ) as client:
        answers = [client.chat.completions.create(**QUESTION).choices[0].message.content for _ in range(2)]
    assert answers == ["Hello.", "Hello."]
    assert newest(2)(bearers(fleeting, "POST", CHAT))


def test_one_asynchronous_client_of_openai_serves_many_calls(fleeting: FakeServer) -> None:
    async def calls() -> None:
        models = oidc.auth("models")
        http = DefaultAsyncHttpxClient(trust_env=False)
        async with AsyncOpenAI(base_url=models.base_url, api_key=models.async_api_key, http_client=http) as client:
            for _ in range(2):
                await client.chat.completions.create(**QUESTION)

    asyncio.run(calls())
    assert newest(2)(bearers(fleeting, "POST", CHAT))


def test_one_client_of_httpx_serves_many_calls(fleeting: FakeServer) -> None:
    orders = oidc.auth("orders")
    with httpx.Client(auth=orders, base_url=orders.base_url, trust_env=False) as client:
        for _ in range(2):
            client.get("items")
    assert newest(2)(bearers(fleeting))


def test_headers_that_a_client_copies_stay_as_they_were(fleeting: FakeServer) -> None:
    """The documentation says this about copies; if this test fails, it may promise more."""
    url, headers = oidc.endpoint("orders")
    with httpx.Client(headers=headers, trust_env=False) as client:
        for _ in range(2):
            client.get(url + "items")
    assert len(set(bearers(fleeting))) == 1
