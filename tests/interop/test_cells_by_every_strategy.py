"""``oidc.sign_in()`` in the cell of a real kernel of a real Jupyter server, by each of the four strategies."""

from __future__ import annotations

import html
import re
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urljoin

import pytest
from jupyter_client.blocking.client import BlockingKernelClient

from jupyter_oidc.kernel.paste import PROMPT
from tests.support.canary import CANARY
from tests.support.jupyter_process import JupyterProcess
from tests.support.scripted_provider import ScriptedProvider

NOWHERE = "http://127.0.0.1/nobody/listens"
LINK = re.compile(r'href="([^"]+)"[^>]*>Open the sign-in page</a>')


@dataclass
class Shown:
    """What a cell has shown: displays as they were at first and as they are kept, text, errors, prompts."""

    first: list[str] = field(default_factory=list)
    kept: dict[str, str] = field(default_factory=dict)
    text: str = ""
    errors: list[str] = field(default_factory=list)
    prompts: list[tuple[str, bool]] = field(default_factory=list)


@dataclass
class Notebook:
    """A kernel of ``process``, and the browser of the person who uses it."""

    process: JupyterProcess
    provider: ScriptedProvider
    client: BlockingKernelClient

    def sign_in(self, name: str, act: Callable[[str, str], None], answer: Callable[[], str] = str) -> Shown:
        """Sign in at ``name``; ``act`` gets the link and all that the invitation shows, ``answer`` types into a prompt."""
        shown = Shown()

        def output(message: dict[str, Any]) -> None:
            content, kind = message["content"], message["msg_type"]
            if kind in ("display_data", "update_display_data"):
                markup = content["data"].get("text/html", "")
                shown.kept[content["transient"]["display_id"]] = markup
                if kind == "display_data":
                    shown.first.append(markup)
                    if (link := LINK.search(markup)) is not None:
                        act(urljoin(self.process.url, html.unescape(link[1])), markup)
            elif kind == "stream":
                shown.text += content["text"]
            elif kind == "error":
                shown.errors.append(content["evalue"])

        def prompt(message: dict[str, Any]) -> None:
            shown.prompts.append((message["content"]["prompt"], message["content"]["password"]))
            self.client.input(answer())

        self.client.execute_interactive(
            f"import jupyter_oidc as oidc\nprint(oidc.sign_in({name!r}, timeout=60).user.name)",
            allow_stdin=True,
            output_hook=output,
            stdin_hook=prompt,
            timeout=60,
        )
        CANARY.look("a notebook", f"{shown.kept}{shown.text}{shown.errors}")
        return shown


def wait_until_ready(client: BlockingKernelClient) -> None:
    """Wait for a kernel that another process has started, and that may not beat yet."""
    deadline = time.monotonic() + 60
    while True:
        try:
            client.wait_for_ready(timeout=10)
        except RuntimeError:
            assert time.monotonic() < deadline
        else:
            return


@pytest.fixture(scope="module")
def notebook(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Notebook]:
    folder = tmp_path_factory.mktemp("cells")
    with ScriptedProvider() as provider:
        provider.offer_codes()
        own: dict[str, Any] = {"issuer": provider.issuer, "client_id": "jupyter", "allow_insecure_loopback": True}
        settings = {
            "by-server": {**own, "redirect_strategy": "server"},
            "by-loopback": {**own, "redirect_strategy": "loopback"},
            "by-device": {**own, "redirect_strategy": "device"},
            "by-paste": {**own, "redirect_strategy": "paste", "redirect_uri": NOWHERE},
        }
        process = JupyterProcess(folder / "jupyter", settings)
        with process, closing(process.client()) as jupyter:
            session = {"path": "n.ipynb", "name": "n.ipynb", "type": "notebook", "kernel": {"name": "python3"}}
            kernel_id = jupyter.post("api/sessions", json=session).json()["kernel"]["id"]
            connection_file = process.folder / "runtime" / f"kernel-{kernel_id}.json"
            client = BlockingKernelClient(connection_file=str(connection_file))
            client.load_connection_file()
            client.start_channels()
            try:
                wait_until_ready(client)
                yield Notebook(process, provider, client)
            finally:
                client.stop_channels()
                jupyter.delete(f"api/kernels/{kernel_id}")


@pytest.mark.parametrize("name", ["by-server", "by-loopback"])
def test_a_cell_shows_a_link_and_goes_on_when_the_browser_has_come_back(notebook: Notebook, name: str) -> None:
    """Q7.7: Every client knows every way to sign in."""
    pages: list[str] = []
    shown = notebook.sign_in(name, lambda link, _: pages.append(notebook.provider.browser().open(link).text))
    assert "You are signed in" in pages[0]
    assert (shown.text, shown.errors, shown.prompts) == ("Example User\n", [], [])
    assert "Open the sign-in page" not in str(shown.kept)


def test_a_cell_shows_a_code_and_goes_on_when_it_was_entered(notebook: Notebook) -> None:
    """A31: A sign-in by code polls once, with pauses, and its end is the provider's word."""
    codes: list[str] = []

    def enter(link: str, invitation: str) -> None:
        codes.extend(re.findall(r">(WDJB-\d{4})</code>", invitation))
        assert link == f"{notebook.provider.issuer}/enter?user_code={codes[0]}"
        notebook.provider.answer_code(codes[0])

    shown = notebook.sign_in("by-device", enter)
    assert (shown.text, shown.errors, shown.prompts) == ("Example User\n", [], [])
    assert codes[0] not in str(shown.kept)


def test_a_cell_asks_for_the_address_at_a_hidden_prompt_and_takes_a_second_one(notebook: Notebook) -> None:
    """A32: A pasted answer is the whole address."""
    typed = ["https://elsewhere.example/?code=c&state=s"]

    def leave(link: str, _: str) -> None:
        typed.append(notebook.provider.browser().open(link, stop_at=NOWHERE).headers["location"])

    shown = notebook.sign_in("by-paste", leave, lambda: typed.pop(0))
    assert (shown.text, shown.errors) == ("Example User\n", [])
    assert shown.prompts == [(PROMPT, True), (PROMPT, True)]
    assert "Copy the whole address of it." in shown.first[0]
    assert "code=" not in f"{shown.first[1:]}{shown.kept}"
