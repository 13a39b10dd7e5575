"""A worker in a network namespace of its own, which reaches the Jupyter server by one address and nothing else (root)."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from tests.support.clean_environment import without_jupyter
from tests.workers.journey import SOURCE, Place, expect, notebook

NAMESPACE = "jupyter-oidc-worker"
NEAR, FAR = "10.213.7.1", "10.213.7.2"

OPTIONS: dict[str, Any] = {"server": {"ip": "0.0.0.0"}, "extension": {"allow_remote_workers": True}}
"""A server that listens for others, and admits their workers."""

AT_HOME = """
import socket
try:
    socket.create_connection(("127.0.0.1", {port}), 2)
except OSError as error:
    print(type(error).__name__)
"""


@contextmanager
def namespace() -> Iterator[None]:
    """Make the namespace, joined to this one by a pair of interfaces."""
    near, far = "jow-near", "jow-far"
    for command in (
        f"netns add {NAMESPACE}",
        f"link add {near} type veth peer name {far} netns {NAMESPACE}",
        f"address add {NEAR}/30 dev {near}",
        f"link set {near} up",
        f"-n {NAMESPACE} address add {FAR}/30 dev {far}",
        f"-n {NAMESPACE} link set {far} up",
        f"-n {NAMESPACE} link set lo up",
    ):
        done = subprocess.run(["ip", *command.split()], capture_output=True, text=True, check=False)
        expect(done.returncode == 0, f"ip {command}: {done.stderr}")
    try:
        yield
    finally:
        subprocess.run(["ip", "netns", "delete", NAMESPACE], check=False)


def there(code: str, **environment: str) -> str:
    """Run a Python program in the namespace, and return what it prints."""
    clean = without_jupyter()
    command = ["ip", "netns", "exec", NAMESPACE, sys.executable, "-c", code]
    done = subprocess.run(
        command, env={**clean, **environment}, capture_output=True, text=True, check=False, timeout=60
    )
    expect(done.returncode == 0, done.stderr)
    return done.stdout.strip()


def make(place: Place, said: Callable[[str], None]) -> None:
    """Go through all steps; ``said`` is told each that has passed."""
    expect(hasattr(os, "geteuid") and os.geteuid() == 0, "A network namespace needs root (a container will do).")
    asyncio.run(_make(place, said))


async def _make(place: Place, said: Callable[[str], None]) -> None:
    place.person.sign_in()
    port = place.person.process.port
    with namespace():
        async with notebook(place.person) as cells:
            wish = f"'orders', address='http://{NEAR}:{port}/'"
            environment = await cells.delegated(wish)
            expect(there(AT_HOME.replace("{port}", str(port))) in ("ConnectionRefusedError", "TimeoutError"), "reached")
            said("the address of the kernel leads nowhere there")
            reads = f"{SOURCE}\nprint(reads()[1])"
            answers = await asyncio.to_thread(there, reads, **environment)
            expect(answers == "200", answers)
            said("a call by the grant's own address is answered")
            refused = await asyncio.to_thread(there, f"{SOURCE}\nprint(oversteps())", **environment)
            expect("200" not in refused and "done" not in refused, refused)
            said("another API, DELETE, sign-out, the session and a further grant are refused")
            (await asyncio.to_thread(place.person.post, "sign-out")).raise_for_status()
            ended = await asyncio.to_thread(there, reads, **environment)
            expect(ended == "GrantInvalid", ended)
            said("a call after the sign-out is refused")
