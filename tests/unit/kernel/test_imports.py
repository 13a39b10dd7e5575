"""Importing the package is cheap: it loads nothing heavy, and the kernel helper never loads the server's side."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys

import pytest

import jupyter_oidc
from jupyter_oidc.kernel.errors import BY_CODE, LOCAL

SERVER_SIDE = [
    "tornado",
    "traitlets",
    "keyring",
    "jupyter_server",
    "jupyter_core",
    "aiohttp",
    "joserfc",
    "cryptography",
]
NAMES = [
    "api",
    "apis",
    "async_api",
    "auth",
    "delegate",
    "endpoint",
    "grants",
    "session",
    "sessions",
    "sign_in",
    "sign_out",
]


def loaded(program: str) -> list[str]:
    """Return the names of all modules that a fresh interpreter holds after ``program``."""
    told = subprocess.run(
        [sys.executable, "-c", f"{program}\nimport json, sys; print(json.dumps(list(sys.modules)))"],
        capture_output=True,
        text=True,
        check=True,
    )
    names: list[str] = json.loads(told.stdout)
    return names


def printed_by(program: str) -> str:
    """Return the output of ``program`` in a fresh interpreter."""
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout


@pytest.fixture(scope="module")
def after_import() -> list[str]:
    return loaded("import jupyter_oidc")


@pytest.fixture(scope="module")
def after_use() -> list[str]:
    calls = ", ".join(f"jupyter_oidc.{name}" for name in [*NAMES, "OIDCError", "NotSignedIn"])
    return loaded(f"import jupyter_oidc; {calls}; import jupyter_oidc.kernel.magics")


@pytest.mark.parametrize("module", [*SERVER_SIDE, "httpx", "fastjsonschema", "IPython", "asyncio", "ssl"])
def test_importing_the_package_does_not_load(after_import: list[str], module: str) -> None:
    assert module not in after_import


def test_importing_the_package_loads_only_itself(after_import: list[str]) -> None:
    assert [name for name in after_import if name.startswith("jupyter_oidc")] == ["jupyter_oidc"]


@pytest.mark.parametrize("module", [*SERVER_SIDE, "IPython"])
def test_using_a_name_does_not_load(after_use: list[str], module: str) -> None:
    assert module not in after_use


def test_using_a_name_loads_the_kernel_helper_the_contract_and_the_language_only(after_use: list[str]) -> None:
    parts = {name.split(".")[1] for name in after_use if name.startswith("jupyter_oidc.")}
    assert parts == {"kernel", "contract", "errors", "language"}


@pytest.mark.parametrize("name", [*NAMES, "errors", "__version__"])
def test_the_public_names_are_listed(name: str) -> None:
    assert name in dir(jupyter_oidc)


@pytest.mark.parametrize("name", NAMES)
def test_a_public_name_can_be_called(name: str) -> None:
    assert callable(getattr(jupyter_oidc, name))


def test_a_name_that_does_not_exist_is_told_as_python_does() -> None:
    with pytest.raises(AttributeError, match="module 'jupyter_oidc' has no attribute 'token'"):
        _ = jupyter_oidc.token  # type: ignore[attr-defined]  # NOTE: the checker refuses it too


def test_every_name_that_dir_lists_can_be_reached() -> None:
    assert all(hasattr(jupyter_oidc, name) for name in dir(jupyter_oidc))


def test_dir_lists_what_people_call_and_one_name_for_all_errors() -> None:
    assert dir(jupyter_oidc) == sorted([*NAMES, "__version__", "errors"])


def test_the_module_of_errors_has_every_error_of_the_contract_and_of_the_helper() -> None:
    errors = {kind.__name__ for kind in [*BY_CODE.values(), *LOCAL]}
    assert set(jupyter_oidc.errors.__all__) == {"OIDCError", "OIDCWarning", *errors}


def test_an_error_is_the_same_class_by_its_bare_name_as_in_the_module_of_errors() -> None:
    assert jupyter_oidc.SignInDeclined is jupyter_oidc.errors.SignInDeclined


def test_sessions_is_the_call_also_where_the_servers_part_of_that_name_is_loaded() -> None:
    told = printed_by(
        "import jupyter_oidc as oidc, jupyter_oidc.sessions.summary\n"
        "from jupyter_oidc.sessions.summary import Summary\n"
        "print(oidc.sessions.__module__, Summary.__module__)"
    )
    assert told == "jupyter_oidc.kernel.session jupyter_oidc.sessions.summary\n"


def test_the_package_is_pickled_as_its_name() -> None:
    """A function of a notebook that names ``oidc`` can be sent to a worker."""
    assert pickle.loads(pickle.dumps(jupyter_oidc)) is jupyter_oidc


def test_a_star_import_brings_calls_and_errors() -> None:
    assert {*dir(jupyter_oidc), *jupyter_oidc.errors.__all__} == set(jupyter_oidc.__all__)


def test_the_errors_come_from_the_kernel_helper_also_where_the_server_is_loaded() -> None:
    told = printed_by(
        "import jupyter_oidc.problems, jupyter_oidc.errors as errors; print(errors.UnknownApi.__module__)"
    )
    assert told == "jupyter_oidc.kernel.errors\n"
