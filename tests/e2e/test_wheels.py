"""The two wheels on machines without Node: the whole package beside a Jupyter server, the client beside a kernel (ADR 50)."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from importlib.metadata import distribution
from pathlib import Path

import httpx
import pytest

from jupyter_oidc.language import CATALOGUES
from tests.support.jupyter_process import JupyterProcess
from tests.support.notebook import run_cells
from tests.support.scripted_provider import ScriptedProvider
from tests.support.upstream import Upstream
from tests.support.wheels import ROOT, Machine, build_sdist, build_wheel, files_in

BUILT = ROOT / "jupyter_oidc" / "labextension"
HELPER = "jupyter_oidc_client/jupyter_oidc"
CONTRACT = {
    "contract/apis.reply.schema.json",
    "contract/command-lease.reply.schema.json",
    "contract/command.reply.schema.json",
    "contract/command.request.schema.json",
    "contract/complete.request.schema.json",
    "contract/diagnostics.reply.schema.json",
    "contract/error-code.json",
    "contract/error-params.json",
    "contract/error.schema.json",
    "contract/events/call.yaml",
    "contract/events/session.yaml",
    "contract/forwarded.request.schema.json",
    "contract/grant-leases.reply.schema.json",
    "contract/grant-leases.request.schema.json",
    "contract/grant.reply.schema.json",
    "contract/grant.request.schema.json",
    "contract/grants.reply.schema.json",
    "contract/kernel-grant.reply.schema.json",
    "contract/kernel-grant.request.schema.json",
    "contract/operation-example.reply.schema.json",
    "contract/operations.reply.schema.json",
    "contract/providers.reply.schema.json",
    "contract/refresh.request.schema.json",
    "contract/sentences.json",
    "contract/session.reply.schema.json",
    "contract/sign-in-progress.reply.schema.json",
    "contract/sign-in.reply.schema.json",
    "contract/sign-in.request.schema.json",
    "contract/sign-out.reply.schema.json",
    "contract/sign-out.request.schema.json",
    "contract/strategy.json",
    "contract/worker-grant.json",
}
LANGUAGES = {
    "locale/jupyter_oidc.pot",
    *(
        f"locale/{name}/LC_MESSAGES/jupyter_oidc.{kind}"
        for name in CATALOGUES.values()
        for kind in ("json", "mo", "po")
    ),
}
OF_DEMO = {
    "demo/openapi.json",
    "demo/templates/authorize.html",
    "demo/templates/demo_page.html",
    "demo/templates/demo_people.html",
    "demo/templates/demo_refusal.html",
    "demo/templates/device.html",
    "demo/templates/logout.html",
}
SETTINGS = {
    "settings/providers/auth0.json",
    "settings/providers/clerk.json",
    "settings/providers/cognito.json",
    "settings/providers/django-oauth-toolkit.json",
    "settings/providers/entra.json",
    "settings/providers/google.json",
    "settings/providers/keycloak.json",
    "settings/providers/okta.json",
    "settings/settings.schema.json",
}
FRONT_END = {
    "install.json",
    "package.json",
    "schemas/@jupyter-oidc/labextension/package.json.orig",
    "schemas/@jupyter-oidc/labextension/panel.json",
    "static/CHUNK.js",
    "static/remoteEntry.HASH.js",
    "static/style.js",
    "static/third-party-licenses.json",
}
USE = """
import jupyter_oidc as oidc
s = oidc.session()
reveal_type(s)
reveal_type(s.user)
reveal_type(oidc.sign_in("corp"))
reveal_type(oidc.api("orders").get("items"))
reveal_type(oidc.apis()["orders"])
reveal_type(oidc.sessions())
try:
    oidc.sign_out()
except oidc.NotSignedIn as error:
    reveal_type(error.action)
except oidc.errors.SessionExpired as error:
    reveal_type(error.link)
    oidc.token
