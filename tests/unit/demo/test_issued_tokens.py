"""The record of demo-check notes what the provider issues, for this user only, and changes no reply."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jupyter_oidc.demo.issued_tokens import IssuedTokenLog, issued, read_issued_tokens

TOKENS = b'{"access_token": "at", "refresh_token": "rt", "id_token": "it", "expires_in": 20}'
JSON = [("Content-Type", "application/json")]


def application(headers: list[tuple[str, str]], body: bytes) -> Any:
    def answer(_environ: object, start_response: Callable[..., object]) -> list[bytes]:
        start_response("200 OK", headers)
        return [body[:5], body[5:]]

    return answer


def test_tokens_of_a_reply_are_noted() -> None:
    assert issued(JSON, TOKENS) == [("access_token", "at"), ("refresh_token", "rt"), ("id_token", "it")]


def test_code_in_a_redirect_is_noted() -> None:
    headers = [("Location", "http://localhost:1/callback?code=a%2Bb&state=s"), ("Content-Type", "text/html")]
    assert issued(headers, b"<p>") == [("code", "a+b")]


@pytest.mark.parametrize("body", [b"[]", b'{"error": "invalid_grant"}', b'{"access_token": 1}'])
def test_reply_without_tokens_is_not_noted(body: bytes) -> None:
    assert issued(JSON, body) == []


def test_reply_passes_unchanged(tmp_path: Path) -> None:
    started = []
    ledger = IssuedTokenLog(application(JSON, TOKENS), tmp_path / "issued-tokens")
    body = b"".join(ledger({}, lambda *given: started.append(given)))
    assert (body, started) == (TOKENS, [("200 OK", JSON)])


def test_noted_values_are_read_back_once_and_in_order(tmp_path: Path) -> None:
    ledger = IssuedTokenLog(application(JSON, TOKENS), tmp_path / "issued-tokens")
    for _ in range(2):
        ledger({}, lambda *_: None)
    assert read_issued_tokens(tmp_path / "issued-tokens") == [
        ("access_token", "at"),
        ("refresh_token", "rt"),
        ("id_token", "it"),
    ]


def test_ledger_is_readable_for_this_user_only(tmp_path: Path) -> None:
    IssuedTokenLog(application(JSON, TOKENS), tmp_path / "issued-tokens")
    # Windows has no such bits; there the temporary folder belongs to the user.
    expected = 0o600 if os.name == "posix" else 0o666
    assert stat.S_IMODE((tmp_path / "issued-tokens").stat().st_mode) == expected
