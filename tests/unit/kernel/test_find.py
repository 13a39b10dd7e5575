"""A kernel finds its server and its own proof of identity in files and variables, good and bad."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from jupyter_oidc.contract.announcement import Announcement, this_machine
from jupyter_oidc.kernel.errors import NotAKernel, ServerNotFound
from jupyter_oidc.kernel.find import Kernel, Server, find_kernel, find_server

TOLD = Announcement("http://localhost:8888/", None, None, False, this_machine(), 4711, "")


@pytest.fixture
def told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Return a function that writes the file in which the server tells this kernel where it is."""
    path = tmp_path / "jupyter-oidc-Yw3k0c8S1a9qT7xZ.json"
    monkeypatch.setenv("JUPYTER_OIDC_SERVER", str(path))

    def write(content: Announcement | str = TOLD, **changes: Any) -> None:
        text = content if isinstance(content, str) else replace(content, **changes).text()
        path.write_text(text, encoding="utf-8")

    return write


def test_the_file_that_the_environment_names_says_where_the_server_is(told: Callable[..., Any]) -> None:
    """Q4.5: Another server of the same home is never asked."""
    told(url="http://127.0.0.1:8888/user/ada/")
    assert find_server() == Server("http://127.0.0.1:8888/user/ada/", same_machine=True)


def test_no_file_is_taken_that_the_environment_does_not_name(
    told: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Q4.5: not the only file, not the one with our parent's process id, and not one beside the connection file."""
    told()
    monkeypatch.delenv("JUPYTER_OIDC_SERVER")
    monkeypatch.setenv("JPY_PARENT_PID", "4711")
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path))
    (tmp_path / "jpserver-4711.json").write_text('{"url": "http://localhost:8888/"}', encoding="utf-8")
    with pytest.raises(ServerNotFound, match="The Jupyter server of this kernel cannot be found"):
        find_server()


def test_a_kernel_that_no_server_has_started_is_told_which_kernels_can(connection_file: Path) -> None:
    """Q4.4: papermill, nbconvert and VS Code start such kernels; the message is one sentence and leads in no circle."""
    with pytest.raises(ServerNotFound, match="from what 'jupyter oidc run -- COMMAND' runs beside one"):
        find_server()


def test_a_process_on_another_machine_with_the_same_home_is_no_part_of_the_kernel(told: Callable[..., Any]) -> None:
    """Q4.5, Q4.3: on that machine, a loopback address belongs to another server."""
    told(machine="0b1f0f5e-another-boot net:[4026531840]")
    with pytest.raises(ServerNotFound, match="on another machine, or in another container"):
        find_server()


def test_a_server_that_has_ended_is_said_to_have_ended(told: Callable[..., Any]) -> None:
    """Q4.5: sibling: the file has gone with the server."""
    with pytest.raises(ServerNotFound, match="has ended, or is on another machine"):
        find_server()


def test_a_unix_socket_and_a_certificate_are_told_too(told: Callable[..., Any]) -> None:
    """Q4.1: Kernels trust exactly their server's own certificate.

    Q4.2: A server on a Unix socket is reached.
    """
    told(url="https://localhost/", socket="/run/ada/jupyter.sock", certificate="/etc/ada.pem", client_certificate=True)
    assert find_server() == Server(
        "https://localhost/", Path("/etc/ada.pem"), True, Path("/run/ada/jupyter.sock"), wants_certificate=True
    )


def test_a_server_that_told_its_kernel_is_on_this_machine_whatever_its_name(told: Callable[..., Any]) -> None:
    told(url="http://box.example.com:8888/")
    assert find_server().is_local is True


@pytest.mark.parametrize(
    "content",
    [
        *("", "{", "[]", "null", '"http://localhost/"', "{}"),
        TOLD.text().replace("http://localhost:8888/", "localhost"),
        TOLD.text().replace("http://localhost:8888/", "ftp://localhost/"),
        TOLD.text().replace('"http://localhost:8888/"', "5"),
        TOLD.text().replace('"socket": null', '"socket": 5'),
        TOLD.text().replace('"pid"', '"process"'),
    ],
)
def test_a_damaged_announcement_is_no_server(told: Callable[..., Any], content: str) -> None:
    told(content)
    with pytest.raises(ServerNotFound):
        find_server()


