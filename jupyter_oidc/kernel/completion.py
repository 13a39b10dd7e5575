"""Completes names of APIs and providers, and paths of operations, in IPython and JupyterLab.

It looks at the text before the cursor and at names of the notebook that are bound already; it runs no code of the
notebook. It asks the server for lists only, waits for at most a second, and offers nothing where that fails.
This module imports little, because it is loaded when a notebook imports the package.
"""

from __future__ import annotations

import re
import sys
import time
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from jupyter_oidc.kernel.server_connection import ServerConnection

WAIT_SECONDS: Final = 1.0
"""Seconds that one completion waits for the server, all its lists together."""

MAX_LOOKED_AT_CHARACTERS: Final = 500
"""Characters before the cursor that are looked at."""

MAX_OFFERED: Final = 200
"""Completions that are offered at most."""

MATCHER: Final = "jupyter_oidc"
"""The identifier of the matcher: ``IPCompleter.disable_matchers = ["jupyter_oidc"]`` switches it off."""

PROMPTS: Final = ("select_account", "login", "consent", "none")

_API, _PROVIDER, _PROMPT = "api", "provider", "prompt"
_ARGUMENTS: Final[dict[str, dict[str | None, str]]] = {
    "api": {None: _API, "name": _API},
    "async_api": {None: _API, "name": _API},
    "auth": {None: _API, "name": _API},
    "endpoint": {None: _API, "name": _API},
    "session": {None: _PROVIDER, "provider": _PROVIDER},
    "sign_in": {None: _PROVIDER, "provider": _PROVIDER, "api": _API, "prompt": _PROMPT},
    "sign_out": {None: _PROVIDER, "provider": _PROVIDER},
}
"""Which kind of name stands in an argument of each function; ``None`` is the first one."""

_METHODS: Final = "get|post|put|patch|delete|head|options|upload"
_NAME: Final = r"[A-Za-z_]\w*"
_CLIENT: Final = (
    rf"(?:(?<![\w.])(?P<function>(?:{_NAME}\.)?(?:async_)?api)\(\s*[\"'](?P<api>[\w-]+)[\"'][^()\"']*\)"
    rf"|(?<![\w.])(?P<client>{_NAME}))"
)
_PATH: Final = re.compile(
    rf"{_CLIENT}\s*\.\s*(?:(?P<method>{_METHODS})\(\s*|(?:request|stream)\(\s*[\"'](?P<verb>[A-Za-z]+)[\"']\s*,\s*)"
    r"[\"'](?P<typed>[^\"'\n]*)$"
)
_ARGUMENT: Final = re.compile(
    rf"(?<![\w.])(?P<function>(?:{_NAME}\.)?(?P<call>{'|'.join(_ARGUMENTS)}))\("
    rf"(?:\s*|[^()]*,\s*)(?:(?P<keyword>{_NAME})\s*=\s*)?[\"'](?P<typed>[^\"'\n]*)$"
)


def register(shell: Any) -> None:
    """Add the matcher to the completer of an IPython ``shell``, once; an older one than 8.6 is left as it is."""
    completer = sys.modules.get("IPython.core.completer")
    matchers = getattr(getattr(shell, "Completer", None), "custom_matchers", None)
    if not hasattr(completer, "context_matcher") or not isinstance(matchers, list):
        return
    if all(getattr(matcher, "matcher_identifier", None) != MATCHER for matcher in matchers):
        matchers.append(_matcher(shell))


def _matcher(shell: Any) -> Callable[[Any], dict[str, Any]]:
    def jupyter_oidc(context: Any) -> dict[str, Any]:
        before = context.full_text[: _offset(context)][-MAX_LOOKED_AT_CHARACTERS:]
        found = completions(before, shell.user_ns)
        if found is None or not found[1]:
            return {"completions": [], "suppress": False}
        made = sys.modules["IPython.core.completer"].SimpleCompletion
        offered = [made(text=text, type="text") for text in found[1]]
        # NOTE: inside these quotation marks, file names would be noise.
        return {"completions": offered, "suppress": True, "matched_fragment": found[0]}

    jupyter_oidc.__dict__.update(matcher_api_version=2, matcher_identifier=MATCHER, matcher_priority=0)
    return jupyter_oidc


