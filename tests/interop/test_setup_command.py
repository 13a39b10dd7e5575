"""``jupyter oidc setup`` from a provider's address to a session and a called API: with flags, and at a terminal."""

from __future__ import annotations

import json
import os
import re
import socket
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from jupyter_oidc.demo.child import Child
from jupyter_oidc.demo.environment import free_port
from tests.interop.test_sign_in_by_code import agree
from tests.support.certified_provider import CertifiedProvider, Dress, ProviderDocument, RegisteredClient
from tests.support.command import Command, Said
from tests.support.form_sign_in import FormBrowser
from tests.support.jupyter_process import JupyterProcess
from tests.support.scripted_provider import ScriptedProvider
from tests.support.terminal import Terminal
from tests.support.upstream import Upstream

SECRET = "a-secret-that-was-typed-by-a-person-0123456789"
LINK = r"https?://\S+/start/\S+"
BROKEN_KEYRING = {"keyring_backend": "keyring.backends.fail.Keyring"}


@dataclass
class Desk:
    """A machine without settings for a provider; ``port`` is where a Jupyter server would listen."""

    command: Command
    port: int = field(default_factory=free_port)

    @classmethod
    def at(cls, folder: Path, **environment: str) -> Desk:
        desk = cls(Command(folder / "desk", environment=environment))
        desk.configure({"JupyterOIDC": BROKEN_KEYRING})
        return desk

    def configure(self, document: dict[str, Any]) -> None:
        """Write Jupyter's own configuration file."""
        server = {"ServerApp": {"port": self.port}, **document}
        (self.config / "jupyter_server_config.json").write_text(json.dumps(server), encoding="utf-8")

    @property
    def config(self) -> Path:
        return self.command.folder / "config"

    @property
    def file(self) -> Path:
        return self.config / "jupyter_server_config.d" / "jupyter_oidc-corp.json"

    @property
    def callbacks(self) -> tuple[str, ...]:
        path = f"{self.port}/jupyter-oidc/providers/corp/callback"
        return f"http://localhost:{path}", f"http://127.0.0.1:{path}"

    def provider(self) -> dict[str, Any]:
        """Read the settings that were written."""
        told: dict[str, Any] = json.loads(self.file.read_text(encoding="utf-8"))["JupyterOIDC"]["providers"]["corp"]
        return told

    def run(self, *arguments: str) -> Said:
        return self.command.run("setup", *arguments)

    def run_and(self, act: Callable[[str], object], *arguments: str, pattern: str = LINK, given: str = "") -> Said:
        """Run, and ``act`` on the link that is shown; ``given`` is standard input."""
        process = subprocess.Popen(
            [sys.executable, "-m", "jupyter_oidc.cli", "setup", *arguments, "--no-browser"],
            cwd=self.command.folder / "home",
            env=self.command._environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert process.stdin is not None
        assert process.stdout is not None
        out = ""
        with process:
            process.stdin.write(given)
            process.stdin.close()
            for line in process.stdout:
                out += line
                if found := re.search(pattern, line):
                    act(found[0])
            assert process.stderr is not None
            return Said(process.wait(60), out, process.stderr.read())

    def written(self) -> set[str]:
        """Return the names of all files in the configuration folder."""
        return {str(path.relative_to(self.config)) for path in self.config.rglob("*") if path.is_file()}


UNTOUCHED = {"jupyter_server_config.json"}


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk.at(tmp_path)


@pytest.fixture(scope="module")
def scripted() -> Iterator[ScriptedProvider]:
    with ScriptedProvider() as provider:
        yield provider


def person(provider: CertifiedProvider) -> Callable[[str], object]:
    """Return the act of a person at the certified provider: sign in at the link."""
    return lambda link: provider.browser().sign_in(link, "user1", "any")


# -- with flags ----------------------------------------------------------------------------------------------------------


def test_with_flags_and_without_a_server_it_ends_with_a_session_and_a_called_api(
    desk: Desk, provider: CertifiedProvider, upstream: Upstream
) -> None:
    """Issue 16, 4: nothing is asked, and a server is started for the sign-in alone."""
    provider.register_client(RegisteredClient("jupyter", desk.callbacks[:1]))
    said = desk.run_and(person(provider), provider.issuer, "--yes", f"--api=orders={upstream.url}")
    assert (said.code, said.err) == (0, "")
    for uri in desk.callbacks:
        assert f"    {uri}\n" in said.out
    assert "client authentication: None is needed: the provider takes public clients." in said.out
    assert "keys: The provider publishes a key for RS256." in said.out
    assert "person: The provider told name and e-mail address." in said.out
    assert "lifetime: An access token lives 5 minutes and is renewed before it ends." in said.out
    assert "session: The session that there is now was given a refresh token." in said.out
    assert "call of orders: The API answers 200 to GET /." in said.out
    assert "its session was in memory, and ended with it" in said.out
    assert [one.path for one in upstream.seen if one.bearer] == ["/v1/"]
    assert desk.provider() == {
        "issuer": provider.issuer,
        "client_id": "jupyter",
        "allow_insecure_loopback": True,
        "apis": {"orders": {"base_url": upstream.url}},
    }
    assert stat.S_IMODE(desk.file.stat().st_mode) == 0o600


def test_at_a_running_server_the_session_stays_and_a_second_run_changes_nothing(
    tmp_path: Path, provider: CertifiedProvider, upstream: Upstream
) -> None:
    """Issue 16, 4: the server reads the file by itself; the second run finds file and session as they are."""
    process = JupyterProcess(tmp_path / "jupyter", {})
    provider.register_client(RegisteredClient("jupyter", (process.callback("corp"),)))
    with process, process.client() as jupyter:
        desk = Desk(
            Command(
                tmp_path / "desk",
                environment={
                    "JUPYTER_RUNTIME_DIR": str(process.folder / "runtime"),
                    "JUPYTER_CONFIG_DIR": str(process.folder / "config"),
                },
            )
        )
        arguments = (provider.issuer, "--yes", f"--api=orders={upstream.url}")
        said = desk.run_and(person(provider), *arguments)
        assert (said.code, said.err) == (0, "")
        assert jupyter.get("jupyter-oidc/providers/corp/session").json()["state"] == "active"
        file = process.folder / "config" / "jupyter_server_config.d" / "jupyter_oidc-corp.json"
        before = (file.read_bytes(), file.stat().st_mtime_ns)

        again = desk.run(*arguments)
        assert (again.code, again.err) == (0, "")
        assert f"Nothing changes: {file} says all of this already." in again.out
        assert "There is a session already, so nobody has to sign in." in again.out
        assert "call of orders: The API answers 200 to GET /." in again.out
        assert (file.read_bytes(), file.stat().st_mtime_ns) == before


def test_by_code_no_redirect_uri_is_registered(desk: Desk, provider: CertifiedProvider) -> None:
    provider.register_client(RegisteredClient("jupyter", ("https://nowhere.example.com/",)))
    browser = provider.browser()
    said = desk.run_and(
        lambda link: agree(browser, link),
        *(provider.issuer, "--yes", "--strategy=device", "--no-browser"),
        pattern=r"https?://\S+/device\?\S+",
    )
    assert (said.code, said.err) == (0, "")
    assert "Sign-ins by code need no redirect URI" in said.out
    assert desk.provider()["redirect_strategy"] == "device"
    assert "session: The session that there is now was given a refresh token." in said.out


def test_a_secret_from_standard_input_is_kept_in_a_file_of_its_own(
    desk: Desk, provider: CertifiedProvider, upstream: Upstream
) -> None:
    """D8: The settings hold a reference, and never the secret; no output shows it."""
    client = RegisteredClient("jupyter", desk.callbacks[:1], auth_method="client_secret_basic", secret=SECRET)
    provider.register_client(client)
    arguments = (provider.issuer, "--yes", "--client-secret-stdin", f"--api=orders={upstream.url}")
    said = desk.run_and(person(provider), *arguments, given=f"{SECRET}\n")
    assert (said.code, said.err) == (0, "")
    kept = desk.config / "jupyter_oidc-corp.secret"
    assert (kept.read_text(encoding="utf-8"), stat.S_IMODE(kept.stat().st_mode)) == (SECRET, 0o600)
    assert desk.provider()["client_secret"] == f"file:{kept}"
    assert desk.provider()["token_endpoint_auth_method"] == "client_secret_basic"
    assert SECRET not in said.out + desk.file.read_text(encoding="utf-8")


def test_a_provider_that_registers_clients_openly_registers_this_one(tmp_path: Path) -> None:
    """Issue 16, 4: only with ``--register``; the second run keeps the client."""
    desk = Desk.at(tmp_path)
    with CertifiedProvider(ProviderDocument(features={"registration": {"enabled": True}})) as provider:
        said = desk.run_and(person(provider), provider.issuer, "--yes", "--register")
        assert (said.code, said.err) == (0, "")
        client_id = desk.provider()["client_id"]
        assert f"The provider has registered this client under the id {client_id}." in said.out
        assert "session: The session that there is now was given a refresh token." in said.out
        again = desk.run(provider.issuer, "--yes", "--register", "--no-sign-in")
        assert (again.code, desk.provider()["client_id"]) == (0, client_id)
        assert "Nothing changes" in again.out


def test_a_dry_run_shows_the_file_and_writes_nothing(desk: Desk, scripted: ScriptedProvider) -> None:
    said = desk.run(scripted.issuer, "--yes", "--dry-run", "--api=orders=http://127.0.0.1:9/v1")
    assert (said.code, said.err) == (0, "")
    assert '"base_url": "http://127.0.0.1:9/v1/"' in said.out
    assert desk.written() == UNTOUCHED


def test_at_nanoidp_with_the_demos_api(desk: Desk, tmp_path: Path) -> None:
    """Issue 16, 4: another implementation, whose API checks signature, issuer and audience."""
    folder = tmp_path / "demo"
    folder.mkdir()
    redirects = [argument for uri in desk.callbacks for argument in ("--redirect-uri", uri)]
    with ExitStack() as stack:
        issuer = started(stack, folder, "provider", *redirects, "--folder", str(folder / "provider"))
        api = started(stack, folder, "api", "--issuer", issuer)
        arguments = (issuer, "--yes", f"--api=orders={api}")
        said = desk.run_and(lambda link: FormBrowser().sign_in(link, "ada", "analytical"), *arguments)
    assert (said.code, said.err) == (0, ""), said.out
    assert "audience of orders: The API gets the access token, and that names the API." in said.out
    assert "lifetime (seen, with advice): An access token lives" in said.out
    answered = "call of orders (seen, with advice): The API answers 404: it is reached, and has nothing at /."
    assert answered in said.out


def started(stack: ExitStack, folder: Path, part: str, *arguments: str) -> str:
    """Start a part of the demo, and return its address."""
    ready = folder / f"{part}.ready"
    module = ("-m", f"jupyter_oidc.demo.{part}", "--ready", str(ready), *arguments)
    child = Child.start(part, module, folder / f"{part}.log", os.environ)
    stack.callback(child.finish, within=20)
    stack.callback(child.release)
    return child.published(ready, within=90)


# -- at a terminal -------------------------------------------------------------------------------------------------------

NAME = r"Name of the provider here \[corp\]: "
CLIENT_ID = r"Client id, as the provider has registered it \[jupyter\]: "
HAS_SECRET = r"Does this client have a secret\? \[y/N\]: "
TYPE_SECRET = r"Client secret \(it is not shown\): "
API = r"Name of an API to call[^:]*: "
API_ADDRESS = r"Address of 'orders'.*: "
REGISTERED = r"Press Enter when that is done\. "
BY_SECRET = ["client_secret_basic"]


def test_at_a_terminal_a_few_questions_lead_to_a_session_and_a_called_api(desk: Desk) -> None:
    """Issue 16, 4: with a secret that the screen does not show, at a provider that lists no public clients."""
    client = RegisteredClient("jupyter", desk.callbacks[:1], auth_method="client_secret_basic", secret=SECRET)
    dress = Dress(metadata_with={"token_endpoint_auth_methods_supported": BY_SECRET})
    with CertifiedProvider(ProviderDocument(clients=(client,), dress=dress)) as provider, Upstream() as upstream:
        terminal = Terminal(desk.command, "setup", provider.issuer, "--no-browser")
        terminal.answer(NAME, "Not A Name")
        terminal.answer(r"A name has lower-case letters, digits, '-' and '_'\.\n" + NAME, "")
        terminal.answer(CLIENT_ID, "")
        terminal.answer(HAS_SECRET, "y")
        terminal.answer(TYPE_SECRET, SECRET)
        terminal.answer(API, "orders")
        terminal.answer(API_ADDRESS, upstream.url)
        terminal.answer(REGISTERED, "")
        provider.browser().sign_in(terminal.until(LINK + r"(?=\n)")[0], "user1", "any")
        assert terminal.end() == 0, terminal.shown
        assert "call of orders: The API answers 200 to GET /." in terminal.shown
        assert [one.path for one in upstream.seen if one.bearer] == ["/v1/"]
    assert SECRET not in terminal.shown
    assert desk.provider()["client_secret"] == f"file:{desk.config / 'jupyter_oidc-corp.secret'}"


def test_what_is_not_registered_yet_may_be_registered_while_the_command_waits(
    desk: Desk, provider: CertifiedProvider
) -> None:
    """Issue 16, 4: the provider refuses the redirect URI, an administrator registers it, and Enter looks again."""
    provider.register_client(RegisteredClient("jupyter", ("https://elsewhere.example.com/",)))
    terminal = Terminal(desk.command, "setup", provider.issuer, "--no-browser", "--name=corp", "--client-id=jupyter")
    terminal.answer(API, "")
    terminal.answer(REGISTERED, "")
    terminal.until(r"or this redirect URI is not registered to the letter")
    terminal.until(r"Correct it, then press Enter to look again")
    provider.register_client(RegisteredClient("jupyter", desk.callbacks[:1]))
    terminal.type("\n")
    provider.browser().sign_in(terminal.until(LINK + r"(?=\n)")[0], "user1", "any")
    assert terminal.end() == 0, terminal.shown


ANSWERS = (
    (NAME, ""),
    (CLIENT_ID, ""),
    (HAS_SECRET, "y"),
    (TYPE_SECRET, SECRET),
    (API, "orders"),
    (API_ADDRESS, "https://api.example.com/"),
    (REGISTERED, ""),
)


@pytest.mark.parametrize("answered", range(len(ANSWERS)))
def test_ctrl_c_at_each_question_leaves_nothing_behind(desk: Desk, answered: int) -> None:
    """Issue 16, 4: nothing is written before every question is answered."""
    with ScriptedProvider(advertise={"token_endpoint_auth_methods_supported": BY_SECRET}) as scripted:
        terminal = Terminal(desk.command, "setup", scripted.issuer)
        for prompt, answer in ANSWERS[:answered]:
            terminal.answer(prompt, answer)
        terminal.until(ANSWERS[answered][0])
        terminal.type("\x03")
        assert terminal.end() == 130, terminal.shown
    assert terminal.shown.rstrip().endswith("Stopped; nothing was written.")
    assert "Traceback" not in terminal.shown
    assert desk.written() == UNTOUCHED


def test_ctrl_c_at_the_sign_in_leaves_the_settings_and_stops_the_server(desk: Desk, scripted: ScriptedProvider) -> None:
    terminal = Terminal(desk.command, "setup", scripted.issuer, "--yes", "--no-browser")
    link = terminal.until(LINK + r"(?=\n)")[0]
    terminal.type("\x03")
    assert terminal.end() == 130, terminal.shown
    assert terminal.shown.rstrip().endswith(f"Stopped; the settings are in {desk.file}.")
    with pytest.raises(OSError, match="refused"):  # no server is there any more
        FormBrowser().open(link)


# -- what is in the way --------------------------------------------------------------------------------------------------


def test_a_wrong_client_secret_is_told_by_the_providers_code(desk: Desk) -> None:
    """Q5.1: ``invalid_client`` at the sign-in has a sentence of its own."""
    with ScriptedProvider(client_secret="right", auth_method="client_secret_basic") as scripted:
        said = desk.run_and(
            lambda link: scripted.browser().open(link), scripted.issuer, "--yes", "--client-secret-stdin", given="wrong"
        )
    assert said.code == 1
    assert "invalid_client" in said.err
    assert desk.file.exists()


def test_an_unknown_client_is_told_before_a_browser_opens(desk: Desk, provider: CertifiedProvider) -> None:
    said = desk.run(provider.issuer, "--yes", "--client-id=nobody")
    assert said.code == 1
    assert "open the registration of client 'nobody': usually the client id is unknown" in said.out
    assert said.err == (
        "The sign-in was not begun, because of what is wrong above.\n"
        "Administrator of the provider: Let it be corrected, then run this again: the settings are written.\n"
    )


@pytest.mark.parametrize(
    ("issuer", "code", "says"),
    [
        ("http://id.example.com", 2, "The issuer begins with http, and without TLS anybody on the way could sign in"),
        ("https://id.example.com/?a=b", 2, "An issuer has neither a query nor a fragment."),
        ("https://", 2, "That is not the address of an issuer."),
        ("http://127.0.0.1:9", 1, "Check that the issuer's host is right and that this machine may reach it"),
    ],
)
def test_an_issuer_that_cannot_be_used_is_told_with_who_does_what(
    desk: Desk, issuer: str, code: int, says: str
) -> None:
    said = desk.run(issuer, "--yes")
    assert said.code == code
    assert says in said.err
    assert len(said.err.splitlines()) == 2
    assert desk.written() == UNTOUCHED


@pytest.mark.parametrize(
    ("metadata", "says"),
    [
        ({"issuer": "https://elsewhere.example.com"}, "they are different names"),
        ({"code_challenge_methods_supported": ["plain"]}, "The provider does not support PKCE with S256"),
        ({"token_endpoint": None}, "token_endpoint is missing"),
        ({"response_types_supported": ["id_token"]}, "does not list the response type 'code'"),
        ({"id_token_signing_alg_values_supported": ["HS256"]}, "The provider signs ID tokens with no algorithm"),
        ({"token_endpoint": "http://id.example.com/token"}, "token_endpoint is not an https URL"),
    ],
)
def test_metadata_that_contradict_are_told_and_nothing_is_written(
    desk: Desk, metadata: dict[str, Any], says: str
) -> None:
    """Q1.10: everything in the metadata that contradicts the settings is found before the browser leaves."""
    with ScriptedProvider(advertise=metadata) as scripted:
        said = desk.run(scripted.issuer, "--yes")
    assert said.code == 1
    assert says in said.err
    assert desk.written() == UNTOUCHED


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((), "Give --name=NAME, or --yes for 'corp'."),
        (("--name=corp",), "Give --client-id=ID, or --yes for 'jupyter'."),
        (("--yes", "--api=orders"), "--api has the form NAME=URL."),
        (("--yes", "--name=No Name"), "Correct what you gave, and run this again; nothing was written."),
        (("--yes", "--strategy=device"), "The provider does not advertise sign-in by code"),
        (("--yes", "--register"), "name no endpoint at which a client could register itself"),
        (("--yes", "--client-secret-ref=the secret itself"), "is not a reference (its value is not shown here)"),
        (("--yes", "--file=settings.py"), "is no JSON file: a set-up writes JSON, since Python files are programs."),
        (("--yes", "--api=orders=http://api.example.com/"), "base_url: is not https. Write https."),
    ],
)
def test_where_nobody_can_answer_the_flag_is_named(
    desk: Desk, scripted: ScriptedProvider, arguments: tuple[str, ...], says: str
) -> None:
    said = desk.run(scripted.issuer, *arguments)
    assert said.code in (1, 2)
    assert says in said.err
    assert "the secret itself" not in said.out + said.err
    assert desk.written() == UNTOUCHED


