"""A certified OpenID Provider (the npm package ``oidc-provider``) in a process of its own, on a loopback port.

Nothing of its protocol is ours: PKCE is required, refresh tokens rotate, and using one twice ends the grant. Clients,
accounts and lifetimes come from a :class:`ProviderDocument`; later requests of a test go through a second port.
"""

from __future__ import annotations

import contextlib
import json
import queue
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Literal

import httpx

from tests.support.canary import CANARY
from tests.support.form_sign_in import FormBrowser
from tests.support.node import find_node
from tests.support.plain_http import PLAIN
from tests.support.provider_document import Dress, ProviderDocument, RegisteredClient, Resource

if TYPE_CHECKING:
    from typing_extensions import Self

FOLDER = Path(__file__).with_name("certified")
PATIENCE = 30.0
"""Seconds until the provider must be ready, or gone."""

Register = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Record:
    """Secrets issued and requests received since the provider's start; counters are by grant type and by error code."""

    issued: tuple[tuple[str, str], ...] = field(repr=False)
    token_requests: dict[str, int]
    token_errors: dict[str, int]
    grants_revoked: int


class CertifiedProvider:
    """Context manager, or :meth:`start` and :meth:`stop`.

    ``register`` (by default the canary) is called with each secret once, code verifiers included, from another thread:
    with an issued one at the latest before :meth:`record` or :meth:`issued` returns.
    """

    def __init__(self, document: ProviderDocument | None = None, *, register: Register | None = None) -> None:
        self.document = document or ProviderDocument()
        self.issuer = ""
        self._register = register or CANARY.hold
        self._heard: set[str] = set()
        self._hearing = threading.Lock()
        self._control = ""
        self._process: subprocess.Popen[str] | None = None
        self._reader: threading.Thread | None = None
        self._folder = tempfile.TemporaryDirectory(prefix="certified-provider-")
        self._ready: queue.Queue[dict[str, str] | None] = queue.Queue()

    @classmethod
    def start(cls, document: ProviderDocument | None = None, *, register: Register | None = None) -> CertifiedProvider:
        """Return a provider that is ready; the caller stops it."""
        return cls(document, register=register).__enter__()

    def __enter__(self) -> Self:
        node = find_node()
        node.install(FOLDER)
        program = shutil.which("node", path=node.folder) or "node"
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [program, "server.mjs"],
                cwd=FOLDER,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                encoding="utf-8",
            )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._reader = threading.Thread(target=self._listen, args=(self._process.stdout,), daemon=True)
        self._reader.start()
        with contextlib.suppress(OSError):  # a process that ended at once is reported below, with its own words
            self._process.stdin.write(self.document.to_json() + "\n")
            self._process.stdin.flush()
        try:
            ready = self._ready.get(timeout=PATIENCE)
        except queue.Empty:
            ready = None
        if ready is None:
            words = self.log()
            self.stop()
            raise RuntimeError(f"The certified provider did not start.\n{words}")
        self.issuer, self._control = ready["issuer"], ready["control"]
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """End the process: its standard input ends, and after a while it is killed. Twice is as good as once."""
        process, self._process = self._process, None
        if process is None:
            return
        if process.stdin is not None:
            with contextlib.suppress(OSError):
                process.stdin.close()
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if self._reader is not None:
            self._reader.join(PATIENCE)
        if process.stdout is not None:
            process.stdout.close()
        self._folder.cleanup()

    @property
    def _log(self) -> Path:
        return Path(self._folder.name) / "provider.log"

    def log(self) -> str:
        """Return the standard error of the running process."""
        return self._log.read_text(encoding="utf-8", errors="replace")

    def browser(self) -> FormBrowser:
        """Return a fresh browser profile; replies of other servers than this provider are shown to the canary."""
        return FormBrowser(self.issuer)

    def record(self) -> Record:
        """Return the secrets issued and the requests received so far."""
        told = self._ask("record")
        issued = tuple((one["kind"], one["value"]) for one in told["issued"])
        for _, value in issued:
            self._hear(value)
        return Record(issued, told["token_requests"], told["token_errors"], told["grants_revoked"])

    def issued(self, kind: str = "") -> list[str]:
        """Return every secret issued, or those of one ``kind``: ``access_token``, ``refresh_token``, ``code`` ..."""
        return [value for known, value in self.record().issued if kind in ("", known)]

    def register_client(self, client: RegisteredClient) -> None:
        """Add ``client``, or put it in the place of the one with its id; raises ``ValueError`` if it is refused."""
        self._ask("clients", client.metadata())

    def revoke_all(self, sub: str) -> int:
        """End all grants and browser sessions of ``sub``; return the number of grants."""
        return int(self._ask("revoke", {"sub": sub})["grants"])

    def set_lifetime(self, seconds: int, *, of: str = "AccessToken") -> None:
        """Change the lifetime of tokens that are issued from now on (see ``LIFETIMES``)."""
        self._ask("ttl", {of: seconds})

    def down(self, how: Literal["refuse", "unavailable", "html"] = "refuse") -> None:
        """Refuse connections, or answer 503, or answer 200 with a page, until :meth:`up`."""
        self._ask("down", {"how": how})

    def up(self) -> None:
        """Serve again at the same issuer."""
        self._ask("up")

    def _ask(self, act: str, document: dict[str, Any] | None = None) -> dict[str, Any]:
        reply = httpx.post(
            f"{self._control}/{act}", json=document or {}, trust_env=False, verify=PLAIN, timeout=PATIENCE
        )
        told: dict[str, Any] = reply.json()
        if reply.status_code != 200:
            raise ValueError(told["error"])
        return told

    def _listen(self, lines: IO[str]) -> None:
        """Read the process's lines until it ends."""
        for line in lines:
            told = json.loads(line)
            if told["event"] == "ready":
                self._ready.put(told)
            else:
                self._hear(told["value"])
        self._ready.put(None)

    def _hear(self, secret: str) -> None:
        """Pass ``secret`` on, once."""
        with self._hearing:
            if secret not in self._heard:
                self._heard.add(secret)
                self._register(secret)


__all__ = ["CertifiedProvider", "Dress", "ProviderDocument", "Record", "RegisteredClient", "Resource"]
