"""A process that a kernel starts counts as that kernel (Q4.3): real processes, without a line of the user's code."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.jupyter_process import JupyterProcess
from tests.support.notebook import run_cells

PROVIDERS = {
    "here": {
        "issuer": "https://id.example.com",
        "client_id": "jupyter",
        "apis": {"orders": {"base_url": "https://orders.example.com/"}},
    }
}
WORKER = """
import jupyter_oidc as oidc


def ask(number):
    return oidc.session().provider


def call(client):
    try:
        return client.get("items").status_code
    except oidc.OIDCError as error:
        return type(error).__name__


def sign(auth):
    return auth.api_key()[:4]
"""


@pytest.fixture(autouse=True)
def jp_server_cleanup() -> None:
    """Nothing to clean up: the servers of these tests are other processes."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JupyterProcess]:
    """A server, with a module for workers in the folder of its notebooks."""
    with JupyterProcess(tmp_path_factory.mktemp("server") / "jupyter", PROVIDERS) as process:
        (process.work / "worker.py").write_text(WORKER, encoding="utf-8")
        yield process


@pytest.mark.parametrize(
    "cell",
    [
        "from joblib import Parallel, delayed; print(Parallel(n_jobs=2)(delayed(worker.ask)(n) for n in range(2)))",
        "import multiprocessing as m\nwith m.get_context('spawn').Pool(2) as pool: print(pool.map(worker.ask, [0, 1]))",
        "import multiprocessing as m\nwith m.get_context('forkserver').Pool(2) as pool: print(pool.map(worker.ask, [0, 1]))",
        "import multiprocessing as m\nwith m.get_context('fork').Pool(2) as pool: print(pool.map(worker.ask, [0, 1]))",
        (
            "from concurrent.futures import ProcessPoolExecutor\n"
            "with ProcessPoolExecutor(2) as pool: print(list(pool.map(worker.ask, [0, 1])))"
        ),
        (
            "import subprocess, sys\nask = [sys.executable, '-c', 'import worker; print(worker.ask(0))']\n"
            "print([subprocess.run(ask, capture_output=True, text=True).stdout.strip() for _ in range(2)])"
        ),
    ],
    ids=["joblib", "spawn", "forkserver", "fork", "ProcessPoolExecutor", "subprocess"],
)
def test_processes_of_a_kernel_are_that_kernel(server: JupyterProcess, cell: str) -> None:
    """Q4.3: Child processes act as their kernel."""
    (ran,) = run_cells(server, f"import worker\n{cell}")
    assert ran.text == "['here', 'here']\n"


def test_a_client_and_an_auth_can_be_handed_to_processes(server: JupyterProcess) -> None:
    """Q4.3: in each of them it proves itself; that no user is signed in only the server can say."""
    (ran,) = run_cells(
        server,
        "import worker, jupyter_oidc as oidc\n"
        "from joblib import Parallel, delayed\n"
        "print(Parallel(n_jobs=2)([delayed(worker.call)(oidc.api('orders')), delayed(worker.sign)(oidc.auth('orders'))]))",
    )
    assert ran.text == "['NotSignedIn', 'jog.']\n"


def test_a_forked_process_does_not_write_on_the_connections_of_its_kernel(server: JupyterProcess) -> None:
    """Q4.3: sibling: the client was used before, so there is an open connection that both would talk on."""
    (ran,) = run_cells(
        server,
        "import multiprocessing as m, worker, jupyter_oidc as oidc\n"
        "orders = oidc.api('orders')\n"
        "worker.call(orders)\n"
        "def own(number):\n"
        "    return worker.call(orders)\n"
        "with m.get_context('fork').Pool(2) as pool: told = pool.map(own, range(20))\n"
        "print(set(told), worker.call(orders))",
    )
    assert ran.text == "{'NotSignedIn'} NotSignedIn\n"


def test_a_process_that_outlives_its_kernel_is_nobody(server: JupyterProcess, tmp_path: Path) -> None:
    """Q4.3: the reference it has inherited is worth nothing then."""
    left = tmp_path / "left"
    run_cells(
        server,
        "import os, subprocess, sys\n"
        f"code = '''import os, time, worker\nwhile os.path.exists(os.environ['JUPYTER_OIDC_CONNECTION_FILE']): "
        f"time.sleep(0.1)\ntry: told = worker.ask(0)\nexcept Exception as error: told = type(error).__name__\n"
        f"open({str(left)!r} + '.part', 'w').write(told); os.replace({str(left)!r} + '.part', {str(left)!r})'''\n"
        "subprocess.Popen([sys.executable, '-c', code], start_new_session=True)",
    )
    with server.client() as jupyter:
        for kernel in jupyter.get("api/kernels").json():
            jupyter.delete(f"api/kernels/{kernel['id']}")
    assert eventually(left) == "NotAKernel"


def eventually(path: Path) -> str:
    """Return the text that is written to ``path`` within half a minute."""
    until = time.monotonic() + 30
    while not path.exists() and time.monotonic() < until:
        time.sleep(0.1)
    return path.read_text(encoding="utf-8")
