"""Measures how much longer a Jupyter server takes to start with the extension: side by side, alternating, in one run.

Each start is a fresh process that initialises a server and prints how long that took. The limit is a tenth of what the
same server takes without the extension, for the median of the differences: a share, because machines differ.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

RUNS = 11
LIMIT = 0.10
"""Of the server's own start."""

CHILD = """
import json, sys, time
began, busy = time.perf_counter(), time.process_time()
from jupyter_server.serverapp import ServerApp
app = ServerApp()
with_extension = sys.argv[1] == "with"
# The proxy benchmark installs jupyter_server_proxy, which loads heavy libraries of its own.
app.jpserver_extensions = {"jupyter_oidc": with_extension, "jupyter_server_proxy": False}
app.config.JupyterOIDC.providers = json.loads(sys.argv[2])
app.initialize([], new_httpserver=False)
took, busy = 1000 * (time.perf_counter() - began), 1000 * (time.process_time() - busy)
loaded = "jupyter_oidc.server.extension" in sys.modules
assert loaded is with_extension, loaded
heavy = [name for name in ("httpx", "aiohttp", "joserfc", "keyring", "truststore") if name in sys.modules]
print(json.dumps({"ms": took, "cpu": busy, "heavy": heavy}))
"""
PROVIDERS = {
    "corp": {
        "issuer": "https://id.example.com",
        "client_id": "jupyter",
        "apis": {"orders": {"base_url": "https://api.example.com/v1/"}},
    },
}


def start(which: str, folder: Path) -> dict[str, Any]:
    """Start one server in a process of its own and return its output."""
    environment = {**os.environ, "JUPYTER_CONFIG_DIR": str(folder), "JUPYTER_RUNTIME_DIR": str(folder)}
    environment["JUPYTER_DATA_DIR"] = str(folder)
    command = [sys.executable, "-c", CHILD, which, json.dumps(PROVIDERS)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment, timeout=120)
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def main() -> int:
    """Measure and report; 1 if the extension is too slow."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        start("with", folder), start("without", folder)  # NOTE: warms the caches of the file system
        pairs = [(start("with", folder), start("without", folder)) for _ in range(RUNS)]
    differences = [float(one["ms"]) - float(two["ms"]) for one, two in pairs]
    median, alone = statistics.median(differences), statistics.median(float(p[1]["ms"]) for p in pairs)
    print(f"server start without the extension: {alone:7.1f} ms")
    print(f"server start with the extension:    {statistics.median(float(p[0]['ms']) for p in pairs):7.1f} ms")
    print(
        f"the extension adds (median of {RUNS} pairs): {median:.1f} ms, {median / alone:.1%}; the limit is {LIMIT:.0%}"
    )
    added = set(pairs[0][0]["heavy"]) - set(pairs[0][1]["heavy"])
    print(f"heavy libraries that it loads at the start: {', '.join(sorted(added)) or 'none'}")
    return 0 if median < LIMIT * alone else 1


if __name__ == "__main__":
    sys.exit(main())
