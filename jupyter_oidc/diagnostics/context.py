"""Holds all values and functions that the checks use, as parts that a test can replace one by one."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from pathlib import Path

    from jupyter_oidc.clock import Clock
    from jupyter_oidc.contract.storage import StorageKind
    from jupyter_oidc.entropy import Entropy
    from jupyter_oidc.sessions.credentials import Credentials
    from jupyter_oidc.sessions.ports import ProviderPort
    from jupyter_oidc.sessions.registry import Sessions
    from jupyter_oidc.settings import Api, Finding, Provider, Settings


@dataclass(frozen=True, slots=True)
class StoreProbe:
    """Tries one store: ``run`` returns a sentence about ``subject``, or raises ``StorageUnavailable``."""

    subject: str
    run: Callable[[], Awaitable[str]]


@dataclass(frozen=True, slots=True)
class Storage:
    """The stores of refresh tokens, and the folder of the lock between servers, which ``lock_folder`` checks.

    ``has_key`` says whether there is a key for the encrypted file, right or wrong.
    ``only`` is the one store of a broker, which knows no other.
    """

    probes: Mapping[StorageKind, StoreProbe]
    lock_folder: Callable[[], Awaitable[None]]
    has_key: bool
    only: StoreProbe | None = None


@dataclass(frozen=True, slots=True)
class Authorities:
    """A variable of the environment that names certificate authorities; ``counts`` if connections here heed it.

    ``readable`` says whether the file or folder that it names can be opened.
    """

    variable: str
    counts: bool
    readable: bool


@dataclass(frozen=True, slots=True)
class Admission:
    """Whether the Jupyter server answers requests for a host.

    ``seen`` if a request showed it, not only the settings.
    """

    admits: bool
    seen: bool


async def _admission_unknown(_: str) -> Admission | None:
    return None


@dataclass(frozen=True, slots=True)
class DiagnosticContext:
    """The input of the checks; ``settings`` is ``None`` if there are ``findings``.

    ``credentials`` returns those for a provider, ``load_authorities`` loads its certificate authorities and
    ``probe_api`` sends a request without a token to an API; each raises a ``Problem``. ``forward_proxy`` names the
    proxy on the way to a provider, without its password, and raises one if that proxy cannot be used.
    ``address`` is that of the Jupyter server with its base URL, if it is known, or the default one if no server runs
    (``address_is_assumed``); ``address_seen_by_browsers`` says that a browser has reached the server there.
    ``takes_answers_elsewhere`` says that the redirect URI leads to a broker and not to the Jupyter server.
    ``admission`` tells whether the server answers requests for a host, and ``converts_in_own_process`` whether
    notebooks are converted in another process, if that is known.
    ``sessions`` are those of a running server, and ``installed`` the versions of our distributions in its environment.
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
    takes_answers_elsewhere: bool = False
    admission: Callable[[str], Awaitable[Admission | None]] = _admission_unknown
    converts_in_own_process: bool | None = None
    authorities: tuple[Authorities, ...] = ()
    sessions: Sessions | None = None
    files: tuple[Path, ...] = ()
    installed: Mapping[str, str] = field(default_factory=dict)
