"""``status``, ``sign-in``, ``sign-out``: call the running Jupyter server, which holds the session."""

from __future__ import annotations

import json
from typing import Any, Final, get_args
from urllib.parse import quote, urljoin

from traitlets import Bool, Dict, Enum, Float, Unicode

from jupyter_oidc.cli.app import ALIASES, FLAGS, OidcApp, paragraphs
from jupyter_oidc.cli.running import RunningServer, ServerError, running_server
from jupyter_oidc.cli.sign_in import SignInWish, TerminalSignIn
from jupyter_oidc.contract.reader import word_in
from jupyter_oidc.contract.strategy import RequestedStrategy
from jupyter_oidc.kernel.messages import SHARING, access_message, session_message, unknown_word_message
from jupyter_oidc.kernel.plain_text import plain
from jupyter_oidc.language import N_, _, joined, sentence, told

_NO_SERVER: Final = joined(
    sentence("No Jupyter server is running for this user, and sessions live in one."),
    sentence("Start it (jupyter lab), or look which run: jupyter server list."),
    between="\n",
)
_INTERRUPTED_CODE: Final = 130
"""The exit code of a command that Ctrl-C has ended, as shells have it."""

SETTINGS_PENDING: Final = N_("Settings have changed; they take effect when you sign in again.")
"""The same sentence as in the panel and in cells."""


class SessionApp(OidcApp):
    """Finds the server and calls it; prints an error as a sentence."""

    server = Unicode("", help=N_("The URL of the server, if several run: see 'jupyter server list'.")).tag(config=True)

    def start(self) -> None:
        """Find the server, do the work, end with the exit code."""
        super().start()
        try:
            server = running_server(self.server)
            if server is None:
                self.write_stderr(_NO_SERVER)
                self.exit(1)
                return
            self.exit(self.work(server))
        except ServerError as problem:
            self.write_stderr(f"{problem.message}\n{problem.action}")
            self.exit(problem.code)

    def work(self, server: RunningServer) -> int:
        """Do the work and return the exit code."""
        raise NotImplementedError

    def provider(self, server: RunningServer) -> str:
        """Return the provider's name: the argument, or the only configured one."""
        if self.extra_args:
            return str(self.extra_args[0])
        names = [one["name"] for one in server.call("GET", "jupyter-oidc/providers")["providers"]]
        if len(names) != 1:
            if not names:
                raise ServerError(_("There is no provider."), _("Configure one: jupyter oidc config preset."))
            listed = ", ".join(names)
            raise ServerError(_("There are several providers."), _("Name one of: {names}.", names=listed))
        return str(names[0])

    def provider_of_api(self, server: RunningServer, api: str) -> str:
        """Return the provider's name: the argument, or the provider of ``api``."""
        if self.extra_args:
            return str(self.extra_args[0])
        known = {entry["name"]: summary["provider"] for summary in server.summaries() for entry in summary["apis"]}
        if api not in known:
            raise ServerError(
                _("There is no API '{api}'.", api=plain(api)),
                _("Name one of: {names}.", names=", ".join(known))
                if known
                else _("Configure one: jupyter oidc config preset."),
            )
        return str(known[api])


class Status(SessionApp):
    """``jupyter oidc status``."""

    name = "jupyter-oidc-status"
    description = paragraphs(
        N_("Show who is signed in at the running Jupyter server, until when, and what can be called."),
        N_("Exit code: 0 if every session works, 1 if one does not or no server runs."),
    )
    examples = """
    jupyter oidc status
    jupyter oidc status corp --json
    """
    as_json = Bool(False, help=N_("Write the session summaries as JSON.")).tag(config=True)
    aliases = Dict({**ALIASES, "server": "Status.server"})
    flags = Dict({**FLAGS, "json": ({"Status": {"as_json": True}}, N_("Write the session summaries as JSON."))})

    def work(self, server: RunningServer) -> int:
        """Print one paragraph for each provider."""
        summaries = server.summaries(self.extra_args)
        if self.as_json:
            self.write_stdout(json.dumps(summaries, indent=2))
        else:
            self.write_stdout(_("Jupyter server: {address}", address=server.url))
            for summary in summaries:
                self.write_stdout("\n".join(_paragraph(summary)))
        return 0 if summaries and all(one["state"] == "active" for one in summaries) else 1


