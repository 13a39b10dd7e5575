"""Uploads: the bytes that arrive, the progress that the cell shows, and the file afterwards."""

from __future__ import annotations

import asyncio
import io
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from jupyter_oidc.kernel.body import FileBody
from jupyter_oidc.kernel.display import progress_html
from jupyter_oidc.kernel.progress import TerminalProgressLine, UploadProgress, readable_bytes
from tests.unit.kernel.fake_server import Answer, FakeServer, refusal

PATH = "jupyter-oidc/api/orders/files/report.csv"
CONTENT = bytes(range(256)) * 1024


Upload = Callable[..., httpx.Response]


@pytest.fixture(params=["sync", "async"])
def upload(request: pytest.FixtureRequest, fake_server: FakeServer) -> Upload:
    """Upload with either client."""

    def sync_upload(*arguments: Any, **options: Any) -> httpx.Response:
        with fake_server.client() as client:
            return client.upload(*arguments, **options)

    def async_upload(*arguments: Any, **options: Any) -> httpx.Response:
        async def call() -> httpx.Response:
            async with fake_server.async_client() as client:
                return await client.upload(*arguments, **options)

        return asyncio.run(call())

    return {"sync": sync_upload, "async": async_upload}[request.param]


@pytest.fixture
def report(tmp_path: Path) -> Path:
    path = tmp_path / "report.csv"
    path.write_bytes(CONTENT)
    return path


@pytest.mark.parametrize("spelt", [str, lambda path: path], ids=["text", "path"])
def test_a_file_arrives_as_it_is(
    fake_server: FakeServer, upload: Upload, report: Path, spelt: Callable[[Path], object]
) -> None:
    fake_server.answers("PUT", PATH, Answer(b"", 201))
    assert upload("files/report.csv", spelt(report)).status_code == 201
    got = fake_server.asked("PUT", PATH)[0]
    assert (got.body, got.headers["content-length"], got.headers["content-type"]) == (CONTENT, "262144", "text/csv")


def test_the_caller_chooses_method_and_headers(fake_server: FakeServer, upload: Upload, report: Path) -> None:
    fake_server.answers("POST", PATH, [])
    upload("files/report.csv", report, method="POST", headers={"content-type": "text/plain", "If-Match": "*"})
    got = fake_server.asked("POST", PATH)[0]
    assert (got.headers["content-type"], got.headers["if-match"]) == ("text/plain", "*")


def test_a_file_without_a_telling_name_is_sent_as_bytes(fake_server: FakeServer, upload: Upload) -> None:
    fake_server.answers("PUT", PATH, [])
    upload("files/report.csv", io.BytesIO(b"x"))
    assert fake_server.asked("PUT", PATH)[0].headers["content-type"] == "application/octet-stream"


def test_an_empty_file_is_a_file(fake_server: FakeServer, upload: Upload, tmp_path: Path) -> None:
    fake_server.answers("PUT", PATH, [])
    (tmp_path / "empty").touch()
    upload("files/report.csv", tmp_path / "empty")
    assert fake_server.asked("PUT", PATH)[0].headers["content-length"] == "0"


def test_an_open_file_stays_open(fake_server: FakeServer, upload: Upload, report: Path) -> None:
    fake_server.answers("PUT", PATH, [])
    with report.open("rb") as file:
        upload("files/report.csv", file)
        assert file.closed is False


def test_what_is_no_file_of_bytes_is_refused_before_a_call(fake_server: FakeServer, upload: Upload) -> None:
    with pytest.raises(TypeError, match="a path, or a file opened for reading bytes"):
        upload("files/report.csv", io.StringIO("text"))
    assert fake_server.received == []


def test_a_file_that_is_not_there_is_told_as_python_does(
    fake_server: FakeServer, upload: Upload, tmp_path: Path
) -> None:
    with pytest.raises(FileNotFoundError):
        upload("files/report.csv", tmp_path / "absent")
    assert fake_server.received == []


@pytest.mark.parametrize(
    "first", [refusal("grant_invalid"), Answer(b"", 401, {"X-OIDC-Retryable": "true"})], ids=["grant", "token"]
)
def test_a_file_is_sent_again_from_its_beginning(
    fake_server: FakeServer, upload: Upload, report: Path, first: Answer
) -> None:
    fake_server.answers("PUT", PATH, first, [])
    assert upload("files/report.csv", report).status_code == 200
    assert [got.body == CONTENT for got in fake_server.asked("PUT", PATH)] == [True, True]


