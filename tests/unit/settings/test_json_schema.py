"""The JSON Schema for editors: it is current, knows every example, and never marks what the reader takes (ADR 44)."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from jsonschema import Draft202012Validator

from jupyter_oidc.settings import read_settings
from jupyter_oidc.settings.fields import Setting
from jupyter_oidc.settings.json_schema import SCHEMA_FILE, settings_schema
from jupyter_oidc.settings.model import API_SETTINGS, PROVIDER_SETTINGS
from jupyter_oidc.settings.presets import names, preset
from jupyter_oidc.settings.writing import as_mapping, camel_cased
from tests.laws.source import ROOT
from tests.unit.settings.test_broken_settings import CORPUS
from tests.unit.settings.test_writing import PROOFS, PROVIDERS

SCHEMA = settings_schema()
VALIDATOR = Draft202012Validator(SCHEMA)
PROGRAM = re.compile(r"^c\.JupyterOIDC\.providers = (\{.*?^\})", re.MULTILINE | re.DOTALL)
BLOCK = re.compile(r"^```json\n(.*?)^```", re.MULTILINE | re.DOTALL)
PROBES: tuple[Any, ...] = (
    *(None, True, False, 0, 1, 7, -1, 0.5, 20, 61, 301, 1024, 5000, 10**7, 2**54, "", " ", "a", "a b", "none", "auto"),
    *(
        "GET",
        "%2f",
        "openid",
        "https://a.example/",
        "HTTPS://a.example/",
        "http://127.0.0.1/callback",
        "env:A",
        "env:",
        "x:y",
    ),
    *(
        [],
        ["a"],
        ["GET"],
        ["get"],
        ["%2f"],
        ["%2F"],
        ["browser"],
        ["openid"],
        [""],
        [1],
        [["a", "b"]],
        [[]],
        ["a"] * 21,
    ),
    *(
        {},
        {"a": 1},
        {"a": "b"},
        {"a": "env:B"},
        {"a": {}},
        {"tokenEndpoint": "https://a.example/"},
        {"token_endpoint": None},
    ),
    *(
        "fapi2",
        "keycloak",
        "RS256",
        "HS256",
        "off",
        "link",
        "login",
        "consent",
        "device",
        "form_post",
        "id_token",
        "never",
    ),
    *("client_secret_jwt", "keyring:a/b", "file:/a", "http://proxy.example:3128", "logout_uri", 2**31 + 1),
)
"""Values that some key takes and most do not."""


def marks(document: Any) -> list[str]:
    """The paths of what an editor would mark in ``document``."""
    return [one.json_path for one in VALIDATOR.iter_errors(document)]


def section(body: dict[str, Any]) -> dict[str, Any]:
    return {"JupyterOIDC": {"providers": {"corp": body}}}


def documented() -> Iterator[tuple[str, Any]]:
    """Every settings file in the configuration and the documentation, with the place where it stands."""
    files = [*(ROOT / "config").rglob("*.json"), *(ROOT / "docs").rglob("*.json"), *(ROOT / "binder").rglob("*.json")]
    texts = [(path, path.read_text(encoding="utf-8")) for path in files]
    for page in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]:
        texts += [(page, block) for block in BLOCK.findall(page.read_text(encoding="utf-8"))]
        for assigned in PROGRAM.findall(page.read_text(encoding="utf-8")):
            yield page.name, {"JupyterOIDC": {"providers": ast.literal_eval(assigned)}}
    for path, text in texts:
        if '"JupyterOIDC"' in text:
            yield path.name, json.loads(text)


DOCUMENTED = list(documented())


def test_the_file_is_what_the_table_says() -> None:
    assert json.loads(SCHEMA_FILE.read_text(encoding="utf-8")) == SCHEMA, "run: python -m tests.configuration --write"


def test_it_is_a_schema() -> None:
    Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("document", [one for _, one in DOCUMENTED], ids=[name for name, _ in DOCUMENTED])
def test_no_example_of_the_documentation_is_marked(document: Any) -> None:
    assert marks(document) == []


def test_there_are_examples() -> None:
    assert len(DOCUMENTED) >= 6


@pytest.mark.parametrize("name", names())
def test_no_preset_is_marked(name: str) -> None:
    assert marks(section({**preset(name).body(), **preset(name).settings})) == []


@given(body=PROVIDERS, proof=PROOFS)
def test_what_is_written_is_not_marked_in_either_spelling(body: dict[str, Any], proof: dict[str, str]) -> None:
    read = read_settings({"corp": {**body, **proof}})
    assert not isinstance(read, list)
    written = as_mapping(read.providers[0], in_full=True)
    assert (marks(section(written)), marks(section(camel_cased(written)))) == ([], [])


def complaints(key: str, value: Any, *, of_api: bool) -> list[str]:
    """The keys that the reader complains of, ``key`` and what is in it, if it is set to ``value``."""
    api = {"base_url": "https://api.example.com/"}
    body = {"issuer": "https://id.example.com", "client_id": "jupyter", "apis": {"orders": api}}
    (api if of_api else body)[key] = value
    place = f"providers.corp.apis.orders.{key}" if of_api else f"providers.corp.{key}"
    read = read_settings({"corp": body})
    return [one.key for one in read if one.key.startswith(place)] if isinstance(read, list) else []


@pytest.mark.parametrize(
    ("setting", "of_api"),
    [*((one, False) for one in PROVIDER_SETTINGS), *((one, True) for one in API_SETTINGS)],
    ids=[*(one.key for one in PROVIDER_SETTINGS), *(f"api-{one.key}" for one in API_SETTINGS)],
)
def test_no_value_that_the_reader_takes_is_marked(setting: Setting, of_api: bool) -> None:
    place = f"#/$defs/{'api' if of_api else 'provider'}/properties/{setting.key}"
    validator = Draft202012Validator({"$ref": place, "$defs": SCHEMA["$defs"]})
    for value in PROBES:
        if not validator.is_valid(value):
            assert complaints(setting.key, value, of_api=of_api) != [], value


@pytest.mark.parametrize(
    "body",
    [
        {"isuer": "https://id.example.com"},
        {"issuer": "id.example.com"},
        {"client_secret": "hunter2"},
        {"clientSecret": "hunter2"},
        {"clock_skew": 301},
        {"maxAge": "3600"},
        {"scopes": "openid"},
        {"profile": "fapi1"},
        {"preset": "nobody"},
        {"userinfo_required": "yes"},
        {"endpoints": {"token": "https://id.example.com/token"}},
        {"apis": {"Orders": {}}},
        {"apis": {"orders": {"methods": ["get"]}}},
        {"apis": {"orders": {"timeout_idle": 0}}},
        {"apis": {"orders": {"headers": {"X-Key": "hunter2"}}}},
    ],
    ids=json.dumps,
)
def test_a_mistake_of_shape_is_marked(body: dict[str, Any]) -> None:
    assert len(marks(section(body))) == 1


def test_most_of_the_broken_settings_are_marked_while_typing() -> None:
    """The others break rules between keys, or rules for addresses, which ``config check`` knows."""
    documents = [json.loads(path.read_text(encoding="utf-8")) for path in CORPUS]
    marked = [one for one in documents if marks({"JupyterOIDC": {key: one[key] for key in one if key != "expected"}})]
    assert len(marked) * 2 > len(documents)
