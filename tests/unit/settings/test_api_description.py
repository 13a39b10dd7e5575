"""The keys that describe an API: what is taken, and the sentence for what is not."""

from __future__ import annotations

from typing import Any

import pytest

from jupyter_oidc.settings import Settings, read_settings

LINE = "https://docs.example.com/x?y=1#z"


def read(*, loopback: object = False, **api: Any) -> Any:
    """The API with these keys, or its findings as pairs of the key's end and the problem."""
    apis = {"orders": {"base_url": "https://api.example.com/v1/", **api}}
    body = {"issuer": "https://id.example.com", "client_id": "jupyter", "apis": apis}
    found = read_settings({"corp": {**body, "allow_insecure_loopback": loopback}})
    if isinstance(found, Settings):
        return found.providers[0].apis[0]
    return [(one.key.rpartition(".")[2], one.problem) for one in found]


def test_an_api_without_them_has_none() -> None:
    api = read()
    assert (api.title, api.description, api.example, api.docs_url, api.openapi) == (None,) * 5


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("title", "Bestellungen <live> {eu}"),
        ("title", "x" * 80),
        ("description", "y" * 500),
        ("example", "items?limit=5&tag=a%2Fb"),
        ("example", "items/a@b:c"),
        ("docs_url", LINE),
        ("openapi", "/openapi.json"),
        ("openapi", "/v3/api-docs?group=x"),
        ("openapi", "https://docs.example.com/openapi.yaml?x=1"),
        ("openapi", "file:~/openapi.yaml"),
    ],
)
def test_a_good_value_is_taken_as_it_is(key: str, value: str) -> None:
    assert getattr(read(**{key: value}), key) == value


@pytest.mark.parametrize(
    ("key", "value", "problem"),
    [
        ("title", "x" * 81, "is too long"),
        ("description", "x" * 501, "is too long"),
        ("title", " ", "is not a printable, non-empty text"),
        ("title", "a\nb", "is not a printable, non-empty text"),
        ("description", "\u202eevil", "is not a printable, non-empty text"),
        ("title", 7, "is not a printable, non-empty text"),
        ("example", "/items", "is not a plain path below base_url"),
        ("example", "https://evil.example.com/", "is not a plain path below base_url"),
        ("example", "../admin", "is not a plain path below base_url"),
        ("example", "a/%2e%2e/b", "is not a plain path below base_url"),
        ("example", "a//b", "is not a plain path below base_url"),
        ("example", "a b", "is not a plain path below base_url"),
        ("example", "a#b", "is not a plain path below base_url"),
        ("example", "", "is not a plain path below base_url"),
        ("docs_url", "http://docs.example.com/", "is not an https address"),
        ("docs_url", "javascript:alert(1)", "is not an https address"),
        ("docs_url", "https://user:pass@docs.example.com/", "is not an https address"),
        ("docs_url", "https://docs.example.com/<script>", "is not an https address"),
        ("docs_url", "https://docs.example.com:0/", "is not an https address"),
        ("openapi", "openapi.json", "does not say where a document is"),
        ("openapi", "/", "does not say where a document is"),
        ("openapi", "//evil.example.com/x", "does not say where a document is"),
        ("openapi", "/a/../admin", "does not say where a document is"),
        ("openapi", "http://docs.example.com/x", "does not say where a document is"),
        ("openapi", "http://127.0.0.1/x", "does not say where a document is"),
        ("openapi", "https://docs.example.com/x#y", "does not say where a document is"),
        ("openapi", "file:", "does not say where a document is"),
        ("openapi", "keyring:a/b", "does not say where a document is"),
        ("openapi", ["/x"], "does not say where a document is"),
    ],
)
def test_a_bad_value_is_named(key: str, value: Any, problem: str) -> None:
    assert read(**{key: value}) == [(key, problem)]


def test_an_example_must_be_open() -> None:
    assert read(example="items?limit=5", path_prefixes=["/items/"]).example == "items?limit=5"
    assert read(example="other", path_prefixes=["/items"]) == [
        ("example", "is a path that the path_prefixes do not open")
    ]


def test_plain_http_is_for_loopback_and_developers() -> None:
    api = read(loopback=True, docs_url="http://127.0.0.1:7/docs", openapi="http://localhost:7/x.json")
    assert (api.docs_url, api.openapi) == ("http://127.0.0.1:7/docs", "http://localhost:7/x.json")
