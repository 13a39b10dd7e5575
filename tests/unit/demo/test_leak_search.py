"""The search of demo-check finds every form of a secret, and no text that is none."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from jupyter_oidc.demo.leak_search import Leak, LeakSearch

TOKEN = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhZGEiLCJuIjoxfQ.c2lnbmF0dXJlLW9mLWFkYQ"
CODE = "a+code/with signs-that-need=quoting"
SEARCH = LeakSearch([("access_token", TOKEN), ("code", CODE)])


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        pytest.param(f"x{TOKEN}y".encode(), "access_token", id="whole"),
        pytest.param(b"claims: eyJzdWIiOiJhZGEiLCJuIjoxfQ", "access_token", id="claims-alone"),
        pytest.param(b"c2lnbmF0dXJlLW9mLWFkYQ", "access_token", id="signature-alone"),
        pytest.param(b"code=a%2Bcode%2Fwith%20signs-that-need%3Dquoting&state=1", "code", id="quoted"),
        pytest.param(base64.b64encode(b"Bearer " + TOKEN.encode()), "access_token", id="base64-offset-1"),
        pytest.param(base64.b64encode(b"Bearer  " + TOKEN.encode() + b"!"), "access_token", id="base64-offset-2"),
        pytest.param(base64.urlsafe_b64encode(TOKEN.encode() + b"??"), "access_token", id="base64url-offset-0"),
    ],
)
def test_every_form_of_a_secret_is_found(content: bytes, kind: str) -> None:
    assert SEARCH.in_bytes("here", content) == [Leak("here", kind)]


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"eyJhbGciOiJSUzI1NiJ9", id="header-that-all-tokens-share"),
        pytest.param(b"ada may read", id="words"),
    ],
)
def test_harmless_text_is_not_reported(content: bytes) -> None:
    assert SEARCH.in_bytes("here", content) == []


def test_trace_does_not_hold_the_secret() -> None:
    assert TOKEN not in repr(SEARCH.in_bytes("here", TOKEN.encode()))


def test_secret_in_a_file_deep_below_the_folder_is_found(tmp_path: Path) -> None:
    (tmp_path / "a" / ".b").mkdir(parents=True)
    (tmp_path / "a" / ".b" / "history.sqlite").write_bytes(b"\0" * 10 + CODE.encode())
    assert SEARCH.in_folder(tmp_path) == (1, [Leak("history.sqlite", "code")])


def test_secret_across_two_pieces_of_a_large_file_is_found(tmp_path: Path) -> None:
    (tmp_path / "large").write_bytes(b"\0" * (4 * 1024 * 1024 - 10) + CODE.encode())
    assert SEARCH.in_folder(tmp_path) == (1, [Leak("large", "code")])


def test_folder_of_the_provider_itself_is_not_entered(tmp_path: Path) -> None:
    (tmp_path / "provider").mkdir()
    (tmp_path / "provider" / "ledger").write_text(TOKEN)
    assert SEARCH.in_folder(tmp_path, without=tmp_path / "provider") == (0, [])
