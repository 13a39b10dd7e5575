"""``jupyter oidc config`` checks, shows, imports and exports settings."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import url2pathname

import pytest

from jupyter_oidc.settings import Settings, read_settings
from jupyter_oidc.settings.presets import names
from tests.support.certified_provider import CertifiedProvider
from tests.support.command import Command

DESKTOP = {
    "issuer": "https://clerk.example.com",
    "clientId": "desktop",
    "redirectUri": "http://127.0.0.1/callback",
    "scopes": ["openid", "profile", "offline_access"],
    "audience": "https://api.example.com",
    "sendAudienceInAuthorize": False,
    "apiBearerTokenSource": "id_token",
    "allowedSignOutOrigins": ["https://clerk.example.com"],
}


def written(folder: Path, name: str, document: Any) -> str:
    path = folder / name
    path.write_text(document if isinstance(document, str) else json.dumps(document), encoding="utf-8")
    return str(path)


def test_check_reports_all_mistakes_with_their_class(tmp_path: Path) -> None:
    """D8: Mistakes in the settings are listed all together."""
    broken = {"issuer": "http://id.example.com", "clientId": "a", "client_id": "b", "isuer": 1}
    said = Command(tmp_path, {"providers": {"corp": broken}}).run("config", "check")
    assert said.code == 1
    assert said.out.splitlines() == [
        "contradictory: providers.corp.client_id: is written twice, in two spellings. Keep one of them.",
        "unsafe: providers.corp.issuer: is not https. Write https.",
        "malformed: providers.corp.isuer: is not a known key. Did you mean 'issuer'?",
        "3 to correct.",
    ]


@pytest.mark.parametrize(
    ("document", "code", "out"),
    [
        (DESKTOP | {"redirectUri": None}, 0, "Nothing to correct: corp.\n"),
        ({"JupyterOIDC": {"providers": {"a": {"issuer": "https://id.example.com", "client_id": "j"}}}}, 0, ": a.\n"),
        (DESKTOP | {"redirectUri": None, "$schema": "file:///x.json"}, 0, "Nothing to correct: corp.\n"),
        ({"$schema": "x.json", "JupyterOIDC": {"providers": {}}}, 0, "Nothing to correct: no provider.\n"),
        ("{", 1, "is not JSON. Correct it; 'python -m json.tool FILE' says where.\n1 to correct.\n"),
        ("[]", 1, "is not a JSON object. Write {...}.\n1 to correct.\n"),
    ],
    ids=["flat", "section", "flat with a schema", "section beside a schema", "half a file", "a list"],
)
def test_check_reads_a_file_by_itself(tmp_path: Path, document: Any, code: int, out: str) -> None:
    said = Command(tmp_path).run("config", "check", written(tmp_path, "file.json", document))
    assert (said.code, said.out.endswith(out)) == (code, True), said.out


def test_check_online_asks_for_metadata_and_keys(tmp_path: Path, provider: CertifiedProvider) -> None:
    """G-6: Configuration can be checked without signing in."""
    body = {"issuer": provider.issuer, "client_id": "nobody", "allow_insecure_loopback": True}
    said = Command(tmp_path, {"providers": {"corp": body}}).run("config", "check", "--online")
    assert said.code == 0, said.out
    assert "keys: The provider publishes a key for RS256." in said.out
    assert "registration" not in said.out


def test_show_has_the_preset_and_the_defaults_and_no_secret(tmp_path: Path) -> None:
    body = {
        "preset": "google",
        "issuer": "https://accounts.google.com",
        "client_id": "a",
        "client_secret": "env:GOOGLE_CLIENT_SECRET",
    }
    said = Command(tmp_path, {"providers": {"corp": body}}).run("config", "show", "corp")
    shown = said.json()["corp"]
    assert shown["authorization_parameters"] == {"access_type": "offline"}
    assert (shown["client_secret"], shown["clock_skew"]) == ("env:GOOGLE_CLIENT_SECRET", 60)


def test_the_desktop_file_is_imported_and_a_running_server_would_find_it(tmp_path: Path) -> None:
    command = Command(tmp_path)
    said = command.run("config", "import", written(tmp_path, "desktop.json", DESKTOP))
    assert said.code == 0, said.err
    assert said.err.startswith("Left out: providers.corp.redirectUri, which does not lead to this server.")
    target = tmp_path / "config" / "jupyter_server_config.d" / "jupyter_oidc-corp.json"
    assert json.loads(target.read_text(encoding="utf-8"))["JupyterOIDC"]["providers"]["corp"] == {
        "issuer": "https://clerk.example.com",
        "client_id": "desktop",
        "scopes": ["openid", "profile", "offline_access"],
        "audience": "https://api.example.com",
        "api_bearer_token_source": "id_token",
        "allowed_sign_out_origins": ["https://clerk.example.com"],
    }
    assert command.run("config", "check").out == "Nothing to correct: corp.\n"


def test_an_import_replaces_nothing_unless_told_so(tmp_path: Path) -> None:
    command = Command(tmp_path)
    file = written(tmp_path, "desktop.json", DESKTOP)
    assert command.run("config", "import", file).code == 0
    again = command.run("config", "import", file)
    assert (again.code, "is there already. Use -y to replace it." in again.err) == (1, True)
    assert command.run("config", "import", file, "-y").code == 0


def test_an_import_with_a_mistake_writes_nothing_and_repeats_no_secret(tmp_path: Path) -> None:
    command = Command(tmp_path)
    said = command.run("config", "import", written(tmp_path, "d.json", DESKTOP | {"clientSecret": "hunter2hunter2"}))
    assert (said.code, "unsafe: providers.corp.client_secret" in said.out) == (1, True)
    assert "hunter2" not in said.out + said.err
    assert not (tmp_path / "config" / "jupyter_server_config.d").exists()


def test_an_import_says_which_secrets_of_this_machine_it_sends_where(tmp_path: Path) -> None:
    """G-1: an attacker's settings file can name any file, and send it to a token endpoint of the attacker's."""
    hostile = {
        "issuer": "https://id.example.net",
        "clientId": "x",
        "clientSecret": "file:~/.ssh/id_ed25519",
        "tokenEndpointAuthMethod": "client_secret_post",
        "apis": {
            "orders": {
                "baseUrl": "https://api.example.com/",
                "egressProxy": "http://proxy.example.net:3128",
                "egressProxyCredentials": "env:AWS_SECRET_ACCESS_KEY",
            }
        },
    }
    document = {"JupyterOIDC": {"providers": {"other": hostile}}}
    said = Command(tmp_path).run("config", "import", written(tmp_path, "d.json", document))
    assert said.code == 0
    unless = "remove that from the file unless you meant it."
    assert said.err.splitlines() == [
        "'other' signs in at https://id.example.net.",
        (
            "It sends what 'file:~/.ssh/id_ed25519' holds to https://id.example.net "
            f"(providers.other.client_secret); {unless}"
        ),
        (
            "It sends what 'env:AWS_SECRET_ACCESS_KEY' holds to http://proxy.example.net:3128 "
            f"(providers.other.apis.orders.egress_proxy_credentials); {unless}"
        ),
    ]


def test_what_is_exported_can_be_imported_and_means_the_same(tmp_path: Path) -> None:
    body = {
        "preset": "cognito",
        "issuer": "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_AbC",
        "client_id": "a",
        "end_session_endpoint": "https://pool.example.com/logout",
        "redirect_uri": "https://j.example.com/jupyter-oidc/providers/corp/callback",
        "ca_bundle": "/etc/ca.pem",
        "max_age": 60,
        "apis": {
            "orders": {"base_url": "https://api.example.com/", "methods": ["GET"], "reply_headers": ["X-A", "X-B"]}
        },
    }
    exported = Command(tmp_path / "a", {"providers": {"corp": body}}).run("config", "export", "corp")
    assert exported.json()["postLogoutRedirectParameter"] == "logout_uri"
    other = Command(tmp_path / "b")
    assert other.run("config", "import", written(tmp_path, "exported.json", exported.out)).code == 0
    target = tmp_path / "b" / "config" / "jupyter_server_config.d" / "jupyter_oidc-corp.json"
    imported = json.loads(target.read_text(encoding="utf-8"))["JupyterOIDC"]["providers"]
    before = read_settings({"corp": body})
    assert isinstance(before, Settings)
    assert read_settings(imported) == before


def test_the_presets_are_listed_and_each_shows_settings_and_facts(tmp_path: Path) -> None:
    command = Command(tmp_path)
    assert [line.split()[0] for line in command.run("config", "preset").out.splitlines()] == list(names())
    said = command.run("config", "preset", "cognito", "--provider", "work")
    body = said.json()["JupyterOIDC"]["providers"]["work"]
    assert body["post_logout_redirect_uri"] == "https://{jupyter}/jupyter-oidc/providers/work/signed-out"
    assert "logout: A page of its own at /logout that takes client_id and logout_uri" in said.err
    assert "https://docs.aws.amazon.com/cognito/latest/developerguide/logout-endpoint.html" in said.err
    file = written(tmp_path, "cognito.json", said.out)
    assert "missing: providers.work.issuer: still holds a placeholder." in command.run("config", "check", file).out


def test_the_schema_is_printed_and_the_server_leaves_its_address_alone(tmp_path: Path) -> None:
    command = Command(tmp_path, {})
    address = command.run("config", "schema", "--address").out.strip()
    printed = command.run("config", "schema").json()
    assert json.loads(Path(url2pathname(urlsplit(address).path)).read_text(encoding="utf-8")) == printed
    body = {"issuer": "https://id.example.com", "client_id": "jupyter"}
    folder = tmp_path / "config" / "jupyter_server_config.d"
    folder.mkdir()
    written(folder, "corp.json", {"$schema": address, "JupyterOIDC": {"providers": {"corp": body}}})
    said = command.run("config", "check")
    assert (said.code, said.out, said.err) == (0, "Nothing to correct: corp.\n", "")


@pytest.mark.parametrize(
    "words",
    [["--help"], ["doctor", "--help"], ["config", "--help"], ["config", "import", "--help"], ["status", "--help"]],
)
def test_help_teaches_with_examples(tmp_path: Path, words: list[str]) -> None:
    said = Command(tmp_path).run(*words)
    assert said.code == 0
    assert "Examples\n--------\n\n    jupyter oidc" in said.out


def test_a_command_without_a_subcommand_shows_what_there_is(tmp_path: Path) -> None:
    said = Command(tmp_path).run("config")
    assert (said.code, "Report all mistakes together." in said.out) == (2, True)


def test_a_python_file_is_read_as_the_server_reads_it(tmp_path: Path) -> None:
    command = Command(tmp_path)
    (tmp_path / "config" / "jupyter_server_config.json").unlink()
    (tmp_path / "config" / "jupyter_server_config.py").write_text(
        "c.JupyterOIDC.providers.update({'corp': {'issuer': 'https://id.example.com', 'client_id': 'jupyter'}})\n"
        "c.JupyterOIDC.storage = 'memory'\n",
        encoding="utf-8",
    )
    assert command.run("config", "check").out == "Nothing to correct: corp.\n"


def test_providers_of_the_wrong_type_are_a_finding(tmp_path: Path) -> None:
    """D8: Mistakes in the settings are listed all together."""
    said = Command(tmp_path, {"providers": ["corp"]}).run("config", "check")
    assert (said.code, said.out.splitlines()[0]) == (
        1,
        "malformed: providers: is not a mapping. Write {name: {settings}}.",
    )


def program(folder: Path, text: str) -> None:
    (folder / "config" / "jupyter_server_config.py").write_text(text, encoding="utf-8")


def checked(tmp_path: Path, text: str) -> tuple[int, list[str]]:
    """Check the settings that the server would read, with a Python file of this ``text``."""
    command = Command(tmp_path, {})
    program(tmp_path, text)
    said = command.run("config", "check")
    return said.code, said.out.splitlines()


def test_check_finds_a_python_file_that_is_no_python(tmp_path: Path) -> None:
    """Q7.2: Jupyter goes on without it, and without a word on its content."""
    path = tmp_path / "config" / "jupyter_server_config.py"
    assert checked(tmp_path, "c.JupyterOIDC.providers = {\n") == (
        1,
        [
            f"malformed: file {path}: is not Python (line 1). Correct it; Jupyter leaves out what such a file says.",
            "1 to correct.",
        ],
    )


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("c.JupyterOIDC.storage = nothing\n", "ends with an error when it is run (NameError)"),
        ("open('/nowhere/secret')\n", "cannot be read, or what it reads cannot"),
        ("raise ValueError('secret')\n", "ends with an error when it is run (ValueError)"),
    ],
)
def test_check_finds_a_python_file_that_ends_early(tmp_path: Path, text: str, problem: str) -> None:
    """Q7.2: named by the kind of its error, and not by its text."""
    code, lines = checked(tmp_path, text)
    assert (code, len(lines)) == (1, 2)
    assert problem in lines[0]


def test_check_knows_the_traits_of_the_section(tmp_path: Path) -> None:
    """Q7.2: in a Python file."""
    code, lines = checked(tmp_path, "c.JupyterOIDC.provider = {}\nc.JupyterOIDC.default_url = '/'\n")
    path = tmp_path / "config" / "jupyter_server_config.py"
    assert code == 1
    assert lines == [
        f"malformed: file {path}: JupyterOIDC.provider: is not a known key. Did you mean 'providers'?",
        "1 to correct.",
    ]


def test_check_knows_them_in_json_too_and_the_name_of_the_section(tmp_path: Path) -> None:
    """Q7.2: in the main file, in a folder, and under a name that nothing reads."""
    command = Command(tmp_path, {"storages": "memory"})
    folder = tmp_path / "config" / "jupyter_server_config.d"
    folder.mkdir()
    written(folder, "a.json", {"JupyterOidc": {"providers": {}}})
    written(folder, "b.json", {"JupyterOIDC": {"setting_sources": "system"}, "JupyterApp": {}})
    said = command.run("config", "check")
    main = tmp_path / "config" / "jupyter_server_config.json"
    sources = "JupyterOIDC.setting_sources"
    assert (said.code, said.out.splitlines()) == (
        1,
        [
            f"malformed: file {folder / 'a.json'}: JupyterOidc: is no section that anything reads. Did you mean 'JupyterOIDC'?",
            f"malformed: file {folder / 'b.json'}: {sources}: is not a known key. Did you mean 'settings_sources'?",
            f"malformed: file {main}: JupyterOIDC.storages: is not a known key. Did you mean 'storage'?",
            "3 to correct.",
        ],
    )


def test_check_takes_every_switch(tmp_path: Path) -> None:
    """Q7.2: the switches that only a start of the server reads are keys of the section, too."""
    switches = ["close_process", "allow_remote_kernels", "grant_kernels_of_others", "audit_person", "reload"]
    said = Command(tmp_path, dict.fromkeys(switches, True)).run("config", "check")
    assert (said.code, said.out) == (0, "Nothing to correct: no provider.\n"), said.err


def test_check_knows_them_on_the_command_line(tmp_path: Path) -> None:
    """Q7.2: A file that cannot be read is a finding."""
    said = Command(tmp_path, {}).run("config", "check", "--JupyterOIDC.provider={}")
    assert (said.code, said.out.splitlines()[0]) == (
        1,
        "malformed: JupyterOIDC.provider: is not a known key. Did you mean 'providers'?",
    )


def test_check_repeats_no_key_that_could_be_a_secret(tmp_path: Path) -> None:
    """Q7.2: A file that cannot be read is a finding. D8: Mistakes in the settings are listed all together."""
    said = Command(tmp_path, {"s3cr3t-Value!": 1}).run("config", "check")
    assert (said.code, "s3cr3t" in said.out) == (1, False)


@pytest.mark.parametrize(
    ("make", "problem"),
    [
        (lambda path: path.symlink_to(path), "cannot be read"),
        (lambda path: path.symlink_to("nowhere"), "is gone"),
        (lambda path: path.mkdir(), "is no regular file"),
        (lambda path: path.write_bytes(b"\xff"), "is not JSON"),
    ],
    ids=["a loop of links", "a link to nothing", "a folder", "binary"],
)
def test_check_finds_a_file_that_cannot_be_read(tmp_path: Path, make: Callable[[Path], object], problem: str) -> None:
    """Q7.2: for every reason, the server leaves out the settings in it."""
    command = Command(tmp_path, {})
    folder = tmp_path / "config" / "jupyter_server_config.d"
    folder.mkdir()
    make(folder / "corp.json")
    said = command.run("config", "check")
    assert (said.code, said.out.splitlines()[0]) == (
        1,
        f"malformed: file {folder / 'corp.json'}: {problem}. Correct it; 'python -m json.tool FILE' says where.",
    )


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        ("own.py", "c.JupyterOIDC.providers = {", "is not Python (line 1)"),
        ("own.py", "c.JupyterOIDC.provider = {}", "JupyterOIDC.provider: is not a known key"),
        ("own.json", '{"JupyterOIDC": {"provider": {}}}', "JupyterOIDC.provider: is not a known key"),
    ],
)
def test_check_finds_the_same_in_a_file_that_is_named(tmp_path: Path, name: str, text: str, problem: str) -> None:
    """Q7.2: A file that cannot be read is a finding."""
    said = Command(tmp_path).run("config", "check", written(tmp_path, name, text))
    assert (said.code, problem in said.out) == (1, True), said.out


def test_check_takes_a_sound_python_file(tmp_path: Path) -> None:
    """Q7.2: the control of the tests above."""
    text = "c.JupyterOIDC.providers = {'corp': {'issuer': 'https://id.example.com', 'client_id': 'j'}}"
    said = Command(tmp_path).run("config", "check", written(tmp_path, "own.py", text))
    assert (said.code, said.out) == (0, "Nothing to correct: corp.\n")
