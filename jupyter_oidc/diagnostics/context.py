"""Everything that the checks look at, as parts that a test can replace one by one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from jupyter_oidc.clock import Clock
    from jupyter_oidc.entropy import Entropy
    from jupyter_oidc.sessions.credentials import Credentials
    from jupyter_oidc.sessions.ports import ProviderPort
    from jupyter_oidc.sessions.registry import Sessions
    from jupyter_oidc.settings import Api, Finding, Provider, Settings


@dataclass(frozen=True, slots=True)
class Storage:
    """The places for refresh tokens.

    ``keyring`` writes, reads and deletes a harmless entry and returns the backend's name; ``file`` checks the keys and
    the folder of the encrypted file; ``lock_folder`` checks the folder in which servers take turns.
    Each raises ``StorageUnavailable``. ``has_key`` says whether there is a key for the file, right or wrong.
    """

    keyring: Callable[[], Awaitable[str]]
    file: Callable[[], Awaitable[None]]
    lock_folder: Callable[[], Awaitable[None]]
    has_key: bool


@dataclass(frozen=True, slots=True)
class Authorities:
    """A variable of the environment that names certificate authorities; ``counts`` if connections here heed it.

    ``readable`` says whether what it names can be opened.
    """

    variable: str
    counts: bool
    readable: bool


@dataclass(frozen=True, slots=True)
class Admission:
    """Whether the Jupyter server answers requests for a host; ``seen`` if it was asked, and not its settings alone."""

    admits: bool
    seen: bool


async def _admission_unknown(_: str) -> Admission | None:
    return None


@dataclass(frozen=True, slots=True)
class DiagnosticContext:
    """Holds everything that the checks look at; ``settings`` is ``None`` if ``findings`` keep them from existing.

    ``credentials`` are what a provider is shown, ``load_authorities`` loads its certificate authorities and
    ``probe_api`` sends a request without a token to an API; each raises a ``Problem``. ``forward_proxy`` names the
    proxy on the way to a provider, without its password, and raises one if that proxy cannot be used.
    ``address`` is that of the Jupyter server with its base URL, if it is known, or what it would be if one ran
    (``address_is_assumed``); ``address_seen_by_browsers`` says that browsers have been seen to reach it so.
    ``admission`` tells whether the server answers requests for a host, and ``converts_in_own_process`` where notebooks
    are converted, if one of them is known.
    ``sessions`` are those of a running server.
    """

    settings: Settings | None
    findings: tuple[Finding, ...]
    clock: Clock
    entropy: Entropy
    storage: Storage
    provider_port: Callable[[Provider], ProviderPort]
    credentials: Callable[[Provider], Credentials]
    load_authorities: Callable[[Provider], object]
    probe_api: Callable[[Api], Awaitable[None]]
    forward_proxy: Callable[[Provider], str | None]
    address: str | None = None
    address_is_assumed: bool = False
    address_seen_by_browsers: bool = False
    admission: Callable[[str], Awaitable[Admission | None]] = _admission_unknown
    converts_in_own_process: bool | None = None
    authorities: tuple[Authorities, ...] = ()
    sessions: Sessions | None = None
    files: tuple[Path, ...] = ()