def test_without_public_clients_a_script_has_to_say_whether_there_is_a_secret(desk: Desk) -> None:
    with ScriptedProvider(advertise={"token_endpoint_auth_methods_supported": BY_SECRET}) as scripted:
        arguments = (scripted.issuer, "--name=corp", "--client-id=jupyter", "--no-sign-in")
        said = desk.run(*arguments)
        assert said.code == 2
        assert "Give --client-secret-ref=REFERENCE or --client-secret-stdin, or --public-client." in said.err
        assert desk.run(*arguments, "--public-client").code == 0
    assert "client_secret" not in desk.provider()


def test_a_folder_that_cannot_be_written_leaves_nothing_behind(desk: Desk, scripted: ScriptedProvider) -> None:
    """A folder where not even an administrator may write; the secret that was kept goes, too."""
    arguments = (scripted.issuer, "--yes", "--client-secret-stdin", "--file=/proc/jupyter_server_config.d/corp.json")
    said = desk.run_and(print, *arguments, given=SECRET)
    assert said.code == 1
    assert "/proc/jupyter_server_config.d/corp.json cannot be written: " in said.err
    assert desk.written() == UNTOUCHED


def test_a_file_in_the_place_of_the_folder_is_told(desk: Desk, scripted: ScriptedProvider) -> None:
    (desk.config / "jupyter_server_config.d").write_text("", encoding="utf-8")
    said = desk.run(scripted.issuer, "--yes")
    assert (said.code, f"{desk.file} cannot be read." in said.err) == (1, True)
    assert desk.written() == UNTOUCHED | {"jupyter_server_config.d"}


