"""The browser is at ``https://hub.example.com``, the kernel on a loopback address: neither knows the other's."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import expect

from tests.e2e.lab_page import NOTEBOOK, SLOW, Lab, answer_certified, new_notebook, visiting
from tests.interop.person import Person, settings_for
from tests.support.browser import chromium
from tests.support.certificate import self_signed
from tests.support.certified_provider import CertifiedProvider, ProviderDocument, RegisteredClient
from tests.support.form_sign_in import FormBrowser
from tests.support.hub_front import HubFront
from tests.support.jupyter_process import JupyterProcess
from tests.support.upstream import Upstream

HOST = "hub.example.com"
PREFIX = "/user/ada/"
CALLBACK = f"https://{HOST}{PREFIX}jupyter-oidc/providers/corp/callback"


@dataclass
class Place:
    """The address of the proxy and a token, which a user behind it has."""

    url: str
    token: str


@contextmanager
def behind_a_hub(folder: Path, **changes: Any) -> Iterator[tuple[Lab, Person]]:
    """A notebook opened at ``https://hub.example.com/user/ada/``; ``changes`` go to the provider's settings."""
    drops = changes.pop("drops", ())
    redirect_uri = changes.pop("redirect_uri", CALLBACK)
    with CertifiedProvider(ProviderDocument()) as provider, Upstream(accepts=lambda _: True) as upstream:
        settings = settings_for(provider, upstream, redirect_uri=redirect_uri, **changes)
        provider.register_client(RegisteredClient("jupyter", (redirect_uri,)))
        process = JupyterProcess(
            folder / "jupyter",
            {"corp": settings},
            app="jupyterlab",
            base_url=PREFIX,
            server={"allow_remote_access": True},
        )
        with (
            process,
            HubFront(PREFIX, process.port, certificate=self_signed(folder), name=HOST, drops=drops) as front,
            chromium(**{HOST: front.port}) as browser,
        ):
            new_notebook(process.work)
            with (
                visiting(browser, Place(front.url, process.token), ignore_https_errors=True) as lab,
                process.client() as jupyter,
            ):
                lab.open(NOTEBOOK)
                yield lab, Person(process, provider, jupyter, FormBrowser(provider.issuer))


def open_from_the_cell(lab: Lab, address: str) -> None:
    """Run ``sign_in()`` in a cell, open the very link that it shows, and sign in at the provider."""
    lab.start_code("import jupyter_oidc as oidc\noidc.sign_in()")
    link = lab.page.locator(".jp-OutputArea a", has_text="Open the sign-in page").first
    expect(link).to_be_visible(timeout=SLOW)
    assert (link.get_attribute("href") or "").startswith(address)
    with lab.page.context.expect_page() as opened:
        link.click()
    answer_certified(opened.value)
    expect(opened.value.get_by_text("You are signed in")).to_be_visible()
    lab.says("Example User")


def test_the_link_of_a_cell_leads_the_browser_to_the_hub(tmp_path: Path) -> None:
    """Q10.1: the pinned redirect URI says where browsers reach this server."""
    with behind_a_hub(tmp_path) as (lab, _):
        open_from_the_cell(lab, f"https://{HOST}{PREFIX}jupyter-oidc/start/")


def test_the_link_of_an_error_leads_the_browser_to_the_hub(tmp_path: Path) -> None:
    """Q10.1: the browser that was seen last says it; the settings name no address of this server."""
    with behind_a_hub(tmp_path, redirect_strategy="paste", redirect_uri="http://127.0.0.1/cb") as (lab, _):
        shown = lab.run_code("import jupyter_oidc as oidc\noidc.api('orders').get('x')")
        assert f"https://{HOST}{PREFIX}lab" in shown
        assert "127.0.0.1" not in shown


def test_a_link_whose_host_nobody_knows_is_completed_by_the_page(tmp_path: Path) -> None:
    """Q10.1: a proxy that keeps the origin from the server leaves a path, which JupyterLab leaves to the browser."""
    way = {"redirect_strategy": "paste", "redirect_uri": "http://127.0.0.1/cb", "drops": ("referer", "origin")}
    with behind_a_hub(tmp_path, **way) as (lab, _):
        lab.start_code("import jupyter_oidc as oidc\noidc.sign_in()")
        link = lab.page.locator(".jp-OutputArea a", has_text="Open the sign-in page").first
        expect(link).to_be_visible(timeout=SLOW)
        assert (link.get_attribute("href") or "").startswith(f"{PREFIX}jupyter-oidc/start/")
        with lab.page.context.expect_page() as opened:
            link.click()
        expect(opened.value.locator("input[name=login]")).to_be_visible()