def test_an_announcement_that_is_not_text_is_no_server(told: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "jupyter-oidc-Yw3k0c8S1a9qT7xZ.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ServerNotFound):
        find_server()


def test_the_variable_wins_over_what_the_server_told(told: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    told()
    monkeypatch.setenv("JUPYTER_OIDC_URL", "https://hub.example.com/user/ada/")
    assert find_server().url == "https://hub.example.com/user/ada/"


def test_a_server_named_by_the_variable_may_be_behind_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUPYTER_OIDC_URL", "https://hub.example.com/user/ada/")
    assert find_server().is_local is False


def test_an_address_pasted_with_token_user_and_fragment_is_stripped_to_the_server(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("JUPYTER_OIDC_URL", " http://ada:pw@LocalHost:8888/base?token=s3cr3t#top ")
    assert find_server().url == "http://localhost:8888/base/"


@pytest.mark.parametrize(
    "url",
    [
        "localhost:8888",
        "ftp://localhost/",
        "http://",
        "http://[::1",
        "http://localhost:port/",
        "http+unix://%2Ftmp%2Fs",
    ],
)
def test_an_address_that_is_no_web_address_is_not_a_server(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("JUPYTER_OIDC_URL", url)
    with pytest.raises(ServerNotFound):
        find_server()


def test_a_wrong_address_in_the_variable_is_called_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """Q4.5: the kernel does not fall back to the server that started it."""
    monkeypatch.setenv("JUPYTER_OIDC_URL", "localhost:8888")
    with pytest.raises(ServerNotFound, match="JUPYTER_OIDC_URL is no address of a Jupyter server"):
        find_server()


@pytest.mark.parametrize(
    ("url", "local"),
    [
        ("http://localhost:8888/", True),
        ("http://127.0.0.1:8888/", True),
        ("http://127.1.2.3:8888/", True),
        ("http://[::1]:8888/", True),
        ("http://10.0.0.1:8888/", False),
        ("http://localhost.example.com/", False),
        ("http://127.0.0.1.example.com/", False),
    ],
)
def test_only_loopback_is_local(url: str, local: bool) -> None:
    assert Server(url).is_local is local


def test_the_connection_file_gives_the_kernel_id_and_the_key(connection_file: Path) -> None:
    assert find_kernel() == Kernel("5e3c8f9a-0b1d-4c2e-8f7a-6d5b4c3a2918", b"a0b1c2d3-connection-key")


def test_the_key_does_not_show_in_the_kernel_repr(connection_file: Path) -> None:
    assert "a0b1c2d3" not in repr(find_kernel())


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"key": ""}', '{"key": 5}'])
def test_a_connection_file_without_a_key_makes_no_kernel(connection_file: Path, content: str) -> None:
    connection_file.write_text(content, encoding="utf-8")
    with pytest.raises(NotAKernel):
        find_kernel()


def test_a_connection_file_that_is_not_named_after_a_kernel_makes_no_kernel(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "conn.json").write_text('{"key": "k"}', encoding="utf-8")
    monkeypatch.setenv("JUPYTER_OIDC_CONNECTION_FILE", str(tmp_path / "conn.json"))
    with pytest.raises(NotAKernel):
        find_kernel()


def test_a_missing_connection_file_makes_no_kernel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUPYTER_OIDC_CONNECTION_FILE", str(tmp_path / "kernel-gone.json"))
    with pytest.raises(NotAKernel):
        find_kernel()


def test_a_plain_python_process_is_told_where_to_run(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(
        NotAKernel,
        match="Run this in a notebook of a Jupyter server with jupyter_oidc, or beside one with 'jupyter oidc run",
    ):
        find_kernel()
