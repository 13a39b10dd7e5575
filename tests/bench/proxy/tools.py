"""Checks the requirements of the benchmark (two cores, nginx, wrk, jupyter-server-proxy) and reads their versions."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import re
import shutil
import subprocess
import sys

_PACKAGES = ("jupyter_server", "tornado", "aiohttp", "jupyter-server-proxy")


def missing() -> list[str]:
    """Return a sentence for each missing program or package: its name, and how to get it."""
    found = []
    if not sys.platform.startswith("linux"):
        found.append("The benchmark reads /proc and pins processes to cores, which needs Linux.")
    elif len(os.sched_getaffinity(0)) < 2:
        found.append("The benchmark needs two cores, and this process may use only one.")
    found += [
        f"{program} is missing. Install it with the system's package manager, for instance: apt-get install {program}"
        for program in ("nginx", "wrk")
        if shutil.which(program) is None
    ]
    try:
        importlib.metadata.version("jupyter-server-proxy")
    except importlib.metadata.PackageNotFoundError:
        found.append("jupyter-server-proxy is missing. Install it with: pip install --editable '.[bench]'")
    return found


def header() -> str:
    """Return the versions of all programs that are compared, and of the machine's Python and system."""
    versions = [f"Python {platform.python_version()}", *[f"{name} {_version(name)}" for name in _PACKAGES]]
    versions.append(f"nginx {_printed('nginx', '-v')}")
    versions.append(f"wrk {_printed('wrk', '-v')}")
    cores = f"{os.cpu_count()} cores, {len(os.sched_getaffinity(0))} of them for this process"
    return f"{', '.join(versions)}.\n{platform.system()} {platform.machine()}, {cores}."


def _version(package: str) -> str:
    return importlib.metadata.version(package)


def _printed(program: str, option: str) -> str:
    done = subprocess.run([program, option], capture_output=True, text=True, check=False, timeout=30)
    found = re.search(r"\d+(\.\d+)+", done.stdout + done.stderr)
    return found[0] if found else "of unknown version"
