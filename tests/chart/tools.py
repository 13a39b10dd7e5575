"""The programs that read the chart: Helm, and a reader of manifests with the types of Kubernetes; both built from Go modules."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).parents[2]
CACHE = ROOT / ".cache" / "chart"
HELM_VERSION = "v3.19.5"
TYPES = Path(__file__).with_name("types")
"""A Go module of our own; its ``go.mod`` names the version of the types."""


class MissingProgram(Exception):
    """A program is not here and cannot be had; the text says what to do."""


def helm() -> Path:
    """Return Helm, which is built once for each version (some minutes)."""
    program = CACHE / HELM_VERSION / "helm"
    if not program.exists():
        print(f"Building Helm {HELM_VERSION} (once, some minutes) ...", flush=True)
        _go("install", f"helm.sh/helm/v3/cmd/helm@{HELM_VERSION}", more={"GOBIN": str(program.parent)})
    return program


def kubernetes_types() -> Path:
    """Return the reader of manifests; it is built again when its sources have changed."""
    program = CACHE / "kubernetes-types"
    newest = max(path.stat().st_mtime for path in TYPES.iterdir())
    if not program.exists() or program.stat().st_mtime < newest:
        print("Building the reader with the types of Kubernetes (once, a minute) ...", flush=True)
        _go("build", "-o", str(program), ".", folder=TYPES)
        os.utime(program)
    return program


def output_of(command: Sequence[str]) -> str:
    """Return what ``command`` prints; raises ``CalledProcessError``."""
    return subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT).stdout


def _go(*arguments: str, folder: Path = ROOT, more: Mapping[str, str] | None = None) -> None:
    go = shutil.which("go")
    if go is None:
        raise MissingProgram("Helm is built from its sources by Go, which is not here. Install Go 1.24 or later.")
    CACHE.mkdir(parents=True, exist_ok=True)
    # NOTE: one package at a time, at low priority, so that other work on the machine goes on.
    flags = f"{os.environ.get('GOFLAGS', '')} -p=1".strip()
    done = subprocess.run(
        ["nice", go, *arguments],
        cwd=folder,
        env={**os.environ, "CGO_ENABLED": "0", "GOFLAGS": flags, **(more or {})},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise MissingProgram(
            f"'go {' '.join(arguments)}' failed; look whether Go reaches its module proxy (go env GOPROXY), and run it "
            f"again.\n{done.stderr[-2000:]}"
        )