def test_a_terminal_or_log_gets_one_line_at_the_end(
    fake_server: FakeServer, upload: Upload, report: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fake_server.answers("PUT", PATH, [])
    upload("files/report.csv", report)
    said = capsys.readouterr().err
    assert (said.startswith("report.csv: sent 262.1 kB in "), said.count("\n")) == (True, 1)


def test_nothing_is_shown_to_who_wants_nothing_shown(
    fake_server: FakeServer, upload: Upload, report: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fake_server.answers("PUT", PATH, [])
    upload("files/report.csv", report, progress=False)
    assert capsys.readouterr().err == ""


# -- the meter ---------------------------------------------------------------------------------------------------


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def measured(out: io.StringIO, *, fails: bool = False) -> str:
    """Run a meter for one second that is told of a megabyte each 0.25 s; return its output."""
    clock = Clock()
    try:
        with UploadProgress("big.bin", 4_000_000, TerminalProgressLine(out), clock) as meter:
            for count in range(1, 5):
                clock.now += 0.25
                meter.sent(count * 1_000_000)
                if fails and count == 2:
                    raise TimeoutError
    except TimeoutError:
        pass
    return out.getvalue()


def test_a_terminal_has_one_line_that_is_rewritten() -> None:
    assert measured(Terminal()) == (
        "big.bin: 1.0 MB of 4.0 MB (25 %)"
        "\rbig.bin: 2.0 MB of 4.0 MB (50 %)"
        "\rbig.bin: 3.0 MB of 4.0 MB (75 %)"
        "\rbig.bin: 4.0 MB of 4.0 MB (100 %)"
        "\rbig.bin: sent 4.0 MB in 1.0 s.   \n"
    )


def test_a_log_has_one_line() -> None:
    assert measured(io.StringIO()) == "big.bin: sent 4.0 MB in 1.0 s.\n"


def test_a_transfer_that_broke_off_says_how_far_it_came() -> None:
    assert measured(io.StringIO(), fails=True) == "big.bin: stopped after 2.0 MB of 4.0 MB.\n"


def test_a_transfer_that_was_answered_early_does_not_claim_to_be_whole() -> None:
    """A server that finds a file too large says so before it has read all of it."""
    out = io.StringIO()
    with UploadProgress("f", 4_000_000, TerminalProgressLine(out), Clock()) as meter:
        meter.sent(65_536)
    assert out.getvalue() == "f: answered after 65.5 kB of 4.0 MB.\n"


def test_pictures_are_no_more_than_five_a_second() -> None:
    clock, out = Clock(), Terminal()
    with UploadProgress("f", 100, TerminalProgressLine(out), clock) as meter:
        for count in range(100):
            clock.now += 0.01
            meter.sent(count)
    assert out.getvalue().count("\r") <= 5


def test_a_bar_escapes_the_name_of_the_file() -> None:
    assert "<script" not in progress_html('"><script>x', 1, 2)


def test_a_bar_can_be_read_by_a_screen_reader() -> None:
    assert progress_html("f: half", 1, 2).count('<progress aria-label="f: half" max="2" value="1">') == 1


@pytest.mark.parametrize(
    ("size", "text"),
    [(0, "0 bytes"), (999, "999 bytes"), (1500, "1.5 kB"), (2_000_000, "2.0 MB"), (10**13, "10000.0 GB")],
)
def test_sizes_are_written_for_people(size: int, text: str) -> None:
    assert readable_bytes(size) == text


def test_a_body_tells_what_went_out_of_each_attempt() -> None:
    told: list[int] = []
    body = FileBody(io.BytesIO(b"x" * 100_000), told.append)
    assert [sum(map(len, body)), sum(map(len, body)), told] == [
        100_000,
        100_000,
        [0, 65536, 100_000, 0, 65536, 100_000],
    ]


def test_a_large_file_is_never_in_memory_as_a_whole() -> None:
    class Endless(io.BytesIO):
        """A file of a terabyte; reading more than a piece of it is a failure."""

        def seekable(self) -> bool:
            return True

        def tell(self) -> int:
            return 0

        def seek(self, offset: int, whence: int = 0, /) -> int:
            return 10**12 if whence == 2 else offset

        def read(self, size: int | None = -1, /) -> bytes:
            assert size is not None
            assert 0 < size <= 65536
            return b"x" * size

    pieces = iter(FileBody(Endless()))
    assert [len(next(pieces)) for _ in range(3)] == [65536] * 3


def test_a_busy_server_gets_the_whole_file_later(fake_server: FakeServer, upload: Upload, report: Path) -> None:
    busy = refusal("idp_unavailable", 503)
    fake_server.answers("PUT", PATH, Answer(busy.body, 503, {**busy.headers, "Retry-After": "1"}), [])
    begun = time.monotonic()
    assert isinstance(upload("files/report.csv", report), httpx.Response)
    assert (fake_server.asked("PUT", PATH)[1].body == CONTENT, time.monotonic() - begun >= 1.0) == (True, True)
