"""Warns once that the server of a kernel writes another version of the contract, and says which side is older.

Calls go on: :mod:`jupyter_oidc.contract.reader` takes what it knows.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Final, Literal

from jupyter_oidc.contract.version import CONTRACT_HEADER, CONTRACT_VERSION, ServerAge, server_age, version_in
from jupyter_oidc.kernel.errors import OIDCWarning
from jupyter_oidc.kernel.library_frames import level_of_caller
from jupyter_oidc.language import N_, _, told

if TYPE_CHECKING:
    from collections.abc import Mapping

_ADVICE: Final[dict[ServerAge, str]] = {
    "newer": N_(
        "Calls go on, but what is new there is not understood here. Install the jupyter_oidc of the server in the "
        "environment of this kernel, then restart the kernel."
    ),
    "older": N_(
        "Calls go on, but what is new here does not work there. Update jupyter_oidc in the environment of the "
        "server, then restart the server."
    ),
}

_AGES: Final = {
    ("newer", "this kernel"): N_(
        "The Jupyter server has a jupyter_oidc that is newer than that of this kernel "
        "(contract {there} there, {here} here)."
    ),
    ("older", "this kernel"): N_(
        "The Jupyter server has a jupyter_oidc that is older than that of this kernel "
        "(contract {there} there, {here} here)."
    ),
    ("newer", "this command"): N_(
        "The Jupyter server has a jupyter_oidc that is newer than that of this command "
        "(contract {there} there, {here} here)."
    ),
    ("older", "this command"): N_(
        "The Jupyter server has a jupyter_oidc that is older than that of this command "
        "(contract {there} there, {here} here)."
    ),
}


class ContractVersionWarning(OIDCWarning):
    """The server writes a newer or an older version of the contract than this kernel reads."""


class VersionWarning:
    """Judges the replies of one server; warns at the first that has another version."""

    def __init__(self) -> None:
        self._warned = False

    def judge(self, headers: Mapping[str, str]) -> None:
        """Warn if ``headers``, of a reply of a route of ours, name another version, unless that was done before."""
        version = version_in(headers.get(CONTRACT_HEADER))
        age = server_age(version)
        if age == "same" or self._warned:
            return
        self._warned = True
        text = version_text(age, version, "this kernel", _ADVICE[age])
        warnings.warn(text, ContractVersionWarning, stacklevel=level_of_caller())


def version_text(age: ServerAge, version: int, reader: Literal["this kernel", "this command"], advice: str) -> str:
    """Return the sentences about a server that is newer or older than ``reader``; ``advice`` is what to do."""
    fact = _(_AGES[age, reader], there=version, here=CONTRACT_VERSION)
    return f"{fact} {told(advice)}"
