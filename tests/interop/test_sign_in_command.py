"""``jupyter oidc sign-in`` beside a real Jupyter server, by each of the four strategies, at real terminals and in pipes."""

from __future__ import annotations

import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.command import Command, Said
from tests.support.form_sign_in import FormBrowser
from tests.support.jupyter_process import JupyterProcess
from tests.support.scripted_provider import ScriptedProvider
from tests.support.terminal import Terminal

NOWHERE = "http://127.0.0.1/nobody/listens"


@dataclass
class Desktop:
    """A machine with a running Jupyter server, a browser, and a terminal for the command."""

    process: JupyterProcess
    jupyter: httpx.Client
    provider: ScriptedProvider
    command: Command

    def sign_out(self) -> None:
        for name in ("corp", "pasted"):
            self.jupyter.post(f"jupyter-oidc/providers/{name}/sign-out", json={})

    def state(self, provider: str = "corp") -> str:
        return str(self.jupyter.get(f"jupyter-oidc/providers/{provider}/session").json()["state"])

    def browser(self) -> FormBrowser:
        return self.provider.browser()

    def run(self, *arguments: str) -> Said:
        return self.command.run("sign-in", *arguments)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desktop]:
    """Start one server: ``corp`` leaves every way but ``paste`` open, ``pasted`` has a redirect URI where no server is."""
    folder = tmp_path_factory.mktemp("desktop")
    with ScriptedProvider() as provider:
        provider.offer_codes()
        own: dict[str, Any] = {"issuer": provider.issuer, "client_id": "jupyter", "allow_insecure_loopback": True}
        api = {"base_url": "https://api.example.com/", "methods": ["GET"]}
        settings = {
            "corp": {**own, "apis": {"orders": api}},
            "pasted": {**own, "redirect_uri": NOWHERE, "redirect_strategy": "paste"},
        }
        process = JupyterProcess(folder / "jupyter", settings)
        with process, closing(process.client()) as jupyter:
            found = {
                "JUPYTER_RUNTIME_DIR": str(process.folder / "runtime"),
                "JUPYTER_CONFIG_DIR": str(process.folder / "config"),
            }
            yield Desktop(process, jupyter, provider, Command(folder / "command", environment=found))


@pytest.fixture
def desktop(running: Desktop) -> Desktop:
    running.sign_out()
    return running


def line_with(stream: Any, pattern: str) -> re.Match[str]:
    """Read lines until one matches."""
    for line in stream:
        found = re.search(pattern, line)
        if found:
            return found
    raise AssertionError(f"the output ended without {pattern}")


