"""The step that the user takes once a sign-in has begun: the table of strategies of notebook cells and terminals.

The server's reply names the strategy; this table says what is shown and opened, and whether the answer is awaited or
pasted. The type check fails until a new strategy of the contract has an entry here, and until both clients render a new
kind of step. The panel has the same table in ``labextension-stub/src/signinstep.ts``.
This module refuses to print, to open or to wait.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, get_args
from urllib.parse import urlsplit

from typing_extensions import assert_never

from jupyter_oidc.contract.strategy import Strategy
from jupyter_oidc.kernel.errors import ContractError
from jupyter_oidc.kernel.replies import broken_contract
from jupyter_oidc.language import _

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_CODE_CHARACTERS: Final = 255
"""Characters of a code that is shown; a person has to compare or type it."""


@dataclass(frozen=True, slots=True)
class OpenLink:
    """The user opens ``address`` once and signs in there, and the client waits.

    It is a path if the server does not know how browsers reach it. ``on_this_machine``: no browser of another machine
    can finish.
    """

    address: str
    on_this_machine: bool = False


@dataclass(frozen=True, slots=True)
class EnterCode:
    """The user opens ``address`` on any machine and enters ``code`` there, or, ``filled_in``, compares it."""

    address: str
    code: str
    filled_in: bool


@dataclass(frozen=True, slots=True)
class PasteAddress:
    """The user opens ``address`` as for :class:`OpenLink`, then copies the address at which the browser ends."""

    address: str


SignInStep = OpenLink | EnterCode | PasteAddress


def step_of(started: Mapping[str, Any]) -> SignInStep:
    """Return the step for the reply ``started``; raises ``ContractError`` if there is none, or its link is not safe.

    A newer server may name a strategy that is not known here; the error says what to do then.
    """
    strategy = _strategy_in(started)
    match strategy:
        case "server":
            return OpenLink(_start_of(started))
        case "loopback":
            return OpenLink(_start_of(started), on_this_machine=True)
        case "device":
            return _code_in(started)
        case "paste":
            return PasteAddress(_start_of(started))
        case _:
            assert_never(strategy)


def is_path(address: str) -> bool:
    """Return whether ``address`` is a path, which the page that shows it completes."""
    return address.startswith("/")


def _strategy_in(started: Mapping[str, Any]) -> Strategy:
    for known in get_args(Strategy):
        if started.get("strategy") == known:
            strategy: Strategy = known
            return strategy
    raise ContractError(
        _("The server wants to sign you in, in a way that the jupyter_oidc of this environment does not know."),
        action=_("Sign in from JupyterLab, or install the jupyter_oidc of the server here."),
    )


def _start_of(started: Mapping[str, Any]) -> str:
    """Return the link that starts a sign-in, or its path if the server does not know how browsers reach it."""
    address = started.get("start_address")
    if address is not None:
        return _link(address)
    path = started.get("start_url")
    if not isinstance(path, str) or not path.isprintable() or path[:1] != "/" or path[1:2] in ("/", "\\"):
        raise broken_contract()
    return path


def _code_in(started: Mapping[str, Any]) -> EnterCode:
    device = started.get("device") or {}
    whole, code = device.get("verification_uri_complete"), device.get("user_code")
    if not isinstance(code, str) or not 0 < len(code) <= MAX_CODE_CHARACTERS:
        raise broken_contract()
    return EnterCode(_link(whole or device.get("verification_uri")), code, filled_in=bool(whole))


def _link(address: object) -> str:
    """Return ``address`` if it may be shown as a link and opened."""
    if not isinstance(address, str) or not address.isprintable() or not _is_web_address(address):
        raise broken_contract()
    return address


def _is_web_address(address: str) -> bool:
    try:
        parts = urlsplit(address)
    except ValueError:  # a bracket without its pair
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname)