def test_a_provider_in_a_python_file_is_left_alone(desk: Desk, scripted: ScriptedProvider) -> None:
    program = 'c.JupyterOIDC.providers = {"corp": {"issuer": "https://id.example.com", "client_id": "a"}}\n'
    (desk.config / "jupyter_server_config.py").write_text(program, encoding="utf-8")
    said = desk.run(scripted.issuer, "--yes")
    assert said.code == 1
    assert "The provider 'corp' stands in a Python file or on the command line, which no set-up can change." in said.err
    assert desk.written() == UNTOUCHED | {"jupyter_server_config.py"}


def test_settings_with_mistakes_are_told_before_anything_is_asked(desk: Desk, scripted: ScriptedProvider) -> None:
    """D8: Mistakes in the settings are listed all together."""
    desk.configure({"JupyterOIDC": {**BROKEN_KEYRING, "providers": {"corp": {"isuer": "x"}}}})
    said = desk.run(scripted.issuer, "--yes")
    assert said.code == 1
    assert "providers.corp.isuer: is not a known key. Did you mean 'issuer'?" in said.err
    assert "jupyter oidc config check" in said.err


def test_an_existing_provider_is_changed_after_its_difference_was_shown(desk: Desk, scripted: ScriptedProvider) -> None:
    """Issue 16, 4: what a set-up does not decide stays, and so do the file's other settings."""
    before = {"issuer": scripted.issuer, "clientId": "old", "allow_insecure_loopback": True, "http_timeout": 20}
    before["apis"] = {"orders": {"base_url": "http://127.0.0.1:9/", "methods": ["GET"]}}
    document = {"JupyterOIDC": {**BROKEN_KEYRING, "providers": {"corp": before}}, "Other": {"kept": True}}
    desk.configure(document)
    arguments = (scripted.issuer, "--name=corp", "--client-id=new", "--no-sign-in", "--api=reports=http://127.0.0.1:9/")
    refused = desk.run(*arguments)
    assert (refused.code, "Give --yes." in refused.err) == (2, True)
    said = desk.run(*arguments, "--yes")
    lines = said.out.splitlines()
    (removed,) = (line for line in lines if line.startswith('-{"ServerApp"'))
    assert '"clientId": "old"' in removed
    assert '+        "client_id": "new",' in lines
    told = json.loads((desk.config / "jupyter_server_config.json").read_text(encoding="utf-8"))
    assert (told["Other"], told["ServerApp"]) == ({"kept": True}, {"port": desk.port})
    assert told["JupyterOIDC"]["providers"]["corp"] == {
        "issuer": scripted.issuer,
        "client_id": "new",
        "allow_insecure_loopback": True,
        "http_timeout": 20,
        "apis": {
            "orders": {"base_url": "http://127.0.0.1:9/", "methods": ["GET"]},
            "reports": {"base_url": "http://127.0.0.1:9/"},
        },
    }