def _offset(context: Any) -> int:
    """Return the cursor's place in the text of the whole cell, from its line and its place there."""
    lines = context.full_text.split("\n")
    return sum(len(line) + 1 for line in lines[: context.cursor_line]) + int(context.cursor_position)


def completions(before: str, names: dict[str, Any]) -> tuple[str, list[str]] | None:
    """Return what is typed of a name, and what it may become; ``None`` if no name of ours is being typed.

    ``before`` is the text up to the cursor, ``names`` are those of the notebook.
    """
    asked = _PATH.search(before)
    if asked is not None:
        api = _api_of(asked, names)
        return None if api is None else (asked["typed"], _paths(api, asked["verb"] or asked["method"], asked["typed"]))
    asked = _ARGUMENT.search(before)
    if asked is None or not _is_ours(asked["function"], names):
        return None
    keyword, typed = asked["keyword"], asked["typed"]
    first = before[asked.end("function") + 1 : asked.start("typed") - 1].strip() == ""
    kind = _ARGUMENTS[asked["call"]].get(keyword) if keyword or first else None
    return None if kind is None else (typed, _beginning_with(typed, names_of(kind)))


def names_of(kind: str) -> list[str]:
    """Return the names of a ``kind``: ``api``, ``provider`` or ``prompt``; none if the server cannot tell them in time."""
    if kind == _PROMPT:
        return list(PROMPTS)
    connection = _connection()
    if connection is None:
        return []
    if kind == _PROVIDER:
        return connection.listed_providers(WAIT_SECONDS) or []
    return [api.name for api in connection.listed_apis(WAIT_SECONDS) or []]


def _paths(name: str, method: str, typed: str) -> list[str]:
    """Return the paths of the operations of an API that begin as ``typed``, written as it is: with a slash or without."""
    connection = _connection()
    if connection is None:
        return []
    deadline = time.monotonic() + WAIT_SECONDS
    listed = connection.listed_apis(WAIT_SECONDS) or []
    api = next((one for one in listed if one.name == name), None)
    if api is None:
        return []
    paths = [api.example] if api.example is not None and method.lower() == "get" else []
    if api.has_operations:
        verb = "PUT" if method == "upload" else method.upper()
        operations = connection.listed_operations(name, max(0.0, deadline - time.monotonic())) or []
        paths += [one["path"] for one in operations if one["method"] == verb and one["obstacle"] is None]
    rooted = typed.startswith("/")
    written = dict.fromkeys(("/" if rooted else "") + path.lstrip("/") for path in paths)
    return _beginning_with(typed, written)


def _beginning_with(typed: str, offered: Iterable[str]) -> list[str]:
    return [one for one in offered if one.startswith(typed) and one.isprintable()][:MAX_OFFERED]


def _api_of(asked: re.Match[str], names: dict[str, Any]) -> str | None:
    """Return the name of the API whose client a call is made with, without running anything."""
    if asked["api"] is not None:
        return asked["api"] if _is_ours(asked["function"], names) else None
    transport = sys.modules.get("jupyter_oidc.kernel.transport")
    client = names.get(asked["client"])
    if transport is None or not isinstance(client, transport.OIDCClient | transport.AsyncOIDCClient):
        return None
    name: str | None = client.api_name
    return name


def _is_ours(written: str, names: dict[str, Any]) -> bool:
    """Return whether the function that is ``written`` in the notebook is one of ours: ``oidc.api``, or ``api`` alone."""
    owner, dot, name = written.rpartition(".")
    if dot:
        return names.get(owner) is sys.modules["jupyter_oidc"]
    session = sys.modules.get("jupyter_oidc.kernel.session")
    return session is not None and name in names and names[name] is getattr(session, name, None)


def _connection() -> ServerConnection | None:
    from jupyter_oidc.kernel.errors import OIDCError
    from jupyter_oidc.kernel.server_connection import server_connection

    try:
        return server_connection()
    except OIDCError:
        return None
