"""The search for secrets in a browser finds them in every spelling, and reports no other text."""

from __future__ import annotations

import base64
import random
import string
from urllib.parse import quote

import pytest

from tests.support.leak_search import SHORTEST, Found, LeakSearch

TOKEN = "k3Jx9_QpZ-vT0aLmN4sWcE7yRbUdFgHiO2j1K5o6P8q"
JWT = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ1c2VyMSJ9Q29sZG1v.c2lnbmF0dXJlLW9mLWEtand0LXRoYXQtaXMtbG9uZw"
NOISE = "".join(random.Random(1).choices(string.ascii_letters + string.digits + '"\\,{}', k=50_000))

SPELLINGS = {
    "raw": TOKEN,
    "inside a word": f"prefix{TOKEN}suffix",
    "after an escape of JSON": rf'"line\n{TOKEN}\n"',
    "percent-encoded in a URL": quote(f"?token={TOKEN}&x=/", safe=""),
    "base64": base64.b64encode(TOKEN.encode()).decode(),
    "base64 after one byte": base64.b64encode(b"a" + TOKEN.encode()).decode(),
    "base64 after two bytes": base64.urlsafe_b64encode(b"ab" + TOKEN.encode() + b"?>").decode(),
    "hexadecimal": TOKEN.encode().hex(),
    "first half": TOKEN[:21],
    "second half": TOKEN[21:],
    "a piece": f"x{TOKEN[7 : 7 + SHORTEST]}",
    "deep in a long text": NOISE + TOKEN + NOISE,
}


@pytest.mark.parametrize("text", SPELLINGS.values(), ids=list(SPELLINGS))
def test_a_secret_is_found_however_it_is_written(text: str) -> None:
    search = LeakSearch([("access_token", TOKEN)])
    assert search.look("here", text) == {Found("here", "access_token")}
    assert search.look("here", text.encode()) == {Found("here", "access_token")}


def test_a_text_without_the_secret_is_clean() -> None:
    search = LeakSearch([("access_token", TOKEN)])
    assert search.look("here", NOISE + TOKEN[:9] + " " + TOKEN[9:18] + TOKEN[::-1]) == set()


def test_the_head_of_a_jwt_is_no_secret_but_its_claims_and_its_signature_are() -> None:
    search = LeakSearch([("id_token", JWT)])
    head, claims, signature = JWT.split(".")
    assert search.look("here", head) == set()
    assert search.look("here", claims) == {Found("here", "id_token")}
    assert search.look("here", signature) == {Found("here", "id_token")}
