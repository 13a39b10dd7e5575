"""Every recipe of docs/how-to/call-an-api-from-any-library.md, run as it stands there, in a kernel of a real server."""

from __future__ import annotations

import json
import shutil

import pytest

from tests.interop.recipes.conftest import ServerUnderTest
from tests.interop.recipes.page import blocks, recipe
from tests.support.recipe_api import FILE, ITEMS, PACE, WORDS


def test_every_block_of_the_page_is_run_by_a_test_below() -> None:
    assert [(block.heading, block.language) for block in blocks()] == [
        ("httpx, and SDKs made of it", "python"),
        ("requests", "python"),
        ("openai", "python"),
        ("fsspec", "python"),
        ("pandas", "python"),
        ("curl", "python"),
        ("R", "r"),
        ("R", "python"),
        ("WebSockets", "python"),
    ]


@pytest.mark.parametrize("heading", ["httpx, and SDKs made of it", "requests"])
def test_the_api_is_read(server_under_test: ServerUnderTest, heading: str) -> None:
    _, shown = server_under_test.run(recipe(heading), "import json; print(json.dumps(items))")
    assert json.loads(shown) == ITEMS


def test_openai_streams_an_answer_word_by_word(server_under_test: ServerUnderTest) -> None:
    timed = """
import time
times = []
for chunk in client.chat.completions.create(model="small", messages=question, stream=True):
    times.append(time.monotonic())
print(times[-1] - times[0])
"""
    _, answer, spread = server_under_test.run(recipe("openai"), "print(answer)", timed)
    assert answer == "Hello there."
    assert float(spread) > PACE * (len(WORDS) - 1) * 0.7, "the words arrived as they were said"
    assert server_under_test.api.asked[0]["messages"] == [{"role": "user", "content": "Say hello."}]


def test_asynchronous_openai_works_as_the_page_says(server_under_test: ServerUnderTest) -> None:
    code = """
from openai import AsyncOpenAI, DefaultAsyncHttpxClient
later = AsyncOpenAI(
    base_url=models.base_url, api_key=models.async_api_key, http_client=DefaultAsyncHttpxClient(trust_env=False)
)
reply = await later.chat.completions.create(model="small", messages=question)
print(reply.choices[0].message.content)
"""
    assert server_under_test.run(recipe("openai"), code)[1] == "Hello."


def test_fsspec_reads_a_piece_of_a_large_file_and_fetches_no_more_than_its_blocks(
    server_under_test: ServerUnderTest,
) -> None:
    _, piece = server_under_test.run(recipe("fsspec"), "print(piece.hex())")
    assert bytes.fromhex(piece) == FILE[1_000_000:1_000_016]
    assert any(asked is not None and asked.startswith("bytes=1000000-") for _, _, asked in server_under_test.api.seen)
    assert 0 < server_under_test.api.sent < 300_000 < len(FILE)


def test_pandas_reads_a_table(server_under_test: ServerUnderTest) -> None:
    _, shown = server_under_test.run(recipe("pandas"), "print(orders.to_dict('list'))")
    assert shown == "{'id': [1, 2], 'title': ['a book', 'a lamp'], 'price': [12.5, 40.0]}"


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_curl_reads_the_api(server_under_test: ServerUnderTest) -> None:
    _, shown = server_under_test.run(recipe("curl"), "print(answer)")
    assert json.loads(shown) == ITEMS


@pytest.mark.skipif(shutil.which("Rscript") is None, reason="R is not installed")
def test_r_reads_the_api(server_under_test: ServerUnderTest) -> None:
    (server_under_test.process.work / "orders.R").write_text(recipe("R", "r"), encoding="utf-8")
    _, shown = server_under_test.run(recipe("R"), "print(answer)")
    assert json.loads(shown) == ITEMS


def test_a_websocket_is_opened(server_under_test: ServerUnderTest) -> None:
    _, shown = server_under_test.run(recipe("WebSockets"), "print(first)")
    assert shown == "order 1"


def test_an_upload_of_a_large_file_arrives_whole_and_says_so(server_under_test: ServerUnderTest) -> None:
    """docs/how-to/use-from-a-notebook.md, "Upload a file"."""
    shown = server_under_test.run(
        "import pathlib, jupyter_oidc as oidc\n"
        "pathlib.Path('report.bin').write_bytes(bytes(range(256)) * 80_000)\n"
        "print(oidc.api('orders').upload('files/report.bin', 'report.bin').status_code)"
    )[0]
    assert server_under_test.api.uploads["report.bin"] == bytes(range(256)) * 80_000
    assert ("201" in shown, "report.bin: sent 20.5 MB in " in shown) == (True, True)
