"""A company for one visitor: the certified provider, an API, and one JupyterLab under a base URL, shared by journeys."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.e2e.lab_page import new_notebook
from tests.interop.person import Person, at_work
from tests.support.canary import CANARY
from tests.support.certified_provider import CertifiedProvider, ProviderDocument
from tests.support.jupyter_process import JupyterProcess
from tests.support.upstream import Upstream

BASE_URL = "/team/jupyter/"


@dataclass
class World:
    """The parts that a journey may change; ``issued`` is every secret that the provider gave away, the newest last."""

    person: Person
    upstream: Upstream
    issued: list[str] = field(repr=False)

    @property
    def process(self) -> JupyterProcess:
        """The Jupyter server."""
        return self.person.process

    @property
    def provider(self) -> CertifiedProvider:
        """The OpenID Provider."""
        return self.person.provider

    @property
    def notebook(self) -> Path:
        """The notebook that a visitor opens."""
        return self.process.work / "notebook.ipynb"

    def choose_theme(self, theme: str) -> None:
        """Choose the theme of JupyterLab for every page that is opened from now on."""
        address = "lab/api/settings/@jupyterlab/apputils-extension:themes"
        self.person.jupyter.put(address, json={"raw": json.dumps({"theme": theme})}).raise_for_status()

    def choose_language(self, language: str) -> None:
        """Choose the language of JupyterLab for every page that is opened from now on; its language pack is installed."""
        address = "lab/api/settings/@jupyterlab/translation-extension:plugin"
        self.person.jupyter.put(address, json={"raw": json.dumps({"locale": language})}).raise_for_status()

    def start_anew(self) -> None:
        """Restore the initial state for the next test: no session, all servers up, an empty notebook."""
        self.choose_theme("JupyterLab Light")
        self.choose_language("default")
        self.provider.up()
        self.upstream.plan_nothing()
        self.provider.set_lifetime(300)
        self.person.post("sign-out").raise_for_status()
        for kernel in self.person.jupyter.get("api/sessions").json():
            self.person.jupyter.delete(f"api/sessions/{kernel['id']}")
        new_notebook(self.process.work)


@contextmanager
def world(folder: Path) -> Iterator[World]:
    """Start it; its API takes the access tokens that the provider issued, and no others."""
    issued: list[str] = []

    def register(secret: str) -> None:
        issued.append(secret)
        CANARY.hold(secret)

    with (
        CertifiedProvider(ProviderDocument(), register=register) as provider,
        Upstream(accepts=lambda token: token in issued) as upstream,
        at_work(folder, provider, upstream, app="jupyterlab", base_url=BASE_URL, changes=opened(upstream)) as person,
    ):
        yield World(person, upstream, issued)


def opened(upstream: Upstream) -> dict[str, Any]:
    """The APIs of the settings and their users: user1 may use both APIs' reading side, user2 has no permission."""
    reads = {"base_url": upstream.url, "methods": ["GET", "POST"], "requires": ["orders.read"]}
    plans = {"base_url": f"{upstream.url}plans/", "methods": ["GET"], "requires": ["plans.read"]}
    return {"entitlement_claims": ["permissions"], "apis": {"orders": reads, "plans": plans}}
