"""The two wheels of this checkout, and environments without Node that they are installed in."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from importlib.metadata import distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
PIP = (sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check")


def build_wheel(source: Path, folder: Path) -> Path:
    """Build the wheel of the project in ``source`` into the new ``folder``, with the tools of this environment."""
    _do(*PIP, "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder), str(source))
    (wheel,) = folder.glob("*.whl")
    return wheel


def build_sdist(folder: Path) -> Path:
    """Build the source distribution of this checkout into ``folder``."""
    _do(sys.executable, "-m", "hatchling", "build", "--target", "sdist", "--directory", str(folder), cwd=ROOT)
    (sdist,) = folder.glob("*.tar.gz")
    return sdist


def files_in(wheel: Path) -> set[str]:
    """Return the paths of the files in ``wheel``, without its metadata; its shared data is below ``data/``."""
    with zipfile.ZipFile(wheel) as archive:
        names = [re.sub(r"^[^/]+\.data/data/", "data/", name) for name in archive.namelist()]
    return {name for name in names if ".dist-info/" not in name}


@dataclass(frozen=True)
class Machine:
    """An environment of its own in ``folder``, whose programs are the only ones that it can start."""

    folder: Path

    @classmethod
    def fresh(cls, folder: Path) -> Machine:
        """Return a new environment without any distribution."""
        _do(sys.executable, "-m", "venv", "--without-pip", str(folder))
        return cls(folder)

    @property
    def programs(self) -> Path:
        """Where its programs are."""
        return self.folder / ("Scripts" if os.name == "nt" else "bin")

    @property
    def python(self) -> Path:
        """Its Python."""
        return self.programs / ("python.exe" if os.name == "nt" else "python")

    @property
    def packages(self) -> Path:
        """The folder of its packages."""
        return Path(self.run("-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip())

    def pip(self, command: str, *arguments: str | Path) -> None:
        """Run a ``command`` of pip here for that environment; what it installs is compiled at its first import."""
        quick = ("--no-compile",) if command == "install" else ()
        _do(*PIP, "--python", str(self.python), command, *quick, *map(str, arguments))

    def borrow(self) -> None:
        """Let it import what is installed here, behind its own packages, so that nothing is fetched twice."""
        here = [entry for entry in sys.path if Path(entry).name == "site-packages"]
        (self.packages / "dependencies.pth").write_text("\n".join(here), encoding="utf-8")

    def link(self, name: str) -> None:
        """Give it the distribution ``name`` that is installed here, with all that it needs, and no other one."""
        packages, wanted, seen = self.packages, [name], set[str]()
        while wanted:
            one = canonicalize_name(wanted.pop())
            if one in seen:
                continue
            seen.add(one)
            found = distribution(one)
            requirements = [Requirement(line) for line in found.requires or ()]
            wanted += [line.name for line in requirements if line.marker is None or line.marker.evaluate({"extra": ""})]
            for top in {file.parts[0] for file in found.files or ()} - {"..", "__pycache__"}:
                if not (packages / top).exists():
                    (packages / top).symlink_to(str(found.locate_file(top)))

    def distributions(self) -> set[str]:
        """Return the canonical name of each distribution."""
        ask = "from importlib.metadata import distributions as all; print(*(one.name for one in all()))"
        return {canonicalize_name(name) for name in self.run("-c", ask).split()}

    def run(self, *arguments: str, path: Path | None = None) -> str:
        """Run its Python and return all output; ``path`` is its ``PYTHONPATH``."""
        done = self.attempt(*arguments, path=path)
        assert done.returncode == 0, done.stdout
        return done.stdout

    def attempt(self, *arguments: str, path: Path | None = None) -> subprocess.CompletedProcess[str]:
        """Run its Python, which may fail; all output is in ``stdout``, without colours."""
        home = self.folder / "home"
        home.mkdir(exist_ok=True)
        kept = {name: os.environ[name] for name in ("SYSTEMROOT", "TEMP", "TMP") if name in os.environ}
        environment = {**kept, "PATH": str(self.programs), "HOME": str(home), "USERPROFILE": str(home)}
        if path is not None:
            environment["PYTHONPATH"] = str(path)
        done = subprocess.run(
            (str(self.python), *arguments),
            env=environment,
            cwd=home,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        done.stdout = re.sub(r"\x1b\[[0-9;]*m", "", done.stdout)
        return done


def _do(*command: str, cwd: Path | None = None) -> str:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
