"""A real server and its real kernels: each asks the server that started it, however that server listens (Q4)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.certificate import of_a_company, self_signed
from tests.support.command import Command
from tests.support.jupyter_process import JupyterProcess
from tests.support.notebook import run_cells

PROVIDERS = {
    "corp": {
        "issuer": "https://id.example.com",
        "client_id": "jupyter",
        "apis": {"orders": {"base_url": "https://orders.example.com/"}},
    }
}
ASK = "import jupyter_oidc as oidc; print(oidc.session().provider)"


@pytest.fixture(autouse=True)
def jp_server_cleanup() -> None:
    """Nothing to clean up: the servers of these tests are other processes."""


def providers(name: str) -> dict[str, Any]:
    return {name: PROVIDERS["corp"]}


def test_two_servers_with_one_home_have_kernels_that_ask_their_own(tmp_path: Path) -> None:
    """Q4.5: the file that Jupyter names after a process id is overwritten by a container where that id is the same."""
    shared = {"JUPYTER_RUNTIME_DIR": str(tmp_path / "runtime")}
    here = JupyterProcess(tmp_path / "here", providers("here"), environment=shared)
    there = JupyterProcess(tmp_path / "there", providers("there"), environment=shared)
    with here, there:
        runtime = tmp_path / "runtime"
        neighbour = (runtime / f"jpserver-{there.pid}.json").read_text(encoding="utf-8")
        (runtime / f"jpserver-{here.pid}.json").write_text(neighbour, encoding="utf-8")
        (cell,) = run_cells(here, ASK)
    assert cell.text == "here\n"


def test_a_kernel_needs_no_file_that_is_named_after_a_process(tmp_path: Path) -> None:
    """Q4.5: sibling: that file is missing, because a process in another container has deleted it."""
    with JupyterProcess(tmp_path / "jupyter", providers("here")) as process:
        (process.folder / "runtime" / f"jpserver-{process.pid}.json").unlink()
        (cell,) = run_cells(process, ASK)
    assert cell.text == "here\n"


def test_what_a_server_tells_its_kernels_holds_no_secret_and_goes_with_the_server(tmp_path: Path) -> None:
    """Q4.5: Another server of the same home is never asked."""
    with JupyterProcess(tmp_path / "jupyter", providers("here")) as process:
        (told,) = (process.folder / "runtime").glob("jupyter-oidc-*.json")
        text = told.read_text(encoding="utf-8")
        mode = told.stat().st_mode & 0o777
    assert (process.token in text, sorted(json.loads(text))) == (
        False,
        ["certificate", "client_certificate", "machine", "pid", "processes", "socket", "url"],
    )
    assert (mode, told.exists()) == (0o600, False)


def test_a_kernel_that_is_restarted_still_knows_its_server(tmp_path: Path) -> None:
    """Q4.5: sibling: a restart uses the environment with which the kernel was started."""
    with JupyterProcess(tmp_path / "jupyter", providers("here")) as process:
        cells = run_cells(process, ASK, ASK)
        jupyter = process.client()
        (kernel,) = jupyter.get("api/kernels").json()
        assert jupyter.post(f"api/kernels/{kernel['id']}/restart").status_code == 200
        again = run_cells(process, ASK)
    assert [cell.text for cell in (*cells, *again)] == ["here\n"] * 3


@pytest.mark.parametrize(
    ("names", "host"),
    [(["jupyter.example.com"], "localhost"), ([], "127.0.0.1"), (["jupyter.example.com"], "0.0.0.0")],
    ids=["a public name", "no name at all", "on all addresses"],
)
def test_a_kernel_believes_exactly_the_certificate_of_its_server(tmp_path: Path, names: list[str], host: str) -> None:
    """Q4.1: of a company's authority that this machine does not know, for a name that is not where the kernel calls."""
    certificate = of_a_company(tmp_path, names)
    with JupyterProcess(tmp_path / "jupyter", providers("here"), certificate=certificate, host=host) as process:
        (cell,) = run_cells(process, ASK)
    assert cell.text == "here\n"


def test_a_kernel_reaches_a_server_with_the_certificate_of_its_owner(tmp_path: Path) -> None:
    """Q4.1: sibling: self-signed for loopback names, as before."""
    process = JupyterProcess(tmp_path / "jupyter", providers("here"), certificate=self_signed(tmp_path))
    with process:
        (cell,) = run_cells(process, ASK)
    assert cell.text == "here\n"


def command(folder: Path, runtime: Path, **environment: str) -> Command:
    """A command at a terminal, whose Jupyter has that folder of runtime files."""
    return Command(folder, environment={"JUPYTER_RUNTIME_DIR": str(runtime), **environment})


def test_the_command_and_a_kernel_reach_a_server_on_a_unix_socket(tmp_path: Path) -> None:
    """Q4.2: A server on a Unix socket is reached."""
    process = JupyterProcess(tmp_path / "jupyter", providers("here"), sock=tmp_path / "jupyter.sock", base_url="/a/")
    with process:
        (cell,) = run_cells(process, f"{ASK}\nimport asyncio\n{ASYNC}")
        said = command(tmp_path / "command", process.folder / "runtime").run("status")
    assert cell.text == "here\nNotSignedIn\n"
    assert (said.err, "here: Not signed in" in said.out) == ("", True)


