"""The fixtures of the end-to-end tests: providers and APIs, a real JupyterLab, a real Chromium."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest
from playwright.sync_api import expect

from jupyter_oidc.demo.environment import DemoEnvironment, DemoOptions
from jupyter_oidc.demo.personas import PROVIDER
from tests.e2e.lab_page import LAUNCHER, NOTEBOOK, Lab, visiting
from tests.e2e.world import World
from tests.e2e.world import world as started_world
from tests.support.browser import Chromium, chromium
from tests.support.plain_http import PLAIN

expect.set_options(timeout=20_000)  # milliseconds: no expectation is about speed, and machines that test are busy


@pytest.fixture
def jp_asyncio_loop() -> None:
    """No event loop of pytest-jupyter's here: Playwright runs one of its own in this thread."""


@pytest.fixture(autouse=True)
def jp_server_cleanup() -> None:
    """Nothing to clean up: the server of these tests is another process."""


@pytest.fixture(scope="package")
def browser() -> Iterator[Chromium]:
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def demo() -> Iterator[DemoEnvironment]:
    with DemoEnvironment(DemoOptions(watched=True), write_line=lambda _: None) as demo:
        yield demo


@pytest.fixture(scope="package")
def shared_world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with started_world(tmp_path_factory.mktemp("world")) as world:
        yield world


@pytest.fixture
def world(shared_world: World) -> World:
    """The certified provider, an API and a JupyterLab, as the first visitor found them."""
    shared_world.start_anew()
    return shared_world


@contextmanager
def _visit(world: World, browser: Chromium, address: str) -> Iterator[Lab]:
    """Open ``address``; at the end no page of Jupyter's may have logged an error or a warning."""
    with visiting(browser, world.process) as lab:
        lab.open(address)
        yield lab
        assert lab.complaints == []


@pytest.fixture
def visitor(world: World, browser: Chromium) -> Iterator[Lab]:
    """A user with JupyterLab open, and no notebook."""
    with _visit(world, browser, LAUNCHER) as lab:
        yield lab


@pytest.fixture
def author(world: World, browser: Chromium) -> Iterator[Lab]:
    """A user with a new notebook open."""
    with _visit(world, browser, NOTEBOOK) as lab:
        yield lab


def sign_out(demo: DemoEnvironment) -> None:
    """End the session, so that each visitor finds the server as the first one did."""
    headers = {"Authorization": f"token {demo.token}"}
    address = f"{demo.url}jupyter-oidc/providers/{PROVIDER}/sign-out"
    httpx.post(address, json={}, headers=headers, trust_env=False, verify=PLAIN).raise_for_status()


@pytest.fixture
def lab(browser: Chromium, demo: DemoEnvironment) -> Iterator[Lab]:
    with visiting(browser, demo) as lab:
        lab.open()
        yield lab
    sign_out(demo)
