"""The wheel on a machine without Node: nothing to build, and JupyterLab finds the extension enabled and OK."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BUILT = ROOT / "jupyter_oidc" / "labextension"


@dataclass(frozen=True)
class Machine:
    """A fresh environment with the dependencies of the wheel, and nothing else on its search path."""

    folder: Path

    @property
    def programs(self) -> Path:
        """Where its programs are."""
        return self.folder / ("Scripts" if os.name == "nt" else "bin")

    @property
    def python(self) -> Path:
        """Its Python."""
        return self.programs / ("python.exe" if os.name == "nt" else "python")

    def run(self, *arguments: str) -> str:
        """Run its Python and return all that it says."""
        home = self.folder / "home"
        home.mkdir(exist_ok=True)
        kept = {name: os.environ[name] for name in ("SYSTEMROOT", "TEMP", "TMP") if name in os.environ}
        environment = {**kept, "PATH": str(self.programs), "HOME": str(home), "USERPROFILE": str(home)}
        done = subprocess.run(
            (str(self.python), *arguments), env=environment, cwd=home, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return re.sub(r"\x1b\[[0-9;]*m", "", done.stdout + done.stderr)


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    folder = tmp_path_factory.mktemp("wheel")
    pip = (sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check")
    for command in (
        (*pip, "wheel", "--no-deps", "--wheel-dir", str(folder), str(ROOT)),
        (sys.executable, "-m", "venv", "--without-pip", str(folder / "fresh")),
    ):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
    (wheel,) = folder.glob("jupyter_oidc-*.whl")
    machine = Machine(folder / "fresh")
    subprocess.run((*pip, "--python", str(machine.python), "install", "--no-deps", str(wheel)), check=True)
    # Its dependencies are taken from here, so that nothing is fetched twice; its own packages come first.
    own = machine.run("-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip()
    here = [entry for entry in sys.path if Path(entry).name == "site-packages"]
    (Path(own) / "dependencies.pth").write_text("\n".join(here), encoding="utf-8")
    yield machine
    shutil.rmtree(folder, ignore_errors=True)


def test_the_wheel_brings_the_extension_enabled_and_ok_to_a_machine_without_node(machine: Machine) -> None:
    assert machine.run("-c", "import shutil; print(shutil.which('node'), shutil.which('npm'))").strip() == "None None"
    where = machine.run("-c", "import jupyter_oidc; print(jupyter_oidc.__file__)")
    assert str(machine.folder) in where
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
