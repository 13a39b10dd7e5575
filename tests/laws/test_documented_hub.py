"""Law: the configuration on the page about JupyterHub is the files beside it, which ``make hub-check`` runs (Q10.7).

Proof that the law can fail: a page with one word less is caught.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from jupyter_oidc.adapters.storage.storage_key import keys_in
from jupyter_oidc.broker.hub_place import HubPlace, place_in, with_callbacks
from jupyter_oidc.secret import Secret
from jupyter_oidc.settings import Settings, read_settings
from jupyter_oidc.settings.broker import BROKER_SECTION, BrokerSettings, broker_address, read_broker_settings
from jupyter_oidc.settings.redirect_uri import leads_through_hub
from tests.hub.hub import CONFIG, DOCUMENTED, SETTINGS
from tests.support.jupyterhub_process import DOCUMENTED as BROKER_CONFIG

PAGE = DOCUMENTED / "run-under-jupyterhub.md"


def blocks(page: str, language: str) -> list[str]:
    """The code blocks of ``page`` that are longer than a line."""
    found = re.findall(rf"```{language}\n(.*?)```", page, re.DOTALL)
    return [block for block in found if block.count("\n") > 1]


@pytest.mark.parametrize(("language", "file"), [("python", CONFIG), ("json", SETTINGS)], ids=["hub", "settings"])
def test_the_page_shows_the_file_that_is_tried(language: str, file: Path) -> None:
    """Q10.7: The page about JupyterHub is tried."""
    page, text = PAGE.read_text(encoding="utf-8"), file.read_text(encoding="utf-8")
    assert blocks(page, language) == [text]
    assert blocks(page.replace("url_path_join", "join").replace("orders", "order"), language) != [text]


def test_the_settings_are_sound_and_one_redirect_uri_serves_everybody() -> None:
    """Q10.7: The page about JupyterHub is tried. Q10.2: One redirect URI serves all users."""
    section = json.loads(SETTINGS.read_text(encoding="utf-8"))["JupyterOIDC"]
    settings: Any = read_settings(section["providers"], section["storage"])
    (corp,) = settings.providers
    assert leads_through_hub(corp.redirect_uri, corp.name)
    assert (corp.response_mode, settings.storage) == ("query", "encrypted-file")


@dataclass
class Noted:
    """A configuration that takes any assignment."""

    Spawner: Any = field(default_factory=lambda: SimpleNamespace(environment={}))
    JupyterHub: Any = field(default_factory=SimpleNamespace)


@contextmanager
def hubs_own_function() -> Iterator[None]:
    """The one function of JupyterHub that the file asks for, in an environment without JupyterHub."""
    utils, package = ModuleType("jupyterhub.utils"), ModuleType("jupyterhub")
    utils.url_path_join = lambda *parts: "/".join(part.strip("/") for part in parts)  # type: ignore[attr-defined]
    before = {name: sys.modules.get(name) for name in ("jupyterhub", "jupyterhub.utils")}
    sys.modules.update({"jupyterhub": package, "jupyterhub.utils": utils})
    try:
        yield
    finally:
        for name, module in before.items():
            if module is None:
                del sys.modules[name]
            else:
                sys.modules[name] = module


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Noted:
    """The settings that the documented file makes at a Hub with a key."""
    (tmp_path / "key").write_bytes(bytes(range(32)))
    monkeypatch.setenv("JUPYTER_OIDC_HUB_KEY_FILE", str(tmp_path / "key"))
    noted = Noted()
    with hubs_own_function():
        exec(compile(CONFIG.read_text(encoding="utf-8"), str(CONFIG), "exec"), {"get_config": lambda: noted})
    return noted


def user(name: str) -> Any:
    return SimpleNamespace(user=SimpleNamespace(name=name))


def test_each_user_has_a_storage_key_of_their_own(config: Noted) -> None:
    """Q10.5, Q10.6, Q10.7: one that the extension takes, and the same one each time."""
    key = config.Spawner.environment["JUPYTER_OIDC_STORAGE_KEY"]
    assert len(keys_in(Secret(key(user("ada"))))) == 1
    assert key(user("ada")) == key(user("ada")) != key(user("bob"))
    assert config.Spawner.disable_user_config is True


@pytest.mark.parametrize(
    ("path", "state", "leads_to"),
    [
        (
            "jupyter-oidc/providers/corp/callback",
            "random.gpu",
            "user/ada/gpu/jupyter-oidc/providers/corp/callback?state=",
        ),
        ("jupyter-oidc/providers/corp/callback", "random", None),
        ("jupyter-oidc/providers/corp/callback", "random.of-somebody-else", None),
        ("lab/tree/a.ipynb", "random.gpu", None),
    ],
)
async def test_a_named_server_is_found_by_the_end_of_the_state(
    config: Noted, path: str, state: str, leads_to: str | None
) -> None:
    """Q10.2, Q10.7: nothing but our callback, and no server but the user's own."""
    request = SimpleNamespace(arguments={"state": [state.encode()]}, query=f"state={state}")
    ada = SimpleNamespace(spawners={"gpu": object()}, server_url=lambda name: f"/user/ada/{name}/")
    found = await config.JupyterHub.user_redirect_hook(path, request, ada, "/")
    assert (found is None) if leads_to is None else found.startswith(leads_to)


