"""Choose the keyring backend of this process from the operating system's own stores (B18, ADR 31).

``keyring`` itself takes the registered class of the highest priority, of any installed package, or any class that its
configuration file or an environment variable names: an arbitrary module is then imported into the process that holds
the tokens.
Here a class stands on a list, or in our settings; each on the list is tried with a harmless entry, one after the other.
This module refuses to ask ``keyring`` for its own choice, in any way.
"""

from __future__ import annotations

import os
import sys
from importlib import import_module
from typing import TYPE_CHECKING, Final

from jupyter_oidc.language import N_, Sentence
from jupyter_oidc.problems import StorageUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from keyring.backend import KeyringBackend

SYSTEM_STORES: Final = {
    "darwin": ("keyring.backends.macOS.Keyring",),
    "win32": ("keyring.backends.Windows.WinVaultKeyring",),
    "": (
        "keyring.backends.SecretService.Keyring",
        "keyring.backends.libsecret.Keyring",
        "keyring.backends.kwallet.DBusKeyring",
    ),
}
"""The operating systems' own stores by ``sys.platform``; the empty name is for Linux and its relatives."""

_KWALLET: Final = "keyring.backends.kwallet"
_UNSAFE_MODULES: Final = (
    *("keyring.backends.null", "keyring.backends.fail", "keyring.backends.chainer"),
    *("keyrings.alt", "keyrings.cryptfile"),
)
_WINDOWS: Final = "keyring.backends.Windows"


class _ProcessBackend:
    """The backend that the settings name for this process, and the one that was chosen.

    A choice that worked is kept.
    """

    named: str | KeyringBackend | None = None
    chosen: KeyringBackend | None = None


def use_backend(named: str | KeyringBackend | None) -> None:
    """Let this process use the class ``named`` ('module.Class') or the backend object; ``None``: the system's own."""
    if named == _ProcessBackend.named:
        return  # a backend that was chosen stays
    _ProcessBackend.named, _ProcessBackend.chosen = named, None


def choose_backend() -> KeyringBackend:
    """Return the backend of this process; waits for the keyring, so it must not run on the event loop's thread.

    Raises :class:`StorageUnavailable`, naming the backend that was refused, or saying that there is none.
    """
    if _ProcessBackend.chosen is None:
        named = _ProcessBackend.named
        chosen = (
            first_working_backend(_loader(name) for name in system_stores())
            if named is None
            else _configured_backend(named)
        )
        if type(chosen).__module__.startswith(_WINDOWS):
            # NOTE: its own default lets entries roam to other machines (B34).
            chosen.persist = "local machine"  # type: ignore[attr-defined]  # NOTE: an attribute of that backend only
        _ProcessBackend.chosen = chosen
    return _ProcessBackend.chosen


def system_stores(platform: str = sys.platform, desktop: str | None = None) -> tuple[str, ...]:
    """Return the classes of this system's own stores, in the order in which they are tried.

    ``desktop`` defaults to the value of ``XDG_CURRENT_DESKTOP``.
    """
    names = SYSTEM_STORES.get(platform, SYSTEM_STORES[""])
    desktop = os.environ.get("XDG_CURRENT_DESKTOP", "") if desktop is None else desktop
    if "KDE" in desktop.split(":"):
        return tuple(sorted(names, key=lambda name: not name.startswith(_KWALLET)))
    return names


def first_working_backend(stores: Iterable[Callable[[], KeyringBackend]]) -> KeyringBackend:
    """Return the first of ``stores`` that keeps a harmless entry, gives it back and deletes it.

    A store that cannot be instantiated is not on this machine. A locked store exists and waits for the user: no other
    takes its place, because once unlocked it would be the first one again (B22).
    Raises :class:`StorageUnavailable` if there is none, or the error of the first one that exists.
    """
    from jupyter_oidc.adapters.storage.keyring_entries import is_locked, probe
    from jupyter_oidc.adapters.storage.keyring_thread import as_storage_unavailable

    trouble: StorageUnavailable | None = None
    for store in stores:
        try:
            backend = store()
        except Exception:  # noqa: BLE001, S112 - backends say in many ways that they are not for this machine
            continue
        try:
            probe(backend, "choice")
        except Exception as error:  # noqa: BLE001 - backends fail with errors of their own
            if is_locked(error):
                raise as_storage_unavailable(error) from None
            trouble = trouble or as_storage_unavailable(error)
        else:
            return backend
    raise trouble or StorageUnavailable(
        N_("This system has no keyring that this server can reach."),
        action=N_(
            "Start or install your system's keyring, name another one in c.JupyterOIDC.keyring_backend, "
            "or set c.JupyterOIDC.storage = 'memory'."
        ),
        detail="keyring_unsafe",
    )


def is_safe(backend: type[KeyringBackend]) -> bool:
    """Return whether ``backend`` is no class that is known to lose secrets, to show them, or to hand them on.

    A class that is derived from an unsafe one is unsafe too.
    """
    return not any(
        ancestor.__module__.startswith(_UNSAFE_MODULES) or "plaintext" in ancestor.__name__.lower()
        for ancestor in backend.__mro__
    )


def has_short_entries(backend: KeyringBackend) -> bool:
    """Return whether ``backend`` is known to refuse entries of more than 1,280 characters (B19)."""
    return type(backend).__module__.startswith(_WINDOWS)


def _loader(name: str) -> Callable[[], KeyringBackend]:
    def load() -> KeyringBackend:
        backend = _class_of(name)
        # NOTE: a class whose store is not there raises when this number is read; its value means nothing.
        backend.priority  # noqa: B018
        made: KeyringBackend = backend()
        return made

    return load


def _class_of(name: str) -> type[KeyringBackend]:
    module, _, attribute = name.rpartition(".")
    found: type[KeyringBackend] = getattr(import_module(module), attribute)
    return found


def _configured_backend(named: str | KeyringBackend) -> KeyringBackend:
    """Return the backend that the settings name, unless its class is unsafe; no entry is written to find out."""
    from keyring.backend import KeyringBackend

    try:
        kind = _class_of(named) if isinstance(named, str) else type(named)
        if not (isinstance(kind, type) and issubclass(kind, KeyringBackend)):
            raise TypeError
    except Exception:  # noqa: BLE001 - a module runs here, and fails with errors of its own
        raise _refusal(N_("The keyring backend '{name}' does not exist here."), str(named)) from None
    name = f"{kind.__module__}.{kind.__qualname__}"
    if not is_safe(kind):
        raise _refusal(N_("The keyring backend '{name}' does not keep secrets safely."), name)
    try:
        return kind() if isinstance(named, str) else named
    except Exception:  # noqa: BLE001 - as above
        raise _refusal(N_("The keyring backend '{name}' cannot be used here."), name) from None


def _refusal(message: str, name: str) -> StorageUnavailable:
    return StorageUnavailable(
        Sentence(message, {"name": name}),
        action=N_(
            "Name another one in c.JupyterOIDC.keyring_backend, remove that setting to use your system's "
            "keyring, or set c.JupyterOIDC.storage = 'memory'."
        ),
        detail="keyring_unsafe",
    )