class SignIn(SessionApp):
    """``jupyter oidc sign-in``."""

    name = "jupyter-oidc-sign-in"
    description = paragraphs(
        N_("Sign in at a provider: a browser window opens, and the running Jupyter server gets the session."),
        N_(
            "There are four ways. 'server' and 'loopback' print a link: the browser has to run on this machine, "
            "or, for 'server', reach the server at that address. 'device' prints a link and a code, and any "
            "browser on any machine will do. 'paste' prints a link and asks for the address at which the browser "
            "ended, which stays hidden. Without --strategy the settings of the server choose. Ctrl-C cancels the "
            "sign-in."
        ),
        N_("Exit code: 0 if the session works, 1 if not, 130 after Ctrl-C."),
    )
    examples = """
    jupyter oidc sign-in
    jupyter oidc sign-in corp --no-browser      # print the link and wait
    jupyter oidc sign-in --strategy=device      # by a code, from a machine without a browser
    jupyter oidc sign-in --api=orders           # as strong as this API demands
    jupyter oidc sign-in --prompt=login         # ask for the password, whoever is logged in there
    """
    browser = Bool(True, help=N_("Open a browser window.")).tag(config=True)
    strategy = Enum(
        get_args(RequestedStrategy),
        "auto",
        help=N_("The way to sign in, if the settings of the server leave it open."),
    ).tag(config=True)
    api = Unicode("", help=N_("The API that demands a stronger sign-in; its provider need not be named.")).tag(
        config=True
    )
    timeout = Float(
        0.0, min=0.0, help=N_("Seconds to wait for the user; 0: as long as the server does, ten minutes at most.")
    ).tag(config=True)
    prompt = Enum(
        ("", "none", "login", "consent", "select_account"),
        "",
        help=N_("What the provider is to ask; 'none' asks nothing, and fails unless it knows the person already."),
    ).tag(config=True)
    aliases = Dict(
        {
            **ALIASES,
            **{name: f"SignIn.{name}" for name in ("server", "strategy", "api", "prompt", "timeout")},
        }
    )
    flags = Dict({**FLAGS, "no-browser": ({"SignIn": {"browser": False}}, N_("Print the link and wait."))})

    def work(self, server: RunningServer) -> int:
        """Sign in, and show the session."""
        wish = SignInWish(self.strategy, str(self.prompt), self.api, self.timeout or None)
        name = self.provider_of_api(server, self.api) if self.api else self.provider(server)
        sign_in = TerminalSignIn(server, name, self.write_stdout, opens_browser=self.browser, wish=wish)
        try:
            summary = sign_in.run()
        except KeyboardInterrupt:
            self.write_stderr("\n" + _("The sign-in was cancelled."))
            return _INTERRUPTED_CODE
        self.write_stdout("\n".join(_paragraph(summary)))
        return 0 if summary["state"] == "active" else 1


class SignOut(SessionApp):
    """``jupyter oidc sign-out``."""

    name = "jupyter-oidc-sign-out"
    description = paragraphs(
        N_("Sign out at a provider: the session in the running Jupyter server ends, and what is stored is removed."),
        N_("Where the provider has a sign-out page of its own, its address is printed."),
    )
    examples = """
    jupyter oidc sign-out
    jupyter oidc sign-out corp
    """
    aliases = Dict({**ALIASES, "server": "SignOut.server"})

    def work(self, server: RunningServer) -> int:
        """Sign out, and print the result of each step."""
        reply = server.call("POST", f"jupyter-oidc/providers/{quote(self.provider(server))}/sign-out")
        self.write_stdout(_("The session on this machine has ended.") + " " + _revoked(reply))
        if reply["end_session_url"]:
            ours = reply["end_session_url"].startswith("/")
            link = reply["end_session_address"] or urljoin(server.url, reply["end_session_url"])
            what = (
                _("To end the provider's own session in your browser too, open within a minute:")
                if ours
                else _("To end the provider's own session in your browser too, open:")
            )
            self.write_stdout(f"{what}\n\n    {link}\n")
        return 0


_REVOKED: Final = {
    "done": N_("The provider has taken the refresh token back."),
    "failed": N_("The provider could not be reached to take the refresh token back; it is tried again for a while."),
    "not-supported": N_("The provider cannot take a refresh token back; it ends by itself."),
    "nothing-to-revoke": N_("There was no refresh token to take back."),
}


def _revoked(reply: dict[str, Any]) -> str:
    said = _REVOKED.get(reply["revoked"])
    return plain(told(unknown_word_message(word_in(reply, "revoked")))) if said is None else told(said)


def _paragraph(summary: dict[str, Any]) -> list[str]:
    user = summary["user"] or {}
    who = user.get("name") or user.get("username") or user.get("sub")
    message = session_message(summary)
    lines = [f"{summary['provider']}: {told(message.headline)}"]
    if message.reason:
        lines.append(
            f"    {plain(told(message.reason))}" + (f" ({plain(summary['reason'])})" if summary["reason"] else "")
        )
    if who:
        said = _("signed in as {person} at {issuer}", person=plain(str(who)), issuer=summary["issuer"])
        lines.append(f"    {said}")
    if summary["access_expires_at"]:
        template = (
            N_("until {time}, renewed by itself; kept in: {storage}")
            if summary["refreshable"]
            else N_("until {time}, not renewed: sign in again then; kept in: {storage}")
        )
        facts = {"time": summary["access_expires_at"], "storage": _word(summary, "storage")}
        lines.append(f"    {_(template, **facts)}")
    if summary["settings_pending"]:
        lines.append(f"    {told(SETTINGS_PENDING)}")
    if shared := SHARING.get(summary["sharing"]):
        lines.append(f"    {told(shared)}")
    lines += [f"    API {api['name']}: {plain(told(access_message(api)))}" for api in summary["apis"]]
    return lines


def _word(summary: dict[str, Any], member: str) -> str:
    """Return the server's word for ``member``, also one that is not known here."""
    return plain(word_in(summary, member) or "")
