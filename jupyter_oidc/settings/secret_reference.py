"""Reads references to secrets: the settings name a place, and never hold the secret itself (D8)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, Literal, Protocol, get_args

from jupyter_oidc.language import N_
from jupyter_oidc.settings.model import SecretRef

if TYPE_CHECKING:
    from jupyter_oidc.settings.finding import Kind

_Scheme = Literal["env", "file", "keyring"]
_VARIABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_INSTEAD: Final = N_("Write 'env:NAME', 'file:PATH' or 'keyring:SERVICE/USER'; a secret never stands in the settings.")


class At(Protocol):
    """Collects findings, under the key that is being read."""

    def add(self, key: str, problem: str, instead: str, kind: Kind = ...) -> None:
        """Add a finding."""


class Keys(Protocol):
    """A mapping of the settings while it is read."""

    @property
    def at(self) -> At:
        """The collector of findings."""

    def take(self, key: str) -> Any:
        """Return the value at ``key``, or ``None``."""


def read_secret_reference(keys: Keys, key: str) -> SecretRef | None:
    """Read the reference at ``key``; anything else is reported and not repeated, since it may be the secret."""
    value = keys.take(key)
    if value is None:
        return None
    written, _, name = value.partition(":") if isinstance(value, str) else ("", "", "")
    scheme: _Scheme | None = next((known for known in get_args(_Scheme) if known == written), None)
    if scheme and _is_name(scheme, name):
        return SecretRef(scheme, name)
    kind: Kind = "malformed" if scheme or not isinstance(value, str) else "unsafe"
    keys.at.add(key, N_("is not a reference (its value is not shown here)"), _INSTEAD, kind)
    return None


def _is_name(scheme: _Scheme, name: str) -> bool:
    """Return whether ``name`` can name a place; messages show it, so a key or secret must not pass."""
    if scheme == "env":
        return _VARIABLE.fullmatch(name) is not None
    return bool(name) and name.isprintable() and not name.startswith("{") and "-----" not in name
