"""The step ``setup``: one command from the provider's address to a session and a called API, by flags and at a terminal."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from http.cookiejar import CookieJar
from pathlib import Path

from jupyter_oidc.demo.environment import free_port
from tests.providers.real import LOGIN, Addresses, RealProvider
from tests.support.command import Command
from tests.support.form_sign_in import FormBrowser
from tests.support.terminal import Terminal

CLIENT = "jupyter-setup"
_LINK = r"https?://\S+/start/\S+(?=\n)"
_CALLED = "call of orders: The API answers 200 to GET /."


def set_up(folder: Path, provider: RealProvider, api: str, cookies: Callable[[], CookieJar]) -> None:
    """Run ``jupyter oidc setup`` twice, each time from nothing: with flags, and with a person at a terminal."""
    port = free_port()
    base = f"http://localhost:{port}/jupyter-oidc/providers/corp"
    provider.register(CLIENT, Addresses(f"{base}/callback", f"{base}/signed-out", f"{base}/backchannel-logout"))
    for way in (_by_flags, _at_a_terminal):
        way(_desk(folder / f"setup{way.__name__}", port, provider), provider, api, FormBrowser(cookies=cookies()))


def _desk(folder: Path, port: int, provider: RealProvider) -> Command:
    """Return a command on a machine without settings; a server for the sign-in would listen on ``port``."""
    shutil.rmtree(folder, ignore_errors=True)
    command = Command(folder, environment=provider.environment())
    section = {"keyring_backend": "keyring.backends.fail.Keyring", "storage": "memory"}
    document = {"ServerApp": {"port": port}, "JupyterOIDC": section}
    (folder / "config" / "jupyter_server_config.json").write_text(json.dumps(document), encoding="utf-8")
    return command


def _about_the_secret(provider: RealProvider) -> str:
    reference = provider.settings().get("client_secret")
    return f"--client-secret-ref={reference}" if reference else "--public-client"


def _by_flags(command: Command, provider: RealProvider, api: str, browser: FormBrowser) -> None:
    arguments = ("setup", provider.issuer, "--yes", "--no-browser", f"--client-id={CLIENT}", f"--api=orders={api}")
    out = ""
    with subprocess.Popen(
        [sys.executable, "-m", "jupyter_oidc.cli", *arguments, _about_the_secret(provider)],
        cwd=command.folder / "home",
        env=command._environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            out += line
            if found := re.search(_LINK, line):
                browser.sign_in(found[0], *LOGIN)
    assert process.returncode == 0, out
    assert _CALLED in out, out


def _at_a_terminal(command: Command, provider: RealProvider, api: str, browser: FormBrowser) -> None:
    terminal = Terminal(command, "setup", provider.issuer, "--no-browser", _about_the_secret(provider))
    terminal.answer(r"Name of the provider here \[corp\]: ", "")
    terminal.answer(r"Client id, as the provider has registered it \[jupyter\]: ", CLIENT)
    terminal.answer(r"Name of an API to call[^:]*: ", "orders")
    terminal.answer(r"Address of 'orders'.*: ", api)
    terminal.answer(r"Press Enter when that is done\. ", "")
    browser.sign_in(terminal.until(_LINK)[0], *LOGIN)
    code = terminal.end()
    assert code == 0, terminal.shown
    assert _CALLED in terminal.shown, terminal.shown
