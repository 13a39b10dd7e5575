"""A whole journey in a server for which a cell has written modules, wherever Python would look for them (Q8.3).

The server's process notes each module that it begins to import, from the first kernel on.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.interop.person import at_work
from tests.support.certified_provider import CertifiedProvider, ProviderDocument
from tests.support.guarded_api import KeyGuard
from tests.support.signing_key import SigningKey
from tests.support.upstream import Upstream

WATCH = """
import os, site, sys
sys.path.insert(1, site.getusersitepackages())
sys.path.append("relative")
told = open(os.path.join({seen!r}, f"imports-{{os.getpid()}}"), "a", buffering=1)
started = []
def watch(event, arguments):
    if event == "subprocess.Popen" and "ipykernel_launcher" in arguments[1]:
        started.append(True)
    if event == "import" and started:
        told.write(arguments[0] + "\\n")
sys.addaudithook(watch)
"""
"""The code at the start of each process of this test: the folder of the user's own packages, and the watch."""

PLANT = """
import os, pathlib
code = "import os, pathlib\\npathlib.Path({seen!r}, f'ran-{{os.getpid()}}-%s-%s').touch()\\nraise ImportError\\n"
for place in {places!r}:
    folder = pathlib.Path(place)
    folder.mkdir(parents=True, exist_ok=True)
    for name in {names!r}:
        (folder / (name + ".py")).write_text(code % (folder.name, name))
"""

NAMES = (
    *("aiohttp", "httpx", "httpcore", "h11", "h2", "joserfc", "keyring", "secretstorage", "jeepney", "gi", "dbus"),
    *("filelock", "truststore", "yarl", "multidict", "brotli", "brotlicffi", "zstandard", "trio", "socksio", "click"),
    *("rich", "anyio", "cryptography", "fastjsonschema", "netrc", "tarfile", "certifi", "requests", "aiodns"),
)
"""The modules that the server imported late during this journey, and those that it looked for in vain."""


@dataclass(frozen=True)
class Journey:
    """Observations of the server: the cell's modules that ran in it, and the imports that it began."""

    ran: set[str]
    imported: list[str]
    log: str
    answers: tuple[object, ...]


@pytest.fixture(scope="module")
def journey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Journey]:
    folder = tmp_path_factory.mktemp("journey")
    seen, start, packages, base = (folder / name for name in ("seen", "start", "packages", "base"))
    for place in (seen, start, packages):
        place.mkdir()
    (start / "sitecustomize.py").write_text(WATCH.format(seen=str(seen)), encoding="utf-8")
    key = SigningKey.ec("k1")
    (folder / "client.pem").write_bytes(key.private_pem())
    only = {"jupyter_oidc": True, "jupyter_server_terminals": True}
    others = ("jupyterlab", "jupyter_lsp", "jupyter_server_proxy", "notebook", "notebook_shim")
    with (
        CertifiedProvider(ProviderDocument(dpop_nonces=True)) as provider,
        Upstream(judge=_registered(provider)) as upstream,
        at_work(
            folder,
            provider,
            upstream,
            changes={
                "token_endpoint_auth_method": "private_key_jwt",
                "client_assertion_key": f"file:{folder / 'client.pem'}",
                "client_assertion_key_id": "k1",
                "dpop_bound_access_tokens": True,
            },
            client={
                "auth_method": "private_key_jwt",
                "more": {"jwks": {"keys": [key.public_jwk()]}, "dpop_bound_access_tokens": True},
            },
            storage="auto",
            server={"jpserver_extensions": {**only, **dict.fromkeys(others, False)}},
            environment={
                "PYTHONPATH": f"{start}:{packages}",
                "PYTHONUSERBASE": str(base),
                "JUPYTER_OIDC_STORAGE_KEY": "A" * 43,
            },
        ) as person,
    ):
        user_site = base / "lib" / f"python{sys.version_info.major}.{sys.version_info.minor}" / "site-packages"
        places = [str(person.process.folder), str(person.process.work), str(packages), str(user_site)]
        person.run(PLANT.format(seen=str(seen), places=places, names=NAMES))
        person.sign_in()
        call = person.jupyter.get("jupyter-oidc/api/orders/items").status_code
        doctor = person.jupyter.get("jupyter-oidc/diagnostics").status_code
        state = person.post("refresh").json()["state"]
        revoked = person.post("sign-out").json()["revoked"]
        pid = person.process.pid
        yield Journey(
            {file.name.removeprefix(f"ran-{pid}-") for file in seen.glob(f"ran-{pid}-*")},
            (seen / f"imports-{pid}").read_text(encoding="utf-8").split(),
            person.process.log,
            (call, doctor, state, revoked),
        )


def _registered(provider: CertifiedProvider) -> KeyGuard:
    guard = KeyGuard(provider)
    guard.register()
    return guard


def test_no_module_that_a_cell_writes_runs_in_the_server(journey: Journey) -> None:
    """Q8.3: in the folder in which the server was started, the served one, on PYTHONPATH and among the user's packages."""
    assert journey.ran == set()


def test_the_journey_was_one(journey: Journey) -> None:
    """Q8.3: that the tests beside this one can fail: everything that needs those modules was done, and worked."""
    assert journey.answers == (200, 200, "active", "done")


def test_nothing_is_imported_for_the_first_time_once_a_kernel_runs(journey: Journey) -> None:
    """Q8.3: sibling: not even from the installation, which in many homes belongs to the user."""
    assert journey.imported == []


def test_the_log_names_the_places_where_modules_are_looked_for_no_longer(journey: Journey) -> None:
    """Q8.3: another extension may miss one of them, and the administrator has to find out why."""
    assert "jupyter_oidc: this server looks no longer for modules in " in journey.log
    assert "/packages'" in journey.log
