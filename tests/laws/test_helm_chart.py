"""Law: the chart of the broker takes what the broker takes, and says to a Hub what the documentation says.

Without Helm; ``make chart-check`` renders it. Proof that the law can fail: wrong values, a scope less, a value that no
template uses and one that does not exist are noticed.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import jsonschema
import pytest
import yaml

from jupyter_oidc import __version__
from jupyter_oidc.broker.configuration import DEFAULT_FILE
from jupyter_oidc.broker.hub_place import HubPlace, place_in, with_callbacks
from jupyter_oidc.settings import Settings, read_settings
from jupyter_oidc.settings.broker import (
    BROKER_SECTION,
    BROKER_SETTINGS,
    BrokerSettings,
    broker_address,
    read_broker_settings,
)
from tests.laws.source import ROOT

HELM, HOW_TO = ROOT / "config" / "helm", ROOT / "docs" / "how-to"
CHART = HELM / "jupyter-oidc-broker"
CONTAINERFILE = (ROOT / "config" / "container" / "Containerfile").read_text(encoding="utf-8")
USED = re.compile(r"\.Values((?:\.[A-Za-z0-9_]+)+)")


def loaded(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def merged(below: Any, above: Any) -> Any:
    """What Helm makes of the values of a chart and those that are given to it."""
    if not (isinstance(below, Mapping) and isinstance(above, Mapping)):
        return above
    return {key: merged(below.get(key), above[key]) if key in above else below[key] for key in {**below, **above}}


SCHEMA = json.loads((CHART / "values.schema.json").read_text(encoding="utf-8"))
VALUES = loaded(CHART / "values.yaml")
EXAMPLE = merged(VALUES, loaded(HELM / "broker-values.yaml"))
FULL = merged(VALUES, loaded(ROOT / "tests" / "chart" / "values" / "full.yaml"))
Z2JH = loaded(HELM / "z2jh-values.yaml")


def problems(values: object) -> list[str]:
    return [error.json_path for error in jsonschema.Draft7Validator(SCHEMA).iter_errors(values)]


# -- values --------------------------------------------------------------------------------------------------------


def test_the_schema_is_one_and_takes_the_values() -> None:
    jsonschema.Draft7Validator.check_schema(SCHEMA)
    assert [problems(values) for values in (VALUES, EXAMPLE, FULL)] == [[], [], []]


@pytest.mark.parametrize(
    ("wrong", "at"),
    [
        ({"replicas": 2}, "$.replicas"),
        ({"replica": 1}, "$"),
        ({"image": {"pullPolicy": "Sometimes"}}, "$.image.pullPolicy"),
        ({"settings": {"JupyterOIDC": {"storage": "memory"}}}, "$.settings.JupyterOIDC"),
        (
            {"settings": {"JupyterOIDCBroker": {"database": "sqlite:/tmp/sessions.sqlite"}}},
            "$.settings.JupyterOIDCBroker.database",
        ),
        ({"settings": {"JupyterOIDCBroker": {"listen": "unix:/run/a"}}}, "$.settings.JupyterOIDCBroker.listen"),
        ({"settings": {"JupyterOIDCBroker": {"key": "word"}}}, "$.settings.JupyterOIDCBroker.key"),
        (
            {"settings": {"JupyterOIDCBroker": {"public_url": "http://hub.example.com/"}}},
            "$.settings.JupyterOIDCBroker.public_url",
        ),
        ({"secrets": {"hubToken": {"value": "word"}}}, "$.secrets.hubToken"),
        ({"user": 0}, "$.user"),
        (
            {"networkPolicy": {"proxy": {"matchLabels": {"component": 1}}}},
            "$.networkPolicy.proxy.matchLabels.component",
        ),
    ],
)
def test_wrong_values_are_refused(wrong: Mapping[str, Any], at: str) -> None:
    assert problems(merged(EXAMPLE, wrong)) == [at]


def test_the_schema_knows_the_settings_of_a_broker_and_closes_every_object_of_ours() -> None:
    settings = SCHEMA["properties"]["settings"]["properties"]
    assert sorted(settings[BROKER_SECTION]["properties"]) == sorted(one.key for one in BROKER_SETTINGS)
    assert list(opened(SCHEMA)) == []
    assert list(opened({"properties": {"a": {"type": "object", "properties": {}}}})) == ["", ".a"]


def opened(schema: Mapping[str, Any], at: str = "") -> Iterator[str]:
    """The objects with properties of their own that take others as well."""
    if "properties" not in schema:
        return
    if schema.get("additionalProperties") is not False:
        yield at
    for name, one in schema["properties"].items():
        yield from opened(one, f"{at}.{name}")


# -- templates -----------------------------------------------------------------------------------------------------


def templates() -> str:
    return "\n".join(path.read_text(encoding="utf-8") for path in sorted((CHART / "templates").iterdir()))


def leaves(values: Mapping[str, Any], at: str = "") -> Iterator[str]:
    for name, value in values.items():
        if isinstance(value, Mapping) and value:
            yield from leaves(value, f"{at}.{name}")
        else:
            yield f"{at}.{name}"


def missing(text: str, values: Mapping[str, Any]) -> set[str]:
    """The values that templates use and the chart does not have."""
    known = {leaf[: match.end()] for leaf in leaves(values) for match in re.finditer(r"\.\w+", leaf)}
    return {path for path in USED.findall(text) if path not in known}


def unused(text: str, values: Mapping[str, Any]) -> list[str]:
    """The values that no template uses, alone or with what is around them."""
    used = set(USED.findall(text))
    return [leaf for leaf in leaves(values) if not any(leaf == path or leaf.startswith(f"{path}.") for path in used)]


def test_every_value_of_a_template_exists_and_every_value_is_used() -> None:
    text = templates()
    assert (missing(text, VALUES), unused(text, VALUES)) == (set(), [])
    assert missing(text + "{{ .Values.image.name }}", VALUES) == {".image.name"}
    assert unused(text, {**VALUES, "more": {"than": 1}}) == [".more.than"]


def test_every_value_stands_below_a_comment() -> None:
    lines = (CHART / "values.yaml").read_text(encoding="utf-8").splitlines()
    assert without_comment(lines) == []
    assert without_comment(["# about a", "a: 1", "", "b: 2", "c:", "  d: 3"]) == ["b: 2", "  d: 3"]


def without_comment(lines: list[str]) -> list[str]:
    """The lines with a value that no comment stands above, in the same block or above the block that they are in."""
    found, told, depth = [], False, 0
    for line in lines:
        text, indent = line.strip(), len(line) - len(line.lstrip())
        if text.startswith("#"):
            told, depth = True, indent
        elif not text:
            told = False
        elif re.match(r"\w+:", text) and not text.endswith(":") and not (told and indent >= depth):
            found.append(line)
    return found


def test_the_chart_is_of_this_version_and_its_user_is_that_of_the_image() -> None:
    chart = loaded(CHART / "Chart.yaml")
    assert (chart["apiVersion"], chart["appVersion"]) == ("v2", __version__)
    assert f"USER {VALUES['user']}:{VALUES['group']}\n" in CONTAINERFILE
    assert f"EXPOSE {urlsplit(VALUES['settings'][BROKER_SECTION]['listen']).port}\n" in CONTAINERFILE
    assert str(Path(DEFAULT_FILE).parent) in CONTAINERFILE
    assert 'ENTRYPOINT ["jupyter-oidc", "broker"]\nCMD ["serve"]\n' in CONTAINERFILE


# -- settings ------------------------------------------------------------------------------------------------------


def read(values: Mapping[str, Any]) -> tuple[BrokerSettings, Settings]:
    document = values["settings"]
    assert set(document) == {"JupyterOIDC", BROKER_SECTION}
    broker = read_broker_settings(document[BROKER_SECTION])
    settings = read_settings(document["JupyterOIDC"]["providers"])
    assert isinstance(broker, BrokerSettings), broker
    assert isinstance(settings, Settings), settings
    return broker, settings


@pytest.mark.parametrize("values", [VALUES, EXAMPLE, FULL], ids=["values.yaml", "the example", "every value"])
def test_the_broker_takes_the_settings_of_the_chart(values: Mapping[str, Any]) -> None:
    broker, _ = read(values)
    assert str(broker.listen).startswith("http://")
    wrong = copy.deepcopy(dict(values))
    wrong["settings"][BROKER_SECTION]["drain_seconds"] = "long"
    with pytest.raises(AssertionError):
        read(wrong)


def test_the_example_has_the_providers_of_the_page_and_leads_to_its_addresses() -> None:
    documented = json.loads((HOW_TO / "jupyter_oidc_hub_broker.json").read_text(encoding="utf-8"))
    (corp,) = copy.deepcopy(EXAMPLE["settings"]["JupyterOIDC"]["providers"]).values()
    assert corp.pop("client_secret") == "file:/run/jupyter-oidc/clients/corp"
    page = documented["JupyterOIDC"]["providers"]["corp"]
    assert corp == {key: value for key, value in page.items() if key != "client_secret"}
    broker, settings = read(EXAMPLE)
    assert broker.public_url == documented[BROKER_SECTION]["public_url"]
    place = place_in(broker, variables(EXAMPLE))
    assert isinstance(place, HubPlace)
    placed = with_callbacks(settings, place)
    assert isinstance(placed, Settings)
    text = (HOW_TO / "hold-the-sessions-of-a-hub.md").read_text(encoding="utf-8")
    assert f"`{placed.providers[0].redirect_uri}`" in text


def variables(values: Mapping[str, Any]) -> dict[str, str]:
    """What the Deployment tells the broker; ``make chart-check`` looks at what Helm makes of it."""
    told = set(re.findall(r"name: (JUPYTERHUB_\w+)", (CHART / "templates" / "deployment.yaml").read_text("utf-8")))
    hub = values["hub"]
    known = {
        "JUPYTERHUB_SERVICE_NAME": hub["serviceName"],
        "JUPYTERHUB_SERVICE_PREFIX": urlsplit(values["settings"][BROKER_SECTION]["public_url"]).path,
        "JUPYTERHUB_BASE_URL": hub["baseUrl"],
        "JUPYTERHUB_API_URL": hub["apiUrl"],
        "JUPYTERHUB_API_TOKEN": "a token",
        "JUPYTERHUB_HOST": hub["host"],
    }
    assert told == set(known)
    return known


# -- the Hub -------------------------------------------------------------------------------------------------------


def documented_hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """What the documented configuration of a Hub says."""
    token = tmp_path / "token"
    token.write_text("0" * 64, encoding="ascii")
    monkeypatch.setenv("JUPYTER_OIDC_BROKER_TOKEN_FILE", str(token))
    noted = SimpleNamespace(JupyterHub=SimpleNamespace(services=[], load_roles=[]))
    file = HOW_TO / "jupyterhub_config_broker.py"
    exec(compile(file.read_text(encoding="utf-8"), str(file), "exec"), {"get_config": lambda: noted})
    return noted.JupyterHub


def differences(z2jh: Mapping[str, Any], documented: Any) -> list[str]:
    """Where the values of the Hub's chart say something else than the Hub's configuration."""
    (service,) = documented.services
    ((name, said),) = z2jh["hub"]["services"].items()
    found = [] if name == service["name"] else ["name"]
    found += [] if urlsplit(said["url"]).port == urlsplit(service["url"]).port else ["port"]
    theirs = {key: value for key, value in service.items() if key not in ("name", "url", "api_token")}
    found += [] if {key: value for key, value in said.items() if key != "url"} == theirs else ["options"]
    roles = [{"name": name, **role} for name, role in z2jh["hub"]["loadRoles"].items()]
    return found + ([] if roles == documented.load_roles else ["roles"])


def test_the_values_of_the_hub_say_what_its_documented_configuration_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    documented = documented_hub(tmp_path, monkeypatch)
    assert differences(Z2JH, documented) == []
    other = copy.deepcopy(Z2JH)
    other["hub"]["services"]["oidc"] = {"url": "http://jupyter-oidc-broker:10102"}
    other["hub"]["loadRoles"]["server"]["scopes"].pop()
    assert differences(other, documented) == ["port", "options", "roles"]


def test_the_values_of_the_hub_lead_to_the_broker_of_the_chart() -> None:
    ((name, service),) = Z2JH["hub"]["services"].items()
    listen = urlsplit(VALUES["settings"][BROKER_SECTION]["listen"])
    assert service["url"] == f"http://{VALUES['fullname']}:{listen.port}"
    assert (name, f"hub.services.{name}.apiToken") == (
        VALUES["hub"]["serviceName"],
        VALUES["secrets"]["hubToken"]["key"],
    )
    labels = {"app.kubernetes.io/name": loaded(CHART / "Chart.yaml")["name"], "app.kubernetes.io/component": "broker"}
    for policy in (Z2JH["hub"]["networkPolicy"], Z2JH["proxy"]["chp"]["networkPolicy"]):
        (rule,) = policy["egress"]
        assert rule["ports"] == [{"port": listen.port, "protocol": "TCP"}]
        assert rule["to"] == [{"podSelector": {"matchLabels": labels}}]
    for key, value in labels.items():
        assert f"{key}: {'{{ .Chart.Name }}' if key.endswith('/name') else value}" in templates()


def test_the_users_servers_are_told_the_address_of_the_broker_where_they_cannot_change_it() -> None:
    ((_, file),) = Z2JH["singleuser"]["extraFiles"].items()
    assert file["mountPath"] == "/usr/local/etc/jupyter/jupyter_server_config.d/jupyter_oidc.json"
    address = broker_address(file["data"]["JupyterOIDC"]["broker"])
    broker, _ = read(EXAMPLE)
    assert address is not None
    assert address.url == broker.public_url
    page = (HOW_TO / "hold-the-sessions-of-a-hub.md").read_text(encoding="utf-8")
    (line,) = re.findall(r'^({ "JupyterOIDC": { "broker": .* } })$', page, re.MULTILINE)
    assert file["data"] == json.loads(line)
