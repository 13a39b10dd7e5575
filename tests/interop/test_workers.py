"""Workers that are no kernels call by a grant: separate processes, without anything of a kernel's in their environment."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.interop.person import Person, at_work
from tests.support.canary import CANARY
from tests.support.certified_provider import CertifiedProvider
from tests.support.clean_environment import without_jupyter
from tests.support.upstream import Upstream

DELEGATE = """
import json, pickle
import jupyter_oidc as oidc
grant = oidc.delegate("orders", name="cluster"{more})
pickle.dump((grant, grant.api(), grant.auth()), open("work.pickle", "wb"))
json.dump(grant.environment(), open("environment.json", "w"))
print(repr(grant))
"""

BY_PICKLE = """
import pickle, httpx
grant, client, auth = pickle.load(open("work.pickle", "rb"))
with grant.api() as own:
    print(own.get("items").status_code, client.get("items").status_code)
print(httpx.get(auth.base_url + "items", auth=auth).status_code)
grant.use()
import jupyter_oidc as oidc
print(oidc.api("orders").get("items").status_code)
"""

BY_ENVIRONMENT = """
import jupyter_oidc as oidc
print(oidc.api("orders").get("items").status_code)
"""

REFUSED = """
import pickle
import jupyter_oidc as oidc
grant = pickle.load(open("work.pickle", "rb"))[0]
def refusal(call):
    try:
        call()
    except Exception as error:
        print(type(error).__name__, "|", error.message)
refusal(lambda: grant.api().delete("items"))
refusal(lambda: grant.api("plans"))
grant.use()
refusal(lambda: oidc.sign_out("corp"))
refusal(lambda: oidc.session("corp"))
refusal(lambda: oidc.delegate("orders"))
"""

ENDED = """
import pickle
grant = pickle.load(open("work.pickle", "rb"))[0]
try:
    grant.api().get("items")
except Exception as error:
    print(type(error).__name__, "|", error.message, "|", error.action)
"""


@pytest.fixture
def person(tmp_path: Path, provider: CertifiedProvider, upstream: Upstream) -> Iterator[Person]:
    with at_work(tmp_path, provider, upstream) as person:
        person.sign_in()
        yield person


def worker(person: Person, program: str, **environment: str) -> str:
    """Run ``program`` in a Python that no kernel has started; return what it prints."""
    clean = without_jupyter()
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=person.process.work,
        env={**clean, "LANGUAGE": "en", **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    CANARY.look("the output of a worker", done.stdout + done.stderr)
    return done.stdout.strip()


def delegated(person: Person, more: str = ", outlives_kernel=True") -> dict[str, str]:
    """Let a kernel make a grant; return what it would put into a worker's environment."""
    (cell,) = person.run(DELEGATE.format(more=more))
    assert cell.error is None, cell.error
    assert "orders: GET, HEAD" in cell.text
    environment: dict[str, str] = json.loads((person.process.work / "environment.json").read_text(encoding="utf-8"))
    return environment


def test_a_worker_calls_by_a_pickle_and_by_its_environment(person: Person, provider: CertifiedProvider) -> None:
    environment = delegated(person)
    assert worker(person, BY_PICKLE).split() == ["200"] * 4
    assert worker(person, BY_ENVIRONMENT, **environment) == "200"
    shipped = (person.process.work / "work.pickle").read_bytes() + str(environment).encode()
    assert [kind for kind, secret in provider.record().issued if secret.encode() in shipped] == []


def test_a_pickle_of_a_grant_names_plain_values_and_no_key(person: Person) -> None:
    """It holds the grant's own text, and nothing by which a kernel proves itself."""
    delegated(person)
    grant, *_ = pickle.loads((person.process.work / "work.pickle").read_bytes())
    assert "jow." not in repr(grant)
    shipped = (person.process.work / "work.pickle").read_bytes()
    keys = [file.read_bytes() for file in (person.process.folder / "runtime").glob("kernel-*.json")]
    assert all(key not in shipped for key in keys)
    assert person.process.token.encode() not in shipped


def test_a_worker_is_refused_what_the_grant_does_not_name(person: Person) -> None:
    delegated(person)
    said = [line.partition(" | ")[0] for line in worker(person, REFUSED).splitlines()]
    assert said == ["Forbidden", "GrantInvalid", "GrantInvalid", "GrantInvalid", "ServerNotFound"]
    assert person.summary()["state"] == "active"


@pytest.mark.parametrize("ending", ["its kernel", "a revocation", "a sign-out"])
def test_a_worker_is_told_when_its_grant_has_ended(person: Person, ending: str) -> None:
    delegated(person, "" if ending == "its kernel" else ", outlives_kernel=True")
    if ending == "a revocation":
        (living,) = person.jupyter.get("jupyter-oidc/grants").json()["grants"]
        person.jupyter.delete(f"jupyter-oidc/grants/{living['id']}").raise_for_status()
    elif ending == "a sign-out":
        person.post("sign-out").raise_for_status()
    else:
        for kernel in person.jupyter.get("api/kernels").json():
            person.jupyter.delete(f"api/kernels/{kernel['id']}").raise_for_status()
    name, message, action = worker(person, ENDED).split(" | ")
    assert (name, action) == ("GrantInvalid", "Make a new one in the notebook: oidc.delegate().")
    assert message.startswith("The worker grant has ended")


def test_a_block_revokes_its_grant_and_the_table_shows_what_lives(person: Person) -> None:
    cells = person.run(
        "import jupyter_oidc as oidc",
        "kept = oidc.delegate('orders', name='kept')\n"
        "with oidc.delegate('orders', name='short') as grant:\n"
        "    grant.api().get('items')\n"
        "    print([one.name for one in oidc.grants()])\n"
        "print([one.name for one in oidc.grants()])\n"
        "oidc.grants()[kept.id].revoke()\n"
        "print(oidc.grants())",
    )
    assert cells[1].text.splitlines() == [
        "['kept', 'short']",
        "['kept']",
        "No worker has a grant. Make one: oidc.delegate('orders').",
    ]


def test_every_process_of_a_pool_calls_by_one_pickle(person: Person, upstream: Upstream) -> None:
    """Four processes that were spawned by a process which is no kernel either."""
    delegated(person)
    (person.process.work / "pooled.py").write_text(
        "import pickle\n"
        "from concurrent.futures import ProcessPoolExecutor\n"
        "from multiprocessing import get_context\n"
        "def status(job):\n"
        "    grant, number = job\n"
        "    return grant.api().get(f'items/{number}').status_code\n"
        "if __name__ == '__main__':\n"
        "    grant = pickle.load(open('work.pickle', 'rb'))[0]\n"
        "    with ProcessPoolExecutor(4, mp_context=get_context('spawn')) as pool:\n"
        "        print(list(pool.map(status, [(grant, number) for number in range(12)])))\n",
        encoding="utf-8",
    )
    assert worker(person, "import runpy; runpy.run_path('pooled.py', run_name='__main__')") == str([200] * 12)
    assert len([seen for seen in upstream.seen if seen.path.startswith("/v1/items/")]) == 12
