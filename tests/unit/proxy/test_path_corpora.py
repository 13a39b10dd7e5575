"""The corpora of paths against the one function that makes a URL of a path (C1, C2)."""

from __future__ import annotations

import pytest

from jupyter_oidc.errors import Problem
from jupyter_oidc.proxy.target import upstream_url
from jupyter_oidc.settings import Api
from tests.support.paths import CATEGORIES, HONEST, HOSTILE, hostile

API = Api("orders", "corp", "https://api.example.com/v1/")
NARROW = Api("orders", "corp", "https://api.example.com/v1/", path_prefixes=("/items/",))


def refusal(api: Api, path: str) -> str | None:
    try:
        upstream_url(api, path, "")
    except Problem as problem:
        return problem.code
    return None


def test_the_corpora_are_large_and_without_doubles() -> None:
    assert (len(HOSTILE) >= 500, len(HONEST) >= 60) == (True, True)
    assert (len({path.raw for path in HOSTILE}), len(set(HONEST))) == (len(HOSTILE), len(HONEST))


@pytest.mark.parametrize("category", CATEGORIES)
def test_a_hostile_path_is_refused(category: str) -> None:
    """C1, C2."""
    assert [path.raw for path in hostile(category) if refusal(API, path.text) != "bad_path"] == []


@pytest.mark.parametrize("category", CATEGORIES)
def test_a_hostile_path_behind_an_open_prefix_is_refused(category: str) -> None:
    """C1: a prefix that the path begins with opens nothing beside it."""
    passed = [path.raw for path in hostile(category) if refusal(NARROW, f"items/{path.text}") is None]
    assert [raw for raw in passed if not raw.startswith((b"@", b"%40", b"%2540"))] == [], "'@' is fine in the middle"


@pytest.mark.parametrize("path", HONEST)
def test_an_honest_path_passes_byte_for_byte(path: str) -> None:
    assert upstream_url(API, path, "") == f"https://api.example.com/v1/{path}"
