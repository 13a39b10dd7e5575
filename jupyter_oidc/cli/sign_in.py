"""``jupyter oidc sign-in``: guides the user at a terminal by the step that the strategy of the server's reply demands.

The table is that of notebook cells (:mod:`jupyter_oidc.kernel.sign_in_step`).
It refuses to keep the pasted address: the user types it at a hidden prompt and it goes to the server at once.
"""

from __future__ import annotations

import os
import sys
import time
import webbrowser
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, urljoin, urlsplit

from typing_extensions import assert_never

from jupyter_oidc.cli.progress import Progress
from jupyter_oidc.cli.running import ServerError, sentences_of
from jupyter_oidc.cli.terminal_input import read_hidden
from jupyter_oidc.contract.reader import OTHER
from jupyter_oidc.kernel.errors import OIDCError, ResponseMalformed, StateInvalid
from jupyter_oidc.kernel.paste import NOBODY_CAN_TYPE, PROMPT, paste
from jupyter_oidc.kernel.plain_text import plain
from jupyter_oidc.kernel.server_connection import is_waiting
from jupyter_oidc.kernel.sign_in_step import EnterCode, OpenLink, PasteAddress, is_path, step_of
from jupyter_oidc.language import N_, _, told
from jupyter_oidc.settings.redirect_uri import LOOPBACK_HOSTS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from jupyter_oidc.cli.running import RunningServer
    from jupyter_oidc.contract.strategy import RequestedStrategy
    from jupyter_oidc.kernel.sign_in_step import SignInStep

POLL_SECONDS: Final = 25.0
"""Seconds of one long poll."""

SHOWN_POLL_SECONDS: Final = 5.0
"""Seconds of one long poll while a terminal shows the time that is left."""

UNKNOWN_STATE_PAUSE_SECONDS: Final = 2.0
"""Seconds between two polls of a sign-in whose state only a newer version knows."""

_CONSOLE_BROWSERS: Final = frozenset({"www-browser", "elinks", "links", "lynx", "w3m"})
"""Browsers of :mod:`webbrowser` that would take over the terminal."""


@dataclass(frozen=True, slots=True)
class SignInWish:
    """The wishes of the user; without a ``timeout_seconds`` the server's own counts.

    ``strategy`` counts if the settings leave it open, ``api`` names the API that demanded a stronger sign-in.
    """

    strategy: RequestedStrategy = "auto"
    prompt: str = ""
    api: str = ""
    timeout_seconds: float | None = None

    def body(self) -> dict[str, str]:
        """Return the contract ``sign-in.request``; what is left open is left out."""
        named = {"strategy": self.strategy if self.strategy != "auto" else "", "prompt": self.prompt, "api": self.api}
        return {name: wished for name, wished in named.items() if wished}