"""
REVEALED = [
    'note: Revealed type is "jupyter_oidc.kernel.session.Session"',
    'note: Revealed type is "jupyter_oidc.kernel.session.User | None"',
    'note: Revealed type is "jupyter_oidc.kernel.session.Session"',
    'note: Revealed type is "httpx._models.Response"',
    'note: Revealed type is "jupyter_oidc.kernel.catalogue.Api"',
    'note: Revealed type is "jupyter_oidc.kernel.listing.Listing[jupyter_oidc.kernel.session.Session]"',
    'note: Revealed type is "str"',
    'note: Revealed type is "str | None"',
    'error: Module has no attribute "token"  [attr-defined]',
]
NEEDS_A_LIBRARY = "jupyter_oidc.kernel.engines.dask"
"""The only module whose import needs the library of its extra."""

OF_CLIENT = ("kernel", "contract", "errors")
WHERE = "import jupyter_oidc; print(jupyter_oidc.__file__)"


@dataclass(frozen=True)
class Wheels:
    """Both wheels."""

    whole: Path
    client: Path


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("wheels")
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def wheels(folder: Path) -> Wheels:
    return Wheels(build_wheel(ROOT, folder / "whole"), build_wheel(ROOT / ".ci" / "client", folder / "client"))


@pytest.fixture(scope="module")
def machine(folder: Path, wheels: Wheels) -> Machine:
    """The environment of a Jupyter server, with the whole package."""
    machine = Machine.fresh(folder / "server")
    machine.pip("install", "--no-deps", wheels.whole)
    machine.borrow()
    return machine


@pytest.fixture(scope="module")
def worker(folder: Path, wheels: Wheels) -> Machine:
    """An environment that has the client, what that depends on, and nothing else."""
    worker = Machine.fresh(folder / "worker")
    worker.pip("install", wheels.client)
    return worker


def modules_of(*parts: str) -> set[str]:
    """The Python files of the package in this checkout, or those of ``parts`` of it."""
    package = ROOT / "jupyter_oidc"
    found = [path for part in parts or (".",) for path in (package / part).rglob("*.py")]
    return {path.relative_to(package).as_posix() for path in found}


def without_hash(name: str) -> str:
    """The name of a file of the front end without what changes with each build."""
    name = re.sub(r"remoteEntry\.[0-9a-f]+\.js$", "remoteEntry.HASH.js", name)
    return re.sub(r"static/\d+\.[0-9a-f]+\.js$", "static/CHUNK.js", name)


def said_by_mypy(python: Path, folder: Path) -> list[str]:
    """What mypy says of a user's program, which runs with ``python``."""
    program = folder / "program.py"
    program.write_text(USE, encoding="utf-8")
    mypy = (sys.executable, "-m", "mypy", "--strict", "--no-error-summary", "--cache-dir", str(folder.parent / "mypy"))
    checked = subprocess.run(
        (*mypy, "--config-file=", "--python-executable", str(python), program.name),
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.stderr == ""
    return [re.sub(r"^program\.py:\d+: ", "", line) for line in checked.stdout.splitlines()]


def test_the_wheel_brings_the_extension_enabled_and_ok_to_a_machine_without_node(machine: Machine) -> None:
    assert machine.run("-c", "import shutil; print(shutil.which('node'), shutil.which('npm'))").strip() == "None None"
    assert str(machine.folder) in machine.run("-c", WHERE)
    listed = machine.run("-m", "jupyterlab.labextensions", "list")
    assert re.search(r"@jupyter-oidc/labextension v\S+ enabled OK \(python, jupyter_oidc\)", listed), listed
    assert str(machine.folder) in listed
    served = machine.run("-m", "jupyter_server.extension.serverextension", "list")
    assert re.search(r"jupyter_oidc enabled", served), served
    assert re.search(r"jupyter_oidc \S+ OK", served), served


def test_the_wheel_holds_the_front_end_that_was_built_and_no_more(machine: Machine) -> None:
    installed = machine.folder / "share" / "jupyter" / "labextensions" / "@jupyter-oidc" / "labextension"
    ours = {path.relative_to(BUILT): path.read_bytes() for path in BUILT.rglob("*") if path.is_file()}
    theirs = {path.relative_to(installed): path.read_bytes() for path in installed.rglob("*") if path.is_file()}
    assert theirs.pop(Path("install.json"))
    assert theirs == ours


def test_the_whole_wheel_holds_modules_contract_presets_front_end_and_the_servers_configuration(wheels: Wheels) -> None:
    package = {
        *modules_of(),
        *CONTRACT,
        *SETTINGS,
        *LANGUAGES,
        *OF_DEMO,
        "demo/notebooks/tutorial.ipynb",
        "py.typed",
    }
    shared = {f"data/share/jupyter/labextensions/@jupyter-oidc/labextension/{name}" for name in FRONT_END}
    assert {without_hash(name) for name in files_in(wheels.whole)} == {
        *(f"jupyter_oidc/{name}" for name in package),
        *shared,
        "data/etc/jupyter/jupyter_server_config.d/jupyter_oidc.json",
    }


def test_the_clients_wheel_holds_the_helper_and_the_contract(wheels: Wheels) -> None:
    """It has no program and no shared data, so nothing in it concerns a Jupyter server."""
    package = {"__init__.py", "language.py", "py.typed", *CONTRACT, *LANGUAGES, *modules_of(*OF_CLIENT)}
    assert files_in(wheels.client) == {
        *(f"{HELPER}/{name}" for name in package),
        "jupyter_oidc_client.pth",
        "jupyter_oidc_client/__init__.py",
    }


def test_no_file_is_in_both_wheels(wheels: Wheels) -> None:
    """ADR 50: else an installation would overwrite, and its removal would take away, what the other one needs."""
    assert files_in(wheels.whole) & files_in(wheels.client) == set()


def test_both_wheels_come_out_of_the_one_source_distribution(wheels: Wheels, folder: Path) -> None:
    """Without Node, because it brings the front end built."""
    shutil.unpack_archive(build_sdist(folder / "sdist"), folder / "unpacked")
    (source,) = (folder / "unpacked").iterdir()
    assert files_in(build_wheel(source / ".ci" / "client", folder / "again")) == files_in(wheels.client)
    assert files_in(build_wheel(source, folder / "again-whole")) == files_in(wheels.whole)


def test_the_client_is_at_most_ten_distributions_and_none_of_a_server(worker: Machine) -> None:
    found = worker.distributions()
    assert len(found) <= 10, found
    assert {"jupyter-oidc-client", "httpx", "fastjsonschema", "typing-extensions"} <= found
    unwanted = {"tornado", "jupyter_server", "aiohttp", "keyring", "cryptography", "traitlets", "jupyter_core"}
    assert found & {name.replace("_", "-") for name in unwanted} == set()
    asked = f"import importlib.util as u; print([name for name in {unwanted} if u.find_spec(name)])"
    assert worker.run("-c", asked) == "[]\n"


def test_every_module_of_the_client_can_be_imported_where_nothing_else_is(worker: Machine) -> None:
    walk = "import pkgutil, jupyter_oidc as o; print(*sorted(m.name for m in pkgutil.walk_packages(o.__path__, 'jupyter_oidc.')))"
    every = worker.run("-c", walk).split()
    assert len(every) == len(modules_of(*OF_CLIENT)) + len(["language"])
    names = [name for name in every if name != NEEDS_A_LIBRARY]
    assert len(every) - len(names) == 1
    assert worker.run("-c", f"import importlib\nfor name in {names}: importlib.import_module(name)") == ""


def test_the_public_names_are_the_same_in_both(worker: Machine, machine: Machine) -> None:
    ask = "import jupyter_oidc as oidc; print({name: type(getattr(oidc, name)).__name__ for name in dir(oidc)})"
    assert worker.run("-c", ask) == machine.run("-c", ask)
    assert "'api': 'function'" in worker.run("-c", ask)


@pytest.mark.parametrize("installed", ["worker", "machine"])
def test_a_users_program_has_real_types_with_either_wheel(
    request: pytest.FixtureRequest, folder: Path, installed: str
) -> None:
    """``reveal_type`` would say ``Any`` if the wheel had no ``py.typed``, or a name came from ``__getattr__``."""
    python = request.getfixturevalue(installed).python
    (told := folder / f"types-{installed}").mkdir()
    assert said_by_mypy(python, told) == REVEALED


def test_a_kernel_with_the_client_calls_an_api_through_the_server(folder: Path, wheels: Wheels) -> None:
    """ADR 50: a real kernel of another environment, registered as its documentation says; the server has everything."""
    other = Machine.fresh(folder / "kernel")
    other.pip("install", "--no-deps", wheels.client)
    for name in ("httpx", "fastjsonschema", "typing_extensions", "ipykernel"):
        other.link(name)
    spec = folder / "spec"
    other.run("-m", "ipykernel", "install", "--prefix", str(spec), "--name", "python3")
    told = {"JUPYTER_PATH": str(spec / "share" / "jupyter")}
    with ScriptedProvider() as provider, Upstream(provider.accepts) as upstream:
        corp = {
            "issuer": provider.issuer,
            "client_id": "jupyter",
            "allow_insecure_loopback": True,
            "apis": {"orders": {"base_url": upstream.url}},
        }
        server = JupyterProcess(folder / "jupyter", {"corp": corp}, environment=told)
        with server as process, closing(process.client()) as jupyter:
            started = jupyter.post("jupyter-oidc/providers/corp/sign-in", json={}).json()
            page = provider.browser().open(str(httpx.URL(process.url).join(started["start_url"])))
            assert "You are signed in" in page.text, page.text
            prefix, who, called, magic, rest = run_cells(
                process,
                "import sys; print(sys.prefix)",
                "import jupyter_oidc as oidc; print(oidc.__file__, oidc.session().state)",
                "reply = oidc.api('orders').get('items'); print(reply.status_code, reply.json())",
                "%load_ext jupyter_oidc\nprint(get_ipython().find_line_magic('oidc').__module__)",
                "import jupyter_server",
            )
    assert prefix.text.strip() == str(other.folder)
    assert who.text.strip() == f"{other.packages / HELPER / '__init__.py'} active"
    assert called.text == "200 {'path': '/v1/items'}\n"
    assert magic.text == "jupyter_oidc.kernel.magics\n"
    assert rest.error == "ModuleNotFoundError"


def test_the_whole_package_is_the_one_that_counts_wherever_both_are(
    folder: Path, wheels: Wheels, tmp_path: Path
) -> None:
    """ADR 50: with a newer client, with one of the same version, and after the client has been removed."""
    other = tmp_path / "other"
    for name in (
        "jupyter_oidc/__init__.py",
        "jupyter_oidc/py.typed",
        "jupyter_oidc/errors",
        "jupyter_oidc/kernel",
        "jupyter_oidc/contract",
        "jupyter_oidc/language.py",
        "jupyter_oidc/locale",
        ".ci/client",
    ):
        (copy := other / name).parent.mkdir(parents=True, exist_ok=True)
        (shutil.copytree if (ROOT / name).is_dir() else shutil.copy)(ROOT / name, copy)
    start = other / "jupyter_oidc" / "__init__.py"
    start.write_text(
        re.sub(r'__version__ = ".*"', '__version__ = "99.1"', start.read_text(encoding="utf-8")), encoding="utf-8"
    )
    newer = build_wheel(other / ".ci" / "client", tmp_path / "newer")
    both = Machine.fresh(folder / "both")
    both.borrow()
    whole, client = (str(both.packages / name / "__init__.py") for name in ("jupyter_oidc", HELPER))
    steps: list[tuple[tuple[str | Path, ...], str]] = [
        (("install", "--no-deps", newer), client),
        (("install", "--no-deps", wheels.whole), whole),
        (("install", "--no-deps", wheels.client), whole),
        (("uninstall", "--yes", "jupyter_oidc_client"), whole),
    ]
    for arguments, expected in steps:
        both.pip(str(arguments[0]), *map(str, arguments[1:]))
        assert both.run("-c", WHERE).strip() == expected, arguments
    served = both.run("-m", "jupyter_server.extension.serverextension", "list")
    assert re.search(r"jupyter_oidc \S+ OK", served), served


def test_an_editable_checkout_comes_before_the_client(folder: Path, wheels: Wheels) -> None:
    """The file by which Python finds this checkout is taken from the environment that the tests run in."""
    developers = Machine.fresh(folder / "developers")
    developers.pip("install", "--no-deps", wheels.client)
    (pointer,) = [file for file in distribution("jupyter_oidc").files or () if file.suffix == ".pth"]
    shutil.copy(str(pointer.locate()), developers.packages)
    assert developers.run("-c", WHERE).strip() == str(ROOT / "jupyter_oidc" / "__init__.py")


def test_a_server_whose_package_is_hidden_by_the_client_says_what_to_do(machine: Machine, worker: Machine) -> None:
    """A client in a user's own folder comes before the whole package of the system."""
    served = machine.attempt(
        "-m", "jupyter_server.extension.serverextension", "list", path=worker.packages / "jupyter_oidc_client"
    )
    said = (
        "This is the kernel helper alone, of jupyter_oidc_client. A Jupyter server needs all of jupyter_oidc in its own "
        "environment: pip install jupyter_oidc. If it is there already, the client hides it: pip uninstall "
        "jupyter_oidc_client."
    )
    assert said in " ".join(served.stdout.split()), served.stdout


def test_where_python_reads_no_pth_files_the_client_is_found_through_its_own_name(worker: Machine) -> None:
    """As in a process that ran already when it was installed, and in a folder that is only on ``PYTHONPATH``."""
    here = worker.packages
    assert "No module named 'jupyter_oidc'" in worker.attempt("-S", "-c", WHERE, path=here).stdout
    found = worker.run(
        "-S", "-c", f"import jupyter_oidc_client, jupyter_oidc_client, sys; {WHERE}; print(len(sys.path))", path=here
    )
    assert found.splitlines()[0] == str(here / HELPER / "__init__.py")


def test_a_name_that_is_sought_in_the_clients_own_package_is_answered_with_the_line_to_write(worker: Machine) -> None:
    told = worker.attempt("-c", "import jupyter_oidc_client as oidc; oidc.api('orders')").stdout
    assert told.splitlines()[-1] == (
        "AttributeError: jupyter_oidc_client has no 'api'. Write: import jupyter_oidc as oidc"
    )
