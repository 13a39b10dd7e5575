"""Judge the keyring backends of this machine: only one that really keeps secrets may be used (B18).

``keyring.get_keyring()`` picks a plaintext backend without a word when one is installed, the null backend
drops writes, and a chain may hold either; so the choice is made here, by name and priority.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from jupyter_oidc.errors import StorageUnavailable

if TYPE_CHECKING:
    from keyring.backend import KeyringBackend

_NEVER: Final = ("keyring.backends.null", "keyring.backends.fail", "keyrings.alt", "keyrings.cryptfile")
_CHAINER: Final = "keyring.backends.chainer"
_WINDOWS: Final = "keyring.backends.Windows"


def is_safe(backend: KeyringBackend) -> bool:
    """Return whether ``backend`` is a real operating-system store with a priority of at least 1.

    A class that is derived from an unsafe one is unsafe too.
    """
    for ancestor in type(backend).__mro__:
        if ancestor.__module__.startswith((*_NEVER, _CHAINER)) or "plaintext" in ancestor.__name__.lower():
            return False
    try:
        return float(backend.priority) >= 1
    except Exception:  # noqa: BLE001 - a backend that cannot even say its priority is not usable
        return False


def has_short_entries(backend: KeyringBackend) -> bool:
    """Return whether ``backend`` is known to refuse entries of more than 1,280 characters (B19)."""
    return type(backend).__module__.startswith(_WINDOWS)


def choose_backend() -> KeyringBackend:
    """Return the backend to use: the configured one if it is safe, or the first safe member of a chain.

    Raises :class:`StorageUnavailable`, naming the backend that was refused.
    """
    import keyring

    configured = keyring.get_keyring()
    if is_safe(configured):
        return _local(configured)
    if type(configured).__module__.startswith(_CHAINER):
        members: list[KeyringBackend] = getattr(configured, "backends", [])
        for member in members:
            if is_safe(member):
                return _local(member)
    name = f"{type(configured).__module__}.{type(configured).__qualname__}"
    raise StorageUnavailable(
        f"The keyring backend '{name}' does not keep secrets safely.",
        action="Unlock or install your system's keyring, or set c.JupyterOIDC.storage = 'memory'.",
        detail="keyring_unsafe",
    )


def _local(backend: KeyringBackend) -> KeyringBackend:
    """Keep the entries of the Windows Credential Manager on this machine; its own default lets them roam (B34)."""
    if type(backend).__module__.startswith(_WINDOWS):
        backend.persist = "local machine"  # type: ignore[attr-defined]  # NOTE: an attribute of that backend only
    return backend
