"""``jupyter oidc sign-in``: guides the user at a terminal by the strategy that the server's reply names.

One ``match``, which the type checker proves complete: a new strategy cannot be forgotten here.
It refuses to keep the pasted address: the user types it at a hidden prompt and it goes to the server at once.
"""

from __future__ import annotations

import getpass
import time
import webbrowser
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, get_args
from urllib.parse import quote, urljoin, urlsplit

from typing_extensions import assert_never

from jupyter_oidc.cli.running import ServerError
from jupyter_oidc.contract.reader import OTHER
from jupyter_oidc.sessions.strategy import Strategy

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from jupyter_oidc.cli.running import RunningServer

POLL_SECONDS: Final = 25
"""Seconds of one long poll."""

UNKNOWN_STATE_PAUSE_SECONDS: Final = 2.0
"""Seconds between two polls of a sign-in whose state only a newer version knows."""

MAX_ATTEMPTS: Final = 3
"""Attempts to paste the answer to this sign-in."""

MAX_PASTED_CHARACTERS: Final = 8192

PROMPT: Final = "Paste the address at which the browser ended (it stays hidden), then press Enter: "

_RETRYABLE_REFUSALS: Final = ("response_malformed", "state_invalid", "request_invalid")
"""Refusals of a pasted text that another attempt may correct."""


class TerminalSignIn:
    """One sign-in at ``provider``; ``write_line`` writes a line for the user, ``opens_browser`` opens a window as well.

    A ``prompt`` is sent to the provider; without one, the settings decide.
    """

    def __init__(
        self,
        server: RunningServer,
        provider: str,
        write_line: Callable[[str], None],
        *,
        opens_browser: bool,
        prompt: str = "",
    ) -> None:
        self._server = server
        self._base = f"jupyter-oidc/providers/{quote(provider, safe='')}"
        self._write_line = write_line
        self._opens_browser = opens_browser
        self._prompt = prompt

    def run(self) -> dict[str, Any]:
        """Begin, print the next step, and return the session once the sign-in is over; raises :class:`ServerError`.

        Any exception, also that of Ctrl-C, cancels the sign-in.
        """
        wish = {"prompt": self._prompt} if self._prompt else None
        started = self._server.call("POST", f"{self._base}/sign-in", body=wish)
        flow, finished = f"{self._base}/sign-in/{quote(str(started['flow']), safe='')}", False
        try:
            progress = self._follow(started, flow)
            finished = progress.get("state") != "waiting"
        finally:
            if not finished:
                with suppress(ServerError):  # NOTE: it also ends by itself, and must not hide the first error
                    self._server.call("DELETE", flow)
        error = progress.get("error")
        if error:
            raise ServerError(str(error["message"]), str(error["action"]))
        return self._server.call("GET", f"{self._base}/session")

    def _follow(self, started: Mapping[str, Any], flow: str) -> dict[str, Any]:
        """Follow the steps of the strategy, and return the sign-in's last progress."""
        strategy = strategy_in(started)
        match strategy:
            case "server" | "loopback":
                self._show(self._start(started), "Open this link to sign in:")
                return self._wait(started, flow)
            case "device":
                self._show_code(started)
                return self._wait(started, flow)
            case "paste":
                self._show(self._start(started), "Open this link to sign in, then copy the address at which it ends:")
                return self._paste(flow)
            case _:
                assert_never(strategy)

    def _start(self, started: Mapping[str, Any]) -> str:
        return str(started.get("start_address") or urljoin(self._server.url, str(started.get("start_url") or "")))

    def _show_code(self, started: Mapping[str, Any]) -> None:
        device = started.get("device") or {}
        code, whole = str(device.get("user_code", "")), device.get("verification_uri_complete")
        address = str(whole or device.get("verification_uri", ""))
        act = "check that the page shows this code" if whole else "enter this code there"
        self._show(address, "Open this link on any machine to sign in:")
        self._write_line(f"Then {act}:\n\n    {code}\n\nDo not enter a code that somebody else has sent you.\n")

    def _show(self, address: str, what: str) -> None:
        self._write_line(f"{what}\n\n    {address}\n")
        if self._opens_browser and urlsplit(address).scheme in ("http", "https"):
            webbrowser.open(address)

    def _wait(self, started: Mapping[str, Any], flow: str) -> dict[str, Any]:
        progress, left = dict(started), float(started["expires_in"])
        while left > 0 and progress.get("state", "waiting") in ("waiting", OTHER) and not progress.get("error"):
            if progress.get("state") == OTHER:  # the server did not hold its answer back
                time.sleep(UNKNOWN_STATE_PAUSE_SECONDS)
            progress = self._server.call("GET", f"{flow}?wait={POLL_SECONDS}", wait=POLL_SECONDS)
            left = float(progress.get("expires_in", 0))
        return progress

    def _paste(self, flow: str) -> dict[str, Any]:
        for attempt in range(1, MAX_ATTEMPTS + 1):
            try:
                return self._server.call("POST", f"{flow}/complete", body={"redirect_url": _ask_for_address()})
            except ServerError as refused:
                if attempt == MAX_ATTEMPTS or refused.refusal not in _RETRYABLE_REFUSALS:
                    raise
                self._write_line(f"{refused.message} {refused.action}")
        raise AssertionError  # pragma: no cover - the loop returns or raises


def strategy_in(started: Mapping[str, Any]) -> Strategy:
    """Return the strategy that the server has chosen; raises :class:`ServerError` for one that is not known here."""
    for known in get_args(Strategy):
        if started.get("strategy") == known:
            strategy: Strategy = known
            return strategy
    raise ServerError(
        "The server wants to sign you in, in a way that this command does not know.",
        "Sign in from JupyterLab, or install the jupyter_oidc of the server here.",
    )


def _ask_for_address() -> str:
    """Return the user's input for the server to judge."""
    try:
        typed = getpass.getpass(PROMPT).strip()
    except EOFError:
        raise ServerError(
            "Nobody can type here, and this sign-in needs an address to be pasted.",
            "Run this at a terminal, or sign in from JupyterLab.",
        ) from None
    return typed if 0 < len(typed) <= MAX_PASTED_CHARACTERS else "-"
