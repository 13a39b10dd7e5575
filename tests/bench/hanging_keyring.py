"""Measures whether a keyring that hangs slows other requests: they are timed while a session waits for it (B17).

The targets: the 99th percentile of other requests stays below 50 ms, and the session names the fault within 10 s.
"""

from __future__ import annotations

import sys
import tempfile
import threading
import time
from pathlib import Path

from tests.support.jupyter_process import JupyterProcess

ROOT = Path(__file__).parents[2]
SETTINGS = {"issuer": "https://id.example.com", "client_id": "jupyter"}
BACKEND = {"keyring_backend": "tests.bench.hanging_ring.HangingRing"}
ENVIRONMENT = {"PYTHONPATH": str(ROOT)}


def main() -> int:
    """Measure and report; 1 if a target is missed."""
    with tempfile.TemporaryDirectory() as name:
        process = JupyterProcess(
            Path(name) / "jupyter",
            {"corp": SETTINGS},
            extension=BACKEND,
            storage="keyring",
            environment=ENVIRONMENT,
            log_level="INFO",
            as_program=True,
        )
        with process, process.client() as client, process.client() as other:
            told: dict[str, object] = {}

            def ask() -> None:
                began = time.perf_counter()
                reply = client.get("jupyter-oidc/providers/corp/session", timeout=60)
                told.update(reply.json(), seconds=time.perf_counter() - began)

            other.get("api/status")
            asking = threading.Thread(target=ask)
            asking.start()
            took = []
            while asking.is_alive():
                began = time.perf_counter()
                other.get("api/status")
                took.append(1000 * (time.perf_counter() - began))
                time.sleep(0.01)
            asking.join()
    took.sort()
    percentile = took[int(0.99 * len(took))]
    print(
        f"{len(took)} other requests while the keyring hung: median {took[len(took) // 2]:.1f} ms, p99 {percentile:.1f} ms"
    )
    print(f"the session answered after {told['seconds']:.1f} s: {told['state']}, {told['reason']}")
    return 0 if percentile < 50 and float(str(told["seconds"])) <= 11 and told["reason"] else 1


if __name__ == "__main__":
    sys.exit(main())
