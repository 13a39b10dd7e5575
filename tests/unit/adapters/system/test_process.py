"""The server process is closed to other processes of the same user, and its child processes are not."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

CHILD = """
import ctypes, json, resource, subprocess, sys
from jupyter_oidc.adapters.system.process import close_to_others
agreed = close_to_others()
asked = "import ctypes; print(ctypes.CDLL(None).prctl(3, 0, 0, 0, 0))"
print(json.dumps({
    "agreed": agreed,
    "dumpable": ctypes.CDLL(None).prctl(3, 0, 0, 0, 0),
    "core": resource.getrlimit(resource.RLIMIT_CORE)[0],
    "child": subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True).stdout.strip(),
}))
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the system call exists on Linux only")
def test_a_process_that_is_closed_cannot_be_dumped_and_its_children_are_ordinary() -> None:
    """D12, D14: neither memory nor a core file can be read; ``exec`` opens kernels again."""
    done = subprocess.run([sys.executable, "-c", CHILD], capture_output=True, text=True, check=True, timeout=60)
    assert json.loads(done.stdout) == {"agreed": True, "dumpable": 0, "core": 0, "child": "1"}
