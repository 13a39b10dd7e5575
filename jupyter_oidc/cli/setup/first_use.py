"""Makes the first sign-in and the first call of each API, and judges both."""

from __future__ import annotations

import asyncio
import time
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from jupyter_oidc.cli.running import ServerError, fetch_server_checks
from jupyter_oidc.cli.setup.api_probe import judge_answer, judge_refusal, path_to_probe
from jupyter_oidc.cli.setup.first_server import first_server
from jupyter_oidc.cli.setup.first_session import judge
from jupyter_oidc.cli.setup.obstacle import Obstacle
from jupyter_oidc.cli.sign_in import SignInWish, TerminalSignIn
from jupyter_oidc.diagnostics import Report
from jupyter_oidc.diagnostics.report import as_text
from jupyter_oidc.language import _

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from jupyter_oidc.cli.running import RunningServer
    from jupyter_oidc.cli.setup.output import Output
    from jupyter_oidc.cli.setup.place import Place
    from jupyter_oidc.cli.setup.wishes import Wishes
    from jupyter_oidc.diagnostics.check import Check
    from jupyter_oidc.settings import Api, Provider

RELOAD_SECONDS: Final = 20.0
"""Seconds within which a running server has to know a new provider; it looks every two, twice."""

CHANGE_SECONDS: Final = 8.0
"""Seconds after which a running server has read a changed file, whose provider it knew before."""

_POLL_SECONDS: Final = 0.5


@dataclass(frozen=True, slots=True)
class Outcome:
    """Whether everything ``works``, and whether the session ``goes_on`` after the command."""

    works: bool
    goes_on: bool


@dataclass(frozen=True, slots=True)
class FirstUse:
    """The first use of one provider."""

    _wishes: Wishes
    _output: Output
    _has_unicode: bool

    def run(self, server: RunningServer | None, provider: Provider, place: Place, *, changed: bool) -> Outcome:
        """Sign in at the running server, or at one that runs for this alone; judge the session, call the APIs."""
        stays = server is not None
        if not stays:
            self._output.say(_("No Jupyter server runs here, so one is started for the sign-in ..."))
        with _server_for(server, place) as at:
            if stays:
                self._await_settings(at, provider, changed=changed)
            summary = self._signed_in(at, provider, changed=changed)
            checks = [*judge(summary, asyncio.run(fetch_server_checks(at)))]
            checks += [self._called(at, provider, api) for api in provider.apis]
            self._output.say(as_text(Report(tuple(checks)), ascii_only=not self._has_unicode))
        goes_on = stays or summary["storage"] != "memory"
        if not stays:
            self._output.say(
                _("The server for the sign-in has been stopped; JupyterLab goes on with the session.")
                if goes_on
                else _("The server for the sign-in has been stopped; its session was in memory, and ended with it.")
            )
        return Outcome(works=Report(tuple(checks)).ok and summary["state"] == "active", goes_on=goes_on)

    def _await_settings(self, server: RunningServer, provider: Provider, *, changed: bool) -> None:
        """Wait until the running server has read the file."""
        known = self._knows(server, provider)
        if known and not changed:
            return
        self._output.say(_("Waiting until the running server has read the settings ..."))
        if known:
            time.sleep(CHANGE_SECONDS)
            return
        until = time.monotonic() + RELOAD_SECONDS
        while time.monotonic() < until:
            time.sleep(_POLL_SECONDS)
            if self._knows(server, provider):
                return
        raise Obstacle(
            _("The running Jupyter server does not know the provider '{provider}' yet.", provider=provider.name),
            _("Restart it; if it reads other configuration folders, give --file in one of them. Then run this again."),
        )

    @staticmethod
    def _knows(server: RunningServer, provider: Provider) -> bool:
        with suppress(ServerError):  # NOTE: also one whose settings hold mistakes, or whose provider is new
            listed = server.call("GET", "jupyter-oidc/providers")["providers"]
            return any((one["name"], one["issuer"]) == (provider.name, provider.issuer) for one in listed)
        return False

    def _signed_in(self, server: RunningServer, provider: Provider, *, changed: bool) -> dict[str, Any]:
        route = f"jupyter-oidc/providers/{quote(provider.name, safe='')}/session"
        summary = server.call("GET", route)
        if not changed and summary["state"] == "active" and not summary["settings_pending"]:
            self._output.say(_("There is a session already, so nobody has to sign in."))
            return summary
        self._output.say(_("The first sign-in:"))
        wish = SignInWish(timeout_seconds=self._wishes.timeout_seconds)
        opens = self._wishes.opens_browser
        return TerminalSignIn(server, provider.name, self._output.say, opens_browser=opens, wish=wish).run()

    def _called(self, server: RunningServer, provider: Provider, api: Api) -> Check:
        """Call ``api`` once through the proxy; the body of its answer is not read."""
        import httpx

        path = path_to_probe({"example": api.example, "path_prefixes": list(api.path_prefixes)})
        address = f"jupyter-oidc/api/{quote(api.name, safe='')}/{path}"
        try:
            with server.client() as client, client.stream("GET", address) as reply:
                if "X-OIDC-Error" not in reply.headers:
                    return judge_answer(provider.name, api.name, path, reply.status_code)
                reply.read()
                answer = reply.json()
        except (httpx.HTTPError, ValueError):
            answer = {"message": _("The call of the API was not answered.")}
        return judge_refusal(provider.name, api.name, answer if isinstance(answer, dict) else {})


def _server_for(server: RunningServer | None, place: Place) -> AbstractContextManager[RunningServer]:
    return first_server(place.address) if server is None else nullcontext(server)