def test_a_name_that_another_issuer_has_is_not_taken_over_in_silence(desk: Desk, scripted: ScriptedProvider) -> None:
    body = {"issuer": "https://id.example.com", "client_id": "a"}
    desk.configure({"JupyterOIDC": {**BROKEN_KEYRING, "providers": {"corp": body}}})
    said = desk.run(scripted.issuer, "--yes")
    assert said.code == 2
    assert "The name 'corp' is taken by a provider with another issuer." in said.err


@pytest.mark.parametrize(
    ("status", "code", "says"),
    [
        (401, 1, "The API answers 401: it does not take this token, usually because the token is meant for another"),
        (403, 1, "The API answers 403: it knows the token, and a scope or a right is missing for this call."),
        (404, 0, "The API answers 404: it is reached, and has nothing at /."),
    ],
)
def test_what_an_api_answers_is_explained(
    desk: Desk, scripted: ScriptedProvider, status: int, code: int, says: str
) -> None:
    """Issue 16, 4: the probe of the API, through the proxy, with the session's token."""

    def judge(_: web.Request, scheme: str, token: str) -> web.Response:
        del scheme, token
        return web.Response(status=status)

    with Upstream(judge=judge) as upstream:
        arguments = (scripted.issuer, "--yes", f"--api=orders={upstream.url}")
        said = desk.run_and(lambda link: scripted.browser().open(link), *arguments)
    assert (said.code, said.err) == (code, "")
    assert says in said.out


def test_a_port_that_another_program_has_is_told(desk: Desk, scripted: ScriptedProvider) -> None:
    with socket.create_server(("127.0.0.1", desk.port)):
        said = desk.run(scripted.issuer, "--yes")
    assert said.code == 1
    assert f"Port {desk.port} is taken by another program, and the redirect URI names it." in said.err
