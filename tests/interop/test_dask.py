"""A Dask cluster whose scheduler and workers are no children of the kernel: its tasks call by a grant."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.interop.person import Person, at_work
from tests.support.canary import CANARY
from tests.support.certified_provider import CertifiedProvider
from tests.support.clusters import dask_cluster
from tests.support.upstream import Upstream

CONNECT = """
from dask.distributed import Client
import jupyter_oidc as oidc
client = Client("tcp://127.0.0.1:{port}", timeout=60)
client.wait_for_workers(2, timeout=60)
"""

TASK = """
def status(number):
    import jupyter_oidc as oidc
    try:
        return oidc.api("orders").get(f"items/{number}").status_code
    except Exception as error:
        return type(error).__name__
def everywhere():
    return sorted(set(client.gather(client.map(status, range(20), pure=False))), key=str)
"""

IDENTITY = """
def environment():
    import os
    return [name for name in os.environ if name.startswith(("JUPYTER", "JPY_"))]
print(sorted(client.run(environment).values()))
"""


@pytest.fixture
def person(tmp_path: Path, provider: CertifiedProvider, upstream: Upstream) -> Iterator[Person]:
    with at_work(tmp_path, provider, upstream) as person:
        person.sign_in()
        yield person


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[int]:
    """A scheduler and two workers, started by this process without anything of Jupyter's; yields the scheduler's port."""
    with dask_cluster(tmp_path) as port:
        yield port


def test_tasks_call_by_the_grant_of_a_plugin_and_no_longer_than_it_lives(
    person: Person, cluster: int, provider: CertifiedProvider, upstream: Upstream, tmp_path: Path
) -> None:
    cells = person.run(
        CONNECT.format(port=cluster),
        IDENTITY,
        TASK + "print(everywhere())",
        'access = oidc.dask.Access("orders", hours=1)\nclient.register_plugin(access)\nprint(everywhere())',
        "print([one.name for one in oidc.grants()])",
        "access.revoke()\nprint(everywhere())",
        'client.register_plugin(oidc.dask.Access("orders"))\nprint(everywhere())',
        'client.unregister_worker_plugin("jupyter_oidc")\nprint(everywhere())',
    )
    assert [cell.error for cell in cells] == [None] * len(cells)
    assert [cell.text.strip() for cell in cells[1:]] == [
        "[[], []]",
        "['ServerNotFound']",
        "[200]",
        "['Dask']",
        "['GrantInvalid']",
        "[200]",
        "['ServerNotFound']",
    ]
    assert len([seen for seen in upstream.seen if seen.path.startswith("/v1/items/")]) == 40
    log = (tmp_path / "dask.log").read_text(encoding="utf-8", errors="replace")
    CANARY.look("the log of Dask", log)
    assert "jow." not in log


def test_a_kernel_whose_own_process_runs_the_tasks_stays_the_kernel(person: Person) -> None:
    """Else it could no longer revoke the grant, and would lose what a kernel may."""
    (cell,) = person.run(
        "from dask.distributed import Client\n"
        "import jupyter_oidc as oidc\n"
        "client = Client(processes=False, dashboard_address=None)\n"
        "access = oidc.dask.Access('orders')\n"
        "client.register_plugin(access)\n"
        "print(client.submit(lambda: oidc.api('orders').get('items').status_code, pure=False).result())\n"
        "access.revoke()\n"
        "print(oidc.grants(), oidc.session('corp').state)\n"
        "client.close()"
    )
    assert cell.error is None, cell.text
    assert cell.text.split("\n")[:2] == ["200", "No worker has a grant. Make one: oidc.delegate('orders'). active"]


def test_tasks_end_with_the_sign_out(person: Person, cluster: int) -> None:
    """At once, and the next sign-in does not bring their grant back."""
    register = (
        f'{CONNECT.format(port=cluster)}{TASK}client.register_plugin(oidc.dask.Access("orders", outlives_kernel=True))'
    )
    (cell,) = person.run(f"{register}\nprint(everywhere())")
    assert cell.text.strip() == "[200]", cell.error
    person.post("sign-out").raise_for_status()
    ask = f"{CONNECT.format(port=cluster)}{TASK}print(everywhere())"
    assert person.run(ask)[0].text.strip() == "['GrantInvalid']"
    person.sign_in()
    assert person.run(ask)[0].text.strip() == "['GrantInvalid']"