ASYNC = """
async def ask():
    try:
        await oidc.async_api("orders").get("items")
    except oidc.OIDCError as error:
        print(type(error).__name__)
await ask()
"""


def test_an_endpoint_on_a_unix_socket_says_what_other_libraries_need(tmp_path: Path) -> None:
    """Q4.2: sibling: an address with ``localhost`` leads them nowhere."""
    process = JupyterProcess(tmp_path / "jupyter", providers("here"), sock=tmp_path / "jupyter.sock")
    with process:
        (cell,) = run_cells(process, "import jupyter_oidc as oidc; oidc.endpoint('orders')")
    assert f"listens on the Unix socket {tmp_path / 'jupyter.sock'}" in cell.text


def test_a_server_on_a_unix_socket_with_https_is_reached_too(tmp_path: Path) -> None:
    """Q4.2, a sibling: A server on a Unix socket is reached.

    Q4.1: Kernels trust exactly their server's own certificate.
    """
    certificate = of_a_company(tmp_path, ["jupyter.example.com"])
    sock = tmp_path / "jupyter.sock"
    with JupyterProcess(tmp_path / "jupyter", providers("here"), sock=sock, certificate=certificate) as process:
        said = command(tmp_path / "command", process.folder / "runtime").run("status", "--server", str(sock))
    assert (said.err, "here: Not signed in" in said.out) == ("", True)


def test_the_command_believes_the_certificate_of_the_server(tmp_path: Path) -> None:
    """Q4.1: the command line as the kernel."""
    certificate = of_a_company(tmp_path, ["jupyter.example.com"])
    with JupyterProcess(tmp_path / "jupyter", providers("here"), certificate=certificate) as process:
        said = command(tmp_path / "command", process.folder / "runtime").run("status")
    assert (said.err, "here: Not signed in" in said.out) == ("", True)


def test_the_command_asks_which_of_two_servers_is_meant(tmp_path: Path) -> None:
    """Q4.5: the order of files decides nothing; in a terminal of a server it is that server."""
    shared = {"JUPYTER_RUNTIME_DIR": str(tmp_path / "runtime")}
    here = JupyterProcess(tmp_path / "here", providers("here"), environment=shared)
    there = JupyterProcess(tmp_path / "there", providers("there"), environment=shared)
    with here, there:
        unclear = command(tmp_path / "command", tmp_path / "runtime").run("status")
        named = command(tmp_path / "command", tmp_path / "runtime").run("status", "--server", here.url)
        (variable,) = run_cells(there, "import os; print(os.environ['JUPYTER_OIDC_SERVER'])")
        inside = command(tmp_path / "command", tmp_path / "runtime", JUPYTER_OIDC_SERVER=variable.text.strip()).run(
            "status"
        )
    assert unclear.err.startswith("Several Jupyter servers run here.\nName one with --server, of: http://localhost:")
    assert ("here: Not signed in" in named.out, "there: Not signed in" in inside.out) == (True, True)


def test_a_server_of_another_container_with_the_same_home_is_not_asked(tmp_path: Path) -> None:
    """Q4.5: its announcement is not for this machine, though a process with its number lives here."""
    with JupyterProcess(tmp_path / "jupyter", providers("here")) as process:
        (told,) = (process.folder / "runtime").glob("jupyter-oidc-*.json")
        neighbour = {**json.loads(told.read_text(encoding="utf-8")), "machine": "another", "url": "http://localhost:9/"}
        (told.parent / "jupyter-oidc-000.json").write_text(json.dumps(neighbour), encoding="utf-8")
        said = command(tmp_path / "command", told.parent).run("status")
    assert (said.err, "here: Not signed in" in said.out) == ("", True)


def test_a_server_without_us_is_told_from_no_server(tmp_path: Path) -> None:
    """Q4.5: sibling: it announces nothing."""
    with JupyterProcess(tmp_path / "jupyter", providers("here"), enabled=False) as process:
        said = command(tmp_path / "command", process.folder / "runtime").run("status")
    assert said.err.startswith("The running Jupyter server does not have jupyter_oidc.\n")


@pytest.mark.parametrize("given", [True, False], ids=["given", "not given"])
def test_a_server_that_demands_a_certificate_is_shown_the_one_of_the_environment(tmp_path: Path, given: bool) -> None:
    """Q4.6: as JupyterHub names it with internal TLS; without one the reason is told, to kernel and command alike."""
    own = self_signed(tmp_path)
    named = {"JUPYTERHUB_SSL_CERTFILE": str(own.certfile), "JUPYTERHUB_SSL_KEYFILE": str(own.keyfile)} if given else {}
    demand = {"client_ca": str(own.certfile)}
    process = JupyterProcess(
        tmp_path / "jupyter", providers("here"), certificate=own, server=demand, environment=named, host="127.0.0.1"
    )
    with process:
        (cell,) = run_cells(process, ASK)
        said = command(tmp_path / "command", process.folder / "runtime", **named).run("status")
    reason = "The Jupyter server lets nobody in without a client certificate, and this process has none."
    assert (cell.text == "here\n", reason in cell.text) == (given, not given)
    assert ("here: Not signed in" in said.out, said.err.startswith(reason)) == (given, not given)
