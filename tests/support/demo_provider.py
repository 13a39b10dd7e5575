"""The demo's provider alone, as a real process, for tests of its pages."""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

import jupyter_oidc
from jupyter_oidc.demo.child import Child

CALLBACK = "http://localhost:8999/jupyter-oidc/providers/demo/callback"
"""The registered redirect URI; nothing listens there."""

VERIFIER = "a-code-verifier-of-the-test-with-enough-characters"
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path(jupyter_oidc.__file__).parents[1])}


@dataclass(frozen=True, slots=True)
class DemoProvider:
    """The running provider."""

    issuer: str

    def authorization_url(self, **changed: str | None) -> str:
        """An authorization request as the product makes it, with some parameters ``changed`` or, as ``None``, left out."""
        challenge = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
        query = {
            "response_type": "code",
            "client_id": "jupyter",
            "redirect_uri": CALLBACK,
            "scope": "openid profile email offline_access",
            "state": "s",
            "nonce": "n",
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        wished = {name: value for name, value in {**query, **changed}.items() if value is not None}
        return f"{self.issuer}/authorize?{urlencode(wished)}"


@contextmanager
def demo_part(folder: Path, name: str, *arguments: str) -> Iterator[str]:
    """Run the demo's module ``name`` with its files in ``folder``; yields what it publishes when it is ready."""
    ready = folder / f"{name}.ready"
    command = ["-m", f"jupyter_oidc.demo.{name}", "--ready", str(ready), *arguments]
    child = Child.start(name, command, folder / f"{name}.log", ENVIRONMENT)
    try:
        yield child.published(ready, within=60)
    finally:
        child.release()
        child.finish(within=10)


@contextmanager
def running_demo_provider(folder: Path) -> Iterator[DemoProvider]:
    """Run the provider; ``CALLBACK`` is registered."""
    arguments = ("--folder", str(folder / "provider"), "--redirect-uri", CALLBACK)
    with demo_part(folder, "provider", *arguments) as issuer:
        yield DemoProvider(issuer)
