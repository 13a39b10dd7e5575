"""The corpora of paths run against the one function that makes a URL of a path (C1, C2)."""

from __future__ import annotations

from dataclasses import replace
from typing import get_args

import pytest

from jupyter_oidc.problems import Problem
from jupyter_oidc.proxy.target import upstream_url
from jupyter_oidc.settings import Api
from jupyter_oidc.settings.model import PathData
from tests.support.paths import CATEGORIES, HONEST, HOSTILE, NAMES, NamePath, hostile
from tests.unit.proxy.anything import place_of, readings

EVERYTHING = frozenset(get_args(PathData))
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
    """C1: A path leads to one place however read. C2: A path cannot name another host."""
    assert [path.raw for path in hostile(category) if refusal(API, path.text) != "bad_path"] == []


@pytest.mark.parametrize("category", CATEGORIES)
def test_a_hostile_path_behind_an_open_prefix_is_refused(category: str) -> None:
    """C1: an open prefix at the beginning of the path opens nothing beside it."""
    passed = [path.raw for path in hostile(category) if refusal(NARROW, f"items/{path.text}") is None]
    assert [raw for raw in passed if not raw.startswith((b"@", b"%40", b"%2540"))] == [], "'@' is fine in the middle"


@pytest.mark.parametrize("path", HONEST)
def test_an_honest_path_passes_byte_for_byte(path: str) -> None:
    assert upstream_url(API, path, "") == f"https://api.example.com/v1/{path}"


@pytest.mark.parametrize("name", NAMES, ids=lambda name: name.path)
def test_a_name_passes_byte_for_byte_where_it_is_data(name: NamePath) -> None:
    """Q3.1: the names are those of GitLab, OCI, npm, Artifactory, OData and S3."""
    api = replace(API, path_data=name.data)
    assert upstream_url(api, name.path, "") == f"https://api.example.com/v1/{name.path}"


@pytest.mark.parametrize("name", NAMES, ids=lambda name: name.path)
def test_a_name_is_refused_where_one_of_its_forms_is_no_data(name: NamePath) -> None:
    """Q3.1, C1: a path is refused unless the settings name every form that it uses."""
    refused = [refusal(replace(API, path_data=EVERYTHING - {form}), name.path) for form in name.data]
    assert refused == ["bad_path"] * len(name.data)


_MAY_BE_DATA = ("encoded-separators", "empty-segments", "double-slashes", "userinfo-tricks", "broken-escapes")


@pytest.mark.parametrize(
    "category", [category for category in CATEGORIES if category not in (*_MAY_BE_DATA, "scheme-tricks")]
)
def test_a_hostile_path_is_refused_even_where_everything_is_data(category: str) -> None:
    """Q3.1, C1: no setting admits dots, controls, look-alikes, or bytes that are not text."""
    api = replace(API, path_data=EVERYTHING)
    assert [path.raw for path in hostile(category) if refusal(api, path.text) != "bad_path"] == []


@pytest.mark.parametrize("category", [*_MAY_BE_DATA, "scheme-tricks"])
def test_what_data_may_hold_stays_where_it_may_go_under_every_reading(category: str) -> None:
    """Q3.1: the prefix holds with the data kept and with the data decoded."""
    api = replace(NARROW, path_data=EVERYTHING)
    paths = [f"items/{path.text}" for path in hostile(category)]
    urls = [upstream_url(api, path, "") for path in paths if refusal(api, path) is None]
    places = {place_of(reading, ("/v1/items/",)) for url in urls for reading in readings(url)}
    assert (len(urls) > 0, places) == (True, {("https", "api.example.com", None, True)})


@pytest.mark.parametrize(
    "path",
    [
        "items%2F7",
        "items%5C7",
        "items%252F7",
        "items2%2F7",
        "other%2F..%2Fitems",
        "other%2Fitems/7",
        "%2Fitems/7",
        "%69tems/7",
    ],
)
def test_data_cannot_stand_in_for_a_part_of_a_prefix(path: str) -> None:
    """Q3.1: a path that is open under one reading only is refused."""
    assert refusal(replace(NARROW, path_data=EVERYTHING), path) in ("route_forbidden", "bad_path")


@pytest.mark.parametrize(
    "path",
    [
        "items/%2F..%2Fadmin",
        "items/a%5C..%5C..%5Cb",
        "items/..%252Fadmin",
        "items/a%25u002f..",
        "items/%25c0%25ae%25c0%25ae/x",
        "items/a%2F..;x/b",
    ],
)
def test_data_cannot_climb(path: str) -> None:
    """Q3.1: An API names the characters that are data."""
    assert refusal(replace(NARROW, path_data=EVERYTHING), path) == "bad_path"


@pytest.mark.parametrize(
    "path",
    [
        "https://evil.example/x",
        "http:%2F%2Fevil.example",
        "https:%5C%5Cevil.example",
        "//evil.example",
        "%2F%2Fevil.example",
    ],
)
def test_an_address_is_no_data(path: str) -> None:
    """Q3.1: An API names the characters that are data. C2: A path cannot name another host."""
    assert refusal(replace(API, path_data=EVERYTHING), path) == "bad_path"
