"""``jupyter oidc`` in a process of its own, with configuration and data folders of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.support.canary import CANARY
from tests.support.clean_environment import without_jupyter
from tests.support.forked import FORKS, run_command

PATIENCE_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Said:
    """The output of a command, and its exit code."""

    code: int
    out: str
    err: str

    def json(self) -> Any:
        """The result, read as JSON."""
        return json.loads(self.out)


@dataclass
class Command:
    """``settings`` are those of the section ``JupyterOIDC``; the canary looks at all that is written."""

    folder: Path
    settings: dict[str, Any] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("config", "data", "runtime", "home"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        self.configure(self.settings)

    def configure(self, settings: dict[str, Any]) -> None:
        """Write the server's configuration file anew; no keyring of this machine is ever asked."""
        section = {"keyring_backend": "keyring.backends.fail.Keyring", **settings} if settings else {}
        document = json.dumps({"JupyterOIDC": section})
        (self.folder / "config" / "jupyter_server_config.json").write_text(document, encoding="utf-8")

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start ``jupyter oidc ...``."""
        return subprocess.Popen(
            [sys.executable, "-m", "jupyter_oidc.cli", *arguments],
            cwd=self.folder / "home",
            env=self._environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )

    def run(self, *arguments: str) -> Said:
        """Run ``jupyter oidc ...`` to its end: in a fork, which needs no imports, where one can do the same."""
        if FORKS and not any(name.startswith("PYTHON") for name in self.environment):  # read when a Python starts
            said = Said(*run_command(arguments, self.folder / "home", self._environment(), PATIENCE_SECONDS))
        else:
            with self.start(*arguments) as process:
                out, err = process.communicate(timeout=PATIENCE_SECONDS)
            said = Said(process.returncode, out, err)
        CANARY.look(f"jupyter oidc {' '.join(arguments[:1])}", said.out + said.err)
        return said

    def _environment(self) -> dict[str, str]:
        kept = without_jupyter()
        return {
            **kept,
            "HOME": str(self.folder / "home"),
            "JUPYTER_CONFIG_DIR": str(self.folder / "config"),
            "JUPYTER_DATA_DIR": str(self.folder / "data"),
            "JUPYTER_RUNTIME_DIR": str(self.folder / "runtime"),
            "JUPYTER_NO_CONFIG": "",
            "PYTHONIOENCODING": "utf-8",
            **self.environment,
        }
