"""The line magic ``%oidc status|sign-in|sign-out [provider]``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jupyter_oidc.kernel import session as calls

if TYPE_CHECKING:
    from collections.abc import Callable

VERBS: dict[str, Callable[[str | None], Any]] = {
    "status": calls.session,
    "sign-in": calls.sign_in,
    "sign-out": calls.sign_out,
}

HELP = """%oidc status   [provider]   who is signed in
%oidc sign-in  [provider]   sign in
%oidc sign-out [provider]   sign out"""


def oidc(line: str) -> Any:
    """Sign in, sign out or show the session: ``%oidc status|sign-in|sign-out [provider]``."""
    words = line.split()
    verb = words[0] if words else "status"
    if verb not in VERBS or len(words) > 2:
        print(HELP)  # noqa: T201 - a magic answers by printing
        return None
    return VERBS[verb](words[1] if len(words) == 2 else None)


def load(shell: Any) -> None:
    """Register the magic with an IPython shell, completion of its verbs included."""
    shell.register_magic_function(oidc, "line", "oidc")
    shell.set_hook("complete_command", lambda _self, _event: list(VERBS), str_key="%oidc")