class TerminalSignIn:
    """One sign-in at ``provider``; ``write_line`` writes a line for the user, ``opens_browser`` opens a window as well."""

    def __init__(
        self,
        server: RunningServer,
        provider: str,
        write_line: Callable[[str], None],
        *,
        opens_browser: bool,
        wish: SignInWish = SignInWish(),
    ) -> None:
        self._server = server
        self._provider = provider
        self._base = f"jupyter-oidc/providers/{quote(provider, safe='')}"
        self._write_line = write_line
        self._opens_browser = opens_browser
        self._wish = wish

    def run(self) -> dict[str, Any]:
        """Begin, print the next step, and return the session once the sign-in is over; raises :class:`ServerError`.

        Any exception, also that of Ctrl-C, cancels the sign-in.
        """
        started = self._server.call("POST", f"{self._base}/sign-in", body=self._wish.body())
        flow, finished = f"{self._base}/sign-in/{quote(str(started['flow']), safe='')}", False
        try:
            progress = self._follow(started, flow)
            finished = not is_waiting(progress)
        except OIDCError as problem:
            raise ServerError(told(problem.message), told(problem.action)) from None
        except TimeoutError:
            raise self._timed_out() from None
        finally:
            if not finished:
                with suppress(ServerError):  # NOTE: it also ends by itself, and must not hide the first error
                    self._server.call("DELETE", flow)
        if progress["state"] != "completed":
            raise _ended_without_session(progress)
        return self._server.call("GET", f"{self._base}/session")

    def _follow(self, started: Mapping[str, Any], flow: str) -> dict[str, Any]:
        """Follow the step of ``started``, and return the sign-in's last progress."""
        left = float(started["expires_in"])
        if self._wish.timeout_seconds is not None:
            left = min(left, self._wish.timeout_seconds)
        deadline = time.monotonic() + left
        step = step_of(started)
        match step:
            case OpenLink():
                self._show(step, _("Open this link to sign in:"))
                return self._wait(flow, deadline)
            case EnterCode():
                self._show(step, _("Open this link on any machine to sign in:"))
                act = (
                    _("Then check that the page shows this code:")
                    if step.filled_in
                    else _("Then enter this code there:")
                )
                warning = _("Do not enter a code that somebody else has sent you.")
                self._write_line(f"{act}\n\n    {plain(step.code)}\n\n{warning}\n")
                return self._wait(flow, deadline)
            case PasteAddress():
                self._show(step, _("Open this link to sign in, then copy the address at which it ends:"))
                return paste(lambda: _ask(deadline), lambda pasted: self._complete(flow, pasted), self._write_line)
            case _:
                assert_never(step)

    def _show(self, step: SignInStep, what: str) -> None:
        """Print the address of ``step``, open it, and say what to do if no browser can be opened here."""
        address = step.address
        if is_path(address):
            # NOTE: a server on a Unix socket has no address for a browser; another one is reached by its own from here.
            own = urljoin(self._server.url, address)
            if urlsplit(own).scheme not in ("http", "https"):
                self._write_line(f"{what}\n\n    {address}\n\n{told(_AT_JUPYTERLAB)}\n")
                return
            address = own
        self._write_line(f"{what}\n\n    {address}\n")
        if self._opens_browser and not open_in_browser(address) and (hint := _no_browser_hint(step, address)):
            self._write_line(f"{hint}\n")

    def _wait(self, flow: str, deadline: float) -> dict[str, Any]:
        """Wait until the sign-in is over; raises ``TimeoutError`` at the deadline."""
        shown = sys.stderr.isatty()
        with Progress(sys.stderr) as line:
            while (left := deadline - time.monotonic()) > 0:
                line.show(_("Waiting for you; {time} left. Ctrl-C cancels.", time=_minutes_and_seconds(left)))
                wait = min(SHOWN_POLL_SECONDS if shown else POLL_SECONDS, left)
                progress = self._server.call("GET", f"{flow}?wait={wait:g}", wait=wait)
                if not is_waiting(progress):
                    return progress
                if progress["state"] == OTHER:  # NOTE: the server does not hold back an answer in such a state
                    time.sleep(UNKNOWN_STATE_PAUSE_SECONDS)
        raise TimeoutError

    def _complete(self, flow: str, pasted: str) -> dict[str, Any]:
        """Send what was pasted; a refusal that another attempt may correct becomes the error that ``paste`` knows."""
        try:
            return self._server.call("POST", f"{flow}/complete", body={"redirect_url": pasted})
        except ServerError as refused:
            for kind in (ResponseMalformed, StateInvalid):
                if refused.refusal == kind.code:
                    raise kind(refused.message, action=refused.action) from None
            raise

    def _timed_out(self) -> ServerError:
        seconds = self._wish.timeout_seconds
        return ServerError(
            _("Nobody finished the sign-in in time.")
            if seconds is None
            else _("Nobody finished the sign-in within {number} seconds.", number=format(seconds, "g")),
            _("Run this again, and do what it prints before the time is over."),
        )


def open_in_browser(address: str) -> bool:
    """Open ``address`` in a window, and return whether that was possible; a browser in the terminal is not one.

    The user may name any browser, that one too, in the environment variable ``BROWSER``.
    """
    try:
        first = getattr(webbrowser.get(), "name", "")
    except webbrowser.Error:
        return False
    if first in _CONSOLE_BROWSERS and not os.environ.get("BROWSER"):
        return False
    return webbrowser.open(address)


_AT_JUPYTERLAB: Final = N_("It is a path of your Jupyter server: put it behind the address of your JupyterLab.")


def _no_browser_hint(step: SignInStep, address: str) -> str | None:
    """Return what to do with ``address`` where no browser can be opened; ``None`` if any browser will do."""
    if isinstance(step, OpenLink) and step.on_this_machine:
        where = _("No browser could be opened. Open the link in a browser on this machine.")
    elif not isinstance(step, EnterCode) and urlsplit(address).hostname in LOOPBACK_HOSTS:
        where = _(
            "No browser could be opened. Open the link in a browser on this machine, or in one that reaches the Jupyter "
            "server through a tunnel."
        )
    else:
        return None
    other = _("If you have none, another way may do: run this again with --strategy=device or --strategy=paste.")
    return f"{where} {other}"


def _ask(deadline: float) -> str:
    """Return the user's input for the server to judge."""
    try:
        return read_hidden(told(PROMPT), deadline - time.monotonic())
    except EOFError:
        raise ServerError(told(NOBODY_CAN_TYPE), _("Run this at a terminal, or sign in from JupyterLab.")) from None


def _ended_without_session(progress: Mapping[str, Any]) -> ServerError:
    error = progress["error"]
    if error:
        message, action = sentences_of(error)
        return ServerError(told(message), told(action))
    if progress["state"] == "cancelled":
        return ServerError(_("The sign-in was cancelled."), _("Run this again when you are ready."))
    return ServerError(_("The sign-in took too long."), _("Run this again."))


def _minutes_and_seconds(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    if minutes:
        return _("{minutes} min {rest} s", minutes=minutes, rest=str(rest).zfill(2))
    return _("{number} s", number=rest)