# -- with a broker -------------------------------------------------------------------------------------------------

BROKER_PAGE = DOCUMENTED / "hold-the-sessions-of-a-hub.md"
BROKER_SETTINGS = DOCUMENTED / "jupyter_oidc_hub_broker.json"
UNITS = DOCUMENTED.parents[1] / "config" / "systemd"


def test_the_page_about_the_broker_shows_the_files_that_are_tried() -> None:
    page = BROKER_PAGE.read_text(encoding="utf-8")
    assert blocks(page, "python") == [BROKER_CONFIG.read_text(encoding="utf-8")]
    assert blocks(page, "json") == [BROKER_SETTINGS.read_text(encoding="utf-8")]
    assert blocks(page.replace("list:users", "list"), "python") != blocks(page, "python")


def test_its_settings_are_sound_and_lead_to_the_addresses_on_the_page() -> None:
    document = json.loads(BROKER_SETTINGS.read_text(encoding="utf-8"))
    broker, settings = (
        read_broker_settings(document[BROKER_SECTION]),
        read_settings(document["JupyterOIDC"]["providers"]),
    )
    assert isinstance(broker, BrokerSettings)
    assert isinstance(settings, Settings)
    page = BROKER_PAGE.read_text(encoding="utf-8")
    variables = dict(re.findall(r"^(JUPYTERHUB_\w+)=(.*)$", page, re.MULTILINE))
    place = place_in(broker, variables)
    assert isinstance(place, HubPlace)
    assert (str(broker.listen) in BROKER_CONFIG.read_text(encoding="utf-8"), place.base) == (True, "/")
    placed = with_callbacks(settings, place)
    assert isinstance(placed, Settings)
    (corp,) = placed.providers
    assert f"`{corp.redirect_uri}`" in page
    for route in ("backchannel-logout", "initiate-login", "signed-out"):
        assert f"`{place.public_url}jupyter-oidc/providers/corp/{route}`" in page
    (line,) = re.findall(r'^{ "JupyterOIDC": { "broker": "(.*)" } }$', page, re.MULTILINE)
    address = broker_address(line)
    assert address is not None
    assert address.url == place.public_url


def test_the_unit_for_a_hub_is_that_for_a_machine_without_its_socket() -> None:
    """Each line that protects one protects the other."""
    alone, at_hub = (
        set((UNITS / f"jupyter-oidc-{name}broker.service").read_text(encoding="utf-8").splitlines()[1:])
        for name in ("", "hub-")
    )
    assert {line.partition("=")[0] for line in alone ^ at_hub} == {
        "Description",
        "Requires",
        "After",
        "EnvironmentFile",
    }