@contextmanager
def started(desktop: Desktop, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    with desktop.command.start("sign-in", *arguments) as process:
        try:
            yield process
        finally:
            process.kill()


# -- the four strategies -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("strategy", ["server", "loopback"])
def test_a_link_is_printed_and_the_browser_comes_back(desktop: Desktop, strategy: str) -> None:
    """Q7.7: Every client knows every way to sign in."""
    with started(desktop, "corp", "--no-browser", f"--strategy={strategy}") as waiting:
        link = line_with(waiting.stdout, r"https?://\S+")[0]
        assert link.startswith(f"{desktop.process.url}jupyter-oidc/start/")
        assert "You are signed in" in desktop.browser().open(link).text
        out, err = waiting.communicate(timeout=60)
    assert (waiting.returncode, err) == (0, "")
    assert "corp: Signed in\n    signed in as Example User" in out
    (asked,) = [one.query for one in desktop.provider.received if one.endpoint == "authorize"][-1:]
    through_the_server = asked["redirect_uri"].startswith(desktop.process.url)
    assert through_the_server is (strategy == "server")


def test_a_code_is_printed_and_entered_elsewhere(desktop: Desktop) -> None:
    """Q7.7: a machine without a browser; the settings leave the way open, and the user asks for this one."""
    with started(desktop, "corp", "--no-browser", "--strategy=device") as waiting:
        link = line_with(waiting.stdout, r"https?://\S+")[0]
        assert line_with(waiting.stdout, r"check that the page shows this code")
        code = line_with(waiting.stdout, r"WDJB-\d{4}")[0]
        assert link == f"{desktop.provider.issuer}/enter?user_code={code}"
        desktop.provider.answer_code(code)
        out, err = waiting.communicate(timeout=60)
    assert (waiting.returncode, err) == (0, "")
    assert "corp: Signed in\n    signed in as Example User" in out


def test_an_address_is_pasted_at_a_terminal_and_a_wrong_one_may_be_mended(desktop: Desktop) -> None:
    """A32: A pasted answer is the whole address; the screen shows nothing of it, however long it is."""
    terminal = Terminal(desktop.command, "sign-in", "pasted", "--no-browser")
    link = terminal.until(r"https?://\S+/start/\S+(?=\n)")[0]
    end = desktop.browser().open(link, stop_at=NOWHERE).headers["location"]
    code = end.partition("code=")[2].partition("&")[0]
    terminal.until(r"then press Enter: ")
    terminal.type("https://elsewhere.example/?code=c&state=s\n")
    terminal.until(r"(?s)then press Enter: .*then press Enter: ")
    padded = f"{end}&padding={'x' * 6_000}"
    for start in range(0, len(padded), 512):
        terminal.type(padded[start : start + 512])
    terminal.type("\n")
    assert terminal.end() == 0, terminal.shown
    assert "pasted: Signed in\n    signed in as Example User" in terminal.shown
    assert (code in terminal.shown, "padding" in terminal.shown, "elsewhere" in terminal.shown) == (False, False, False)


def test_an_address_may_come_through_a_pipe(desktop: Desktop) -> None:
    """A script that drives a browser of its own writes the address to the command; there is no echo to be warned of."""
    program = [sys.executable, "-m", "jupyter_oidc.cli", "sign-in", "pasted", "--no-browser"]
    pipes: dict[str, Any] = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    environment = desktop.command._environment()
    with subprocess.Popen(program, env=environment, text=True, start_new_session=True, **pipes) as waiting:
        link = line_with(waiting.stdout, r"https?://\S+")[0]
        end = desktop.browser().open(link, stop_at=NOWHERE).headers["location"]
        out, err = waiting.communicate(f"{end}\n", timeout=60)
    assert (waiting.returncode, err) == (0, "")
    assert "pasted: Signed in\n    signed in as Example User" in out


# -- the browser ---------------------------------------------------------------------------------------------------------


def test_the_browser_is_opened_at_the_link(desktop: Desktop, tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    script = f"import sys; open({str(seen)!r}, 'w').write(sys.argv[1])"
    browser = shlex.join([sys.executable, "-c", script]) + " %s"
    command = Command(tmp_path / "command", environment={**desktop.command.environment, "BROWSER": browser})
    with command.start("sign-in", "corp", "--strategy=server") as waiting:
        link = line_with(waiting.stdout, r"https?://\S+")[0]
        desktop.browser().open(link)
        out, _ = waiting.communicate(timeout=60)
    assert (waiting.returncode, seen.read_text(encoding="utf-8")) == (0, link)
    assert "No browser could be opened" not in out


@pytest.mark.parametrize(
    ("strategy", "hint"),
    [
        ("loopback", "Open the link in a browser on this machine. If you have none, another way may do"),
        ("server", "or in one that reaches the Jupyter server through a tunnel. If you have none, another way may do"),
    ],
)
def test_where_no_browser_is_the_command_says_what_to_do(
    desktop: Desktop, tmp_path: Path, strategy: str, hint: str
) -> None:
    """No display, no program to open, no terminal: the link is printed all the same, and the wait ends."""
    bare = {"PATH": str(tmp_path), "DISPLAY": "", "WAYLAND_DISPLAY": "", "BROWSER": ""}
    command = Command(tmp_path / "command", environment={**desktop.command.environment, **bare})
    said = command.run("sign-in", "corp", f"--strategy={strategy}", "--timeout=0.5")
    assert said.code == 1
    assert "Open this link to sign in:" in said.out
    assert "No browser could be opened." in said.out
    assert hint in said.out
    assert said.err == (
        "Nobody finished the sign-in within 0.5 seconds.\nRun this again, and do what it prints before the time is over.\n"
    )
    assert desktop.state() == "signed-out"


# -- how it ends ---------------------------------------------------------------------------------------------------------


def test_a_terminal_counts_down_and_ctrl_c_cancels_the_sign_in_at_the_server(desktop: Desktop) -> None:
    terminal = Terminal(desktop.command, "sign-in", "corp", "--no-browser", "--timeout=100")
    link = terminal.until(r"https?://\S+/start/\S+(?=\n)")[0]
    terminal.until(r"Waiting for you; 1 min \d\d s left\. Ctrl-C cancels\.")
    assert desktop.state() == "signing-in"
    terminal.type("\x03")
    assert terminal.end() == 130, terminal.shown
    assert terminal.shown.rstrip().endswith("The sign-in was cancelled.")
    assert "Traceback" not in terminal.shown
    assert desktop.state() == "signed-out"
    assert "already used" in desktop.browser().open(link).text


def test_ctrl_c_at_the_hidden_prompt_cancels_and_the_terminal_shows_input_again(desktop: Desktop) -> None:
    terminal = Terminal(desktop.command, "sign-in", "pasted", "--no-browser")
    terminal.until(r"then press Enter: ")
    terminal.type("half an addr\x03")
    assert terminal.end() == 130, terminal.shown
    assert "half an addr" not in terminal.shown
    assert desktop.state("pasted") == "signed-out"


def test_an_interruption_in_a_pipe_cancels_too(desktop: Desktop) -> None:
    with started(desktop, "corp", "--no-browser", "--strategy=device") as waiting:
        line_with(waiting.stdout, r"WDJB-\d{4}")
        time.sleep(0.5)
        waiting.send_signal(signal.SIGINT)
        _, err = waiting.communicate(timeout=60)
    assert (waiting.returncode, err.strip()) == (130, "The sign-in was cancelled.")
    assert desktop.state() == "signed-out"


def test_the_prompt_for_an_address_ends_with_the_timeout(desktop: Desktop) -> None:
    terminal = Terminal(desktop.command, "sign-in", "pasted", "--no-browser", "--timeout=1")
    assert terminal.end() == 1, terminal.shown
    assert "Nobody finished the sign-in within 1 seconds." in terminal.shown
    assert desktop.state("pasted") == "signed-out"


# -- wishes --------------------------------------------------------------------------------------------------------------


def test_a_strategy_that_the_settings_rule_out_is_refused_with_words(desktop: Desktop) -> None:
    assert desktop.run("pasted", "--no-browser", "--strategy=device") == Said(
        1,
        "",
        "The settings of this provider allow the strategy 'paste' only.\n"
        "Leave 'strategy' out, or ask your administrator to set redirect_strategy to 'auto'.\n",
    )


def test_a_strategy_that_is_impossible_is_refused_with_words(desktop: Desktop) -> None:
    said = desktop.run("corp", "--no-browser", "--strategy=paste")
    assert (said.code, said.err.splitlines()[0]) == (
        1,
        "Sign-in by a pasted address needs a redirect_uri in the settings, and there is none.",
    )


def test_a_word_that_is_no_strategy_is_refused_with_those_that_are(desktop: Desktop) -> None:
    said = desktop.run("corp", "--strategy=pigeon")
    assert said.code == 1
    assert "'auto', 'server', 'loopback', 'device', 'paste'" in said.err


def test_the_provider_of_an_api_need_not_be_named(desktop: Desktop) -> None:
    """C12: A demand for stronger sign-in is answered by name."""
    with started(desktop, "--api=orders", "--no-browser", "--strategy=server") as waiting:
        link = line_with(waiting.stdout, r"https?://\S+")[0]
        desktop.browser().open(link)
        out, _ = waiting.communicate(timeout=60)
    assert waiting.returncode == 0
    assert "corp: Signed in" in out


def test_an_api_that_there_is_not_is_said(desktop: Desktop) -> None:
    assert desktop.run("--api=invoices", "--no-browser") == Said(
        1, "", "There is no API 'invoices'.\nName one of: orders.\n"
    )


def test_the_help_names_every_strategy_and_option(desktop: Desktop) -> None:
    said = desktop.run("--help")
    assert said.code == 0
    for word in ("'server'", "'loopback'", "'device'", "'paste'", "--strategy", "--api", "--timeout", "--no-browser"):
        assert word in said.out
