"""The line magic ``%oidc status|sign-in|sign-out [provider]``, ``%oidc sessions`` and ``%oidc apis [api]``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jupyter_oidc.kernel import session as calls
from jupyter_oidc.kernel.completion import names_of
from jupyter_oidc.language import N_, told

if TYPE_CHECKING:
    from collections.abc import Callable

HELP = N_(
    "%oidc status   [provider]   who is signed in\n"
    "%oidc sign-in  [provider]   sign in\n"
    "%oidc sign-out [provider]   sign out\n"
    "%oidc sessions              the sessions of all providers\n"
    "%oidc apis     [api]        the APIs, or one of them"
)


def _apis(name: str | None) -> Any:
    if name is None:
        return calls.apis()
    return calls.api(name)


VERBS: dict[str, tuple[Callable[[str | None], Any], str | None]] = {
    "status": (calls.session, "provider"),
    "sign-in": (calls.sign_in, "provider"),
    "sign-out": (calls.sign_out, "provider"),
    "sessions": (lambda _name: calls.sessions(), None),
    "apis": (_apis, "api"),
}
"""For each verb its function, and the kind of name that may follow it."""


def oidc(line: str) -> Any:
    """Sign in, sign out, show sessions and APIs: ``%oidc status|sign-in|sign-out|sessions|apis [name]``."""
    words = line.split()
    verb = words[0] if words else "status"
    call, kind = VERBS.get(verb, (None, None))
    if call is None or len(words) > (1 if kind is None else 2):
        print(told(HELP))  # noqa: T201 - a magic answers by printing
        return None
    return call(words[1] if len(words) == 2 else None)


def complete(_shell: Any, event: Any) -> list[str]:
    """Return what may follow in a line that begins with the magic: a verb, then a name of its kind."""
    words = event.text_until_cursor.split()
    before = words[1:-1] if event.symbol else words[1:]
    if not before:
        return list(VERBS)
    _, kind = VERBS.get(before[0], (None, None))
    return names_of(kind) if kind is not None and len(before) == 1 else []


def load(shell: Any) -> None:
    """Register the magic with an IPython shell, completion of its verbs and names included."""
    shell.register_magic_function(oidc, "line", "oidc")
    shell.set_hook("complete_command", complete, str_key="%oidc")
