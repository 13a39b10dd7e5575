"""``jupyter oidc status | sign-in | sign-out | forget`` beside a running server, and without one."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from jupyter_oidc.adapters.storage.vault_file import FileVault
from jupyter_oidc.adapters.system.private_directory import PrivateDirectory
from jupyter_oidc.secret import Secret
from jupyter_oidc.sessions.ports import Entry
from tests.interop.person import settings_for
from tests.support.certificate import self_signed
from tests.support.certified_provider import CertifiedProvider, RegisteredClient
from tests.support.command import Command
from tests.support.form_sign_in import FormBrowser
from tests.support.jupyter_process import JupyterProcess
from tests.support.upstream import Upstream


@pytest.fixture(params=["http", "https under a base URL"])
def beside(
    request: pytest.FixtureRequest, tmp_path: Path, provider: CertifiedProvider, upstream: Upstream
) -> Iterator[tuple[Command, JupyterProcess]]:
    """A command that shares configuration and runtime folder with a running server."""
    options: dict[str, Any] = (
        {} if request.param == "http" else {"base_url": "/user/x/", "certificate": self_signed(tmp_path)}
    )
    process = JupyterProcess(tmp_path / "jupyter", {"corp": settings_for(provider, upstream)}, **options)
    provider.register_client(RegisteredClient("jupyter", (process.callback("corp"),)))
    with process:
        command = Command(
            tmp_path / "command",
            environment={
                "JUPYTER_RUNTIME_DIR": str(process.folder / "runtime"),
                "JUPYTER_CONFIG_DIR": str(process.folder / "config"),
            },
        )
        yield command, process


def test_a_person_at_a_terminal_signs_in_looks_and_signs_out(
    beside: tuple[Command, JupyterProcess], provider: CertifiedProvider
) -> None:
    command, process = beside
    before = command.run("status")
    assert (before.code, "corp: Not signed in" in before.out) == (1, True), before.err

    with command.start("sign-in", "--no-browser") as waiting:
        assert waiting.stdout is not None
        link = ""
        while not (found := re.search(r"https?://\S+", link)):
            link = waiting.stdout.readline()
            assert link, waiting.stderr and waiting.stderr.read()
        page = FormBrowser(provider.issuer, tls=process.trust).sign_in(found[0], "user1", "any")
        assert "You are signed in" in page.text
        out, _ = waiting.communicate(timeout=60)
    assert waiting.returncode == 0
    assert "signed in as Example User" in out

    status = command.run("status")
    assert status.code == 0
    assert "corp: Signed in" in status.out
    assert "renewed by itself; kept in: memory" in status.out
    assert "API orders: Ready" in status.out
    assert command.run("status", "--json").json()[0]["user"]["username"] == "user1"

    ended = command.run("sign-out")
    assert ended.code == 0
    assert "The provider has taken the refresh token back." in ended.out
    assert process.token not in status.out + ended.out + out
    assert command.run("status").code == 1


def test_doctor_asks_the_running_server_what_its_tokens_say(
    beside: tuple[Command, JupyterProcess], provider: CertifiedProvider
) -> None:
    """Q9.10: the redirect URI is that at which the running server has seen a browser, and it is registered."""
    command, process = beside
    origin = process.url.split("/user/")[0].rstrip("/")
    browser = {"Sec-Fetch-Mode": "cors", "Origin": origin}
    with closing(process.client()) as jupyter:
        started = jupyter.post("jupyter-oidc/providers/corp/sign-in", json={}, headers=browser).json()
        link = f"{process.url.split('/user/')[0].rstrip('/')}{started['start_url']}"
        FormBrowser(provider.issuer, tls=process.trust).sign_in(link, "user1", "any")
    checks = {one["name"]: one for one in command.run("doctor", "--json").json()["checks"]}
    assert checks["redirect URI"]["message"].endswith(f": {process.callback('corp')}")
    assert checks["registration"]["status"] == "ok"
    assert "which is opaque" in checks["audience of orders"]["message"]
    assert (checks["session"]["status"], checks["conversions"]["status"]) == ("ok", "ok")


@pytest.mark.parametrize("what", ["status", "sign-in", "sign-out"])
def test_without_a_server_it_says_so(tmp_path: Path, what: str) -> None:
    said = Command(tmp_path).run(what)
    assert (said.code, said.out) == (1, "")
    assert said.err.startswith("No Jupyter server is running for this user, and sessions live in one.\n")


def test_a_server_that_died_without_a_word_is_no_running_server(tmp_path: Path) -> None:
    command = Command(tmp_path)
    left = '{"pid": 999999, "url": "http://localhost:1/", "token": "t", "port": 1, "hostname": "localhost"}'
    (tmp_path / "runtime" / "jpserver-999999.json").write_text(left, encoding="utf-8")
    assert "No Jupyter server is running" in command.run("status").err


def test_a_former_provider_is_forgotten_by_its_name_and_registration(tmp_path: Path) -> None:
    """D3: one that is in no settings file any more; the stored session of another registration stays."""
    key, folder = "A" * 43, tmp_path / "data" / "jupyter_oidc"
    folder.mkdir(parents=True, mode=0o700)
    entry = Entry("https://id.example.com", "jupyter", "ada", ("openid",), 1.0, Secret("rt-1"))

    def vault(client_id: str) -> FileVault:
        place = PrivateDirectory(lambda: folder)
        return FileVault(provider="old", issuer=entry.issuer, client_id=client_id, key=Secret(key), folder=place)

    for client_id in ("jupyter", "another"):
        asyncio.run(vault(client_id).save(replace(entry, client_id=client_id)))
    command = Command(tmp_path, {"providers": {}, "storage": "encrypted-file"}, {"JUPYTER_OIDC_STORAGE_KEY": key})
    done = command.run("forget", "old", "--issuer=https://id.example.com", "--client-id=jupyter", "-y")
    assert (done.code, done.out) == (0, "old: nothing is stored any more.\n"), done.err
    assert asyncio.run(vault("jupyter").load()) is None
    assert asyncio.run(vault("another").load()) is not None


@pytest.mark.parametrize(
    "arguments", [("--issuer=https://id.example.com",), ("old", "--client-id=jupyter"), ("--issuer=x", "--client-id=y")]
)
def test_half_a_registration_is_not_guessed_at(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    """D3: A stored entry that resists deletion is overwritten."""
    said = Command(tmp_path, {"providers": {}, "storage": "encrypted-file"}).run("forget", *arguments, "-y")
    assert (said.code, said.out) == (2, "")
    assert "give its name, --issuer and --client-id" in said.err


def test_forget_removes_what_is_stored_and_asks_first(tmp_path: Path) -> None:
    """D3: without a server and without the key of the file."""
    settings = {"providers": {"corp": {"issuer": "https://id.example.com", "client_id": "jupyter"}}}
    command = Command(tmp_path, {**settings, "storage": "encrypted-file"})
    folder = tmp_path / "data" / "jupyter_oidc"
    folder.mkdir(mode=0o700)
    asked = command.run("forget")
    assert (asked.code, "Remove what is stored for corp?" in asked.out) == (1, True)
    done = command.run("forget", "-y")
    assert (done.code, done.out) == (0, "corp: nothing is stored any more.\n")
    assert command.run("forget", "nobody", "-y").code == 1
