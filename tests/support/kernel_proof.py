"""A kernel of a server under test, and the proof by which it gets its grant, made by hand from the documented recipe."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import httpx

    from tests.support.jupyter_process import JupyterProcess

GRANT = "jupyter-oidc/kernel/grant"


def start_kernel(process: JupyterProcess, jupyter: httpx.Client) -> tuple[str, bytes]:
    """Let the server start a kernel; return its id and the key of its connection file."""
    kernel_id = jupyter.post("api/kernels", json={"name": "python3"}).json()["id"]
    path = process.folder / "runtime" / f"kernel-{kernel_id}.json"
    until = time.monotonic() + 20
    while not path.exists() and time.monotonic() < until:
        time.sleep(0.05)
    return kernel_id, json.loads(path.read_text())["key"].encode()


def proof(kernel_id: str, key: bytes, *, nonce: str = "n" * 22, issued_at: int | None = None) -> dict[str, Any]:
    """Make a proof."""
    when = int(time.time()) if issued_at is None else issued_at
    text = f"jupyter-oidc kernel grant v1|{kernel_id}|{when}|{nonce}"
    digest = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
    return {"kernel_id": kernel_id, "issued_at": when, "nonce": nonce, "proof": digest}
