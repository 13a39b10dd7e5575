"""Every library that the package or the front end imports is declared, so that no other library has to bring it along.

Proved able to fail: ``test_an_undeclared_library_is_noticed`` and ``test_an_undeclared_package_is_noticed``.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from jupyter_oidc import _ENGINES
from jupyter_oidc.adapters.system.early_imports import OUR_PARTS
from tests.laws.source import ROOT, Module, modules, seeded

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
CLIENT: dict[str, Any] = tomllib.loads((ROOT / ".ci/client/pyproject.toml").read_text(encoding="utf-8"))["project"]
STUB = ROOT / "labextension-stub"
PACKAGE: dict[str, Any] = json.loads((STUB / "package.json").read_text(encoding="utf-8"))

# Only the display in a notebook imports these, at first use: where it runs, the kernel has brought them.
BROUGHT_BY_THE_KERNEL = {"jupyter_oidc.kernel.display": {"ipython"}}
# Where work runs elsewhere, each engine has a module, which imports the library of the extra that is called like it.
ENGINES = "jupyter_oidc.kernel.engines."
# Modules that are for some installations only, with the extra that brings what they import.
OF_AN_EXTRA = {
    "jupyter_oidc.broker.hub_api": "hub",
    "jupyter_oidc.adapters.storage.database.postgres": "broker",
    "jupyter_oidc.cli.broker": "broker",
    "jupyter_oidc.jupyter_scheduler": "scheduler",
}
# Libraries that are imported by another name than they are installed by.
OTHER_NAMES = {"pythonjsonlogger": "python-json-logger", "yaml": "pyyaml"}
NODE_SOURCE = re.compile(
    r"""^(?:import|export)\b[^;'"]*?\bfrom\s+['"]([^'"]+)['"]|^import\s+['"]([^'"]+)['"]""", re.MULTILINE
)


def declared(requirements: Iterable[str]) -> set[str]:
    return {canonicalize_name(Requirement(line).name) for line in requirements}


def libraries(module: Module) -> set[str]:
    """The canonical names of the libraries that ``module`` imports."""
    roots = {name.partition(".")[0] for name in module.imports()} - sys.stdlib_module_names - {"jupyter_oidc"}
    return {canonicalize_name(OTHER_NAMES.get(root, root)) for root in roots}


def brought_along(module: Module) -> set[str]:
    """The libraries that are there wherever ``module`` is imported."""
    engine = module.name.removeprefix(ENGINES)
    extra = OF_AN_EXTRA.get(module.name, engine if engine != module.name else None)
    return BROUGHT_BY_THE_KERNEL.get(module.name, set()) | declared(
        PROJECT["optional-dependencies"][extra] if extra else []
    )


def undeclared(found: Iterable[Module], names: set[str]) -> dict[str, set[str]]:
    """The undeclared libraries of each module that has some."""
    missing = {module.name: libraries(module) - names - brought_along(module) for module in found}
    return {name: libraries for name, libraries in missing.items() if libraries}


def node_packages(text: str) -> set[str]:
    """The packages that a source of the front end imports: ``@scope/name`` or ``name``."""
    sources = {first or second for first, second in NODE_SOURCE.findall(text)}
    foreign = {source for source in sources if not source.startswith((".", "node:"))}
    return {"/".join(source.split("/")[: 2 if source.startswith("@") else 1]) for source in foreign} - {PACKAGE["name"]}


def undeclared_packages(paths: Iterable[Path], names: set[str]) -> dict[str, set[str]]:
    missing = {path.name: node_packages(path.read_text(encoding="utf-8")) - names for path in paths}
    return {name: packages for name, packages in missing.items() if packages}


def sources(folder: str) -> list[Path]:
    return [path for path in sorted((STUB / folder).rglob("*")) if path.suffix in {".ts", ".tsx", ".js", ".mjs"}]


def test_every_library_that_the_package_imports_is_a_dependency() -> None:
    of_the_package = [module for module in modules() if not module.name.startswith("jupyter_oidc.demo")]
    assert undeclared(of_the_package, declared(PROJECT["dependencies"])) == {}


def of_the_client() -> list[Module]:
    return [module for module in modules() if module.name.split(".")[1:2] in ([], ["kernel"], ["contract"], ["errors"])]


def test_what_the_client_imports_is_what_it_depends_on() -> None:
    """ADR 50: it holds three parts of the package, in a wheel with dependencies of its own."""
    assert undeclared(of_the_client(), declared(CLIENT["dependencies"])) == {}
    used = set().union(*(libraries(module) for module in of_the_client()))
    assert declared(CLIENT["dependencies"]) - used == set()


def test_every_engine_has_an_extra_in_both_wheels_and_is_imported_by_name_only() -> None:
    engines = {one.name.removeprefix(ENGINES) for one in modules() if one.name.startswith(ENGINES)}
    assert engines == set(CLIENT["optional-dependencies"]) == set(_ENGINES)
    for engine in engines:
        assert CLIENT["optional-dependencies"][engine] == PROJECT["optional-dependencies"][engine]


def test_both_wheels_depend_on_the_same_versions_of_a_library_and_of_python() -> None:
    """ADR 50: both may be in one environment, and the oldest versions are tried with the whole package."""
    assert set(CLIENT["dependencies"]) - set(PROJECT["dependencies"]) == set()
    assert CLIENT["requires-python"] == PROJECT["requires-python"]
    assert (ROOT / ".ci/client/LICENSE").read_bytes() == (ROOT / "LICENSE").read_bytes()


def test_every_library_that_the_demo_imports_is_in_its_extra() -> None:
    extras = PROJECT["optional-dependencies"]
    assert undeclared(modules("demo"), declared([*PROJECT["dependencies"], *extras["demo"]])) == {}


def test_every_dependency_is_imported() -> None:
    used = set().union(*(libraries(module) for module in modules()))
    assert declared(PROJECT["dependencies"]) - used == set()


def test_every_package_that_the_front_end_imports_is_a_dependency() -> None:
    assert undeclared_packages(sources("src"), set(PACKAGE["dependencies"])) == {}


def test_every_package_that_its_tests_and_its_generator_import_is_declared() -> None:
    names = {*PACKAGE["dependencies"], *PACKAGE["devDependencies"]}
    assert undeclared_packages([*sources("tests"), *sources("scripts")], names) == {}


def test_every_dependency_of_the_front_end_is_imported() -> None:
    used = set().union(*(node_packages(path.read_text(encoding="utf-8")) for path in sources("src")))
    assert set(PACKAGE["dependencies"]) - used == set()


def test_an_undeclared_library_is_noticed() -> None:
    module = seeded("def count():\n    from prometheus_client import Counter\n    return Counter\n")
    assert undeclared([module], {"tornado"}) == {"jupyter_oidc.seeded": {"prometheus-client"}}


def test_an_undeclared_package_is_noticed() -> None:
    text = "import type {\n  Message\n} from '@lumino/messaging';\nimport 'x/y';\nimport a from './a';\nexport { b } from 'b';"
    assert node_packages(text) == {"@lumino/messaging", "x", "b"}


def test_a_jupyter_server_imports_nothing_that_only_a_broker_of_a_hub_needs() -> None:
    """What is below these parts is imported by each server: JupyterHub's library would cost it 28 MB."""
    of_a_hub = [name for name, extra in OF_AN_EXTRA.items() if extra == "hub"]
    assert of_a_hub
    assert [name for name in of_a_hub if name.split(".")[1] in OUR_PARTS] == []
    assert ["jupyter_oidc", "adapters", "hub"][1] in OUR_PARTS, "where it was at first"
