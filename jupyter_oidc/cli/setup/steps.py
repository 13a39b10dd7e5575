"""The eight steps of a set-up, in their order: find, decide, ask, register, write, sign in, call, what next.

Nothing is written before every question is answered; then the secret and the settings are, both or neither.
"""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from jupyter_oidc.cli.running import ServerError, address_of, running_server
from jupyter_oidc.cli.setup.api_probe import path_to_probe
from jupyter_oidc.cli.setup.client_secret import keep_secret
from jupyter_oidc.cli.setup.first_use import FirstUse
from jupyter_oidc.cli.setup.issuer import is_plain_http
from jupyter_oidc.cli.setup.obstacle import Obstacle
from jupyter_oidc.cli.setup.output import Output
from jupyter_oidc.cli.setup.place import place_of
from jupyter_oidc.cli.setup.provider_metadata import FoundProvider, find_provider
from jupyter_oidc.cli.setup.questions import Plan, Questions
from jupyter_oidc.cli.setup.target_file import is_read_by_jupyter
from jupyter_oidc.compose import diagnostic_context
from jupyter_oidc.diagnostics import Report, examine
from jupyter_oidc.diagnostics.provider import check_contradictions, check_scopes
from jupyter_oidc.language import N_, _
from jupyter_oidc.sessions.contradictions import SignInPlan

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from jupyter_oidc.adapters.storage.secret_keeping import KeptSecret
    from jupyter_oidc.cli.running import RunningServer
    from jupyter_oidc.cli.setup.dialogue import Dialogue
    from jupyter_oidc.cli.setup.place import Place
    from jupyter_oidc.cli.setup.surroundings import Surroundings
    from jupyter_oidc.cli.setup.wishes import Wishes
    from jupyter_oidc.diagnostics.check import Check
    from jupyter_oidc.settings import Provider


class SetUp:
    """One run; ``write_line`` writes a line of the result."""

    def __init__(
        self, wishes: Wishes, here: Surroundings, dialogue: Dialogue, write_line: Callable[[str], None]
    ) -> None:
        self._wishes = wishes
        self._here = here
        self._dialogue = dialogue
        self._output = Output(write_line)
        self._say = write_line
        self.written: Path | None = None
        """The file that was written, for a person who stops later."""

    def run(self) -> int:
        """Make the steps and return the exit code; raises :class:`Obstacle` and ``ServerError``."""
        found = self._find()
        server = self._running_server()
        address = address_of(server, self._here.config) or ""
        place = place_of(self._here.environment, self._here.config, address, self._wishes.address or None)
        plan = Questions(self._wishes, self._here, self._dialogue, self._output).plan(found, place)
        self._check_plan(plan, found)
        self._say_what_to_register(plan)
        if self._wishes.is_dry_run:
            return self._show_only(plan)
        changed = self._write(plan, place)
        provider = plan.provider(self._here.settings)
        report = self._examined(provider, place, plan)
        if not is_read_by_jupyter(plan.document.path, self._here.paths):
            self._say(
                _("Jupyter does not read {file}: copy it into a folder of 'jupyter --paths'.", file=plan.document.path)
            )
            return 0
        if not self._wishes.signs_in:
            self._say_what_next(provider, signed_in=False)
            return 0 if report.ok else 1
        use = FirstUse(self._wishes, self._output, self._here.has_unicode)
        outcome = use.run(server, provider, place, changed=changed)
        self._say_what_next(provider, signed_in=outcome.goes_on)
        return 0 if outcome.works else 1

    def _find(self) -> FoundProvider:
        self._say(_("Reading the metadata of {issuer} ...", issuer=self._wishes.issuer))
        found = find_provider(self._wishes.issuer, self._wishes.ca_bundle or None, self._here.settings)
        title = found.preset.title if found.preset else _("an OpenID Provider that no preset is for")
        self._say(_("Found {issuer}: {title}.", issuer=found.issuer, title=title))
        self._output.say_checks(check for check in found.checks if check.status != "ok" and check.name != "keys")
        if is_plain_http(found.issuer):
            self._say(
                _("It speaks http at a loopback address, which is for developers: allow_insecure_loopback is set.")
            )
        return found

    def _check_plan(self, plan: Plan, found: FoundProvider) -> None:
        """Say what was decided; raises :class:`Obstacle` for mistakes, and for what the metadata contradict."""
        provider = plan.provider(self._here.settings)
        wanted = SignInPlan(provider, found.metadata, by_code=plan.way.has_code)
        decided = check_contradictions(wanted)
        for check in decided:
            if check.status == "problem":
                raise Obstacle.of_check(check)
        keys = [check for check in found.checks if check.name == "keys"]
        self._output.say_checks([*decided, *keys, check_scopes(provider, found.metadata)])

    def _say_what_to_register(self, plan: Plan) -> None:
        uris, preset = plan.way.register, plan.preset
        if not uris:
            self._say(_("Sign-ins by code need no redirect URI; the client has to be allowed the device grant."))
            return
        if self._wishes.registers:
            return
        place = f" ({preset.registration.where}: {preset.registration.redirect_uri})" if preset else ""
        if plan.way.any_port:
            template = N_("Register this at the provider{place}, for the client {client_id}, for any port:")
        elif len(uris) > 1:
            template = N_("Register this at the provider{place}, for the client {client_id}, each to the letter:")
        else:
            template = N_("Register this at the provider{place}, for the client {client_id}, to the letter:")
        self._say(_(template, place=place, client_id=plan.body["client_id"]) + "\n")
        for uri in uris:
            self._say(f"    {uri}")
        self._say("")
        if not self._wishes.is_dry_run:
            self._dialogue.pause(_("Press Enter when that is done."))

    def _show_only(self, plan: Plan) -> int:
        text = plan.document.with_provider(plan.name, plan.body)
        self._say(_("This would be written into {file}:", file=plan.document.path) + "\n")
        self._say(plan.document.difference(text) or _("(nothing changes)"))
        if plan.secret.typed is not None:
            self._say(_("The client secret would be kept in the keyring or in a file of its own."))
        return 0

    def _write(self, plan: Plan, place: Place) -> bool:
        """Write secret and settings, both or neither, and return whether anything changed."""
        document = plan.document
        if plan.secret.typed is None and document.with_provider(plan.name, plan.body) == document.text:
            self._say(_("Nothing changes: {file} says all of this already.", file=document.path))
            return False
        with _kept(plan, place, self._here.folder) as kept:
            if kept is not None:
                plan.body["client_secret"] = f"{kept.reference.scheme}:{kept.reference.name}"
            text = document.with_provider(plan.name, plan.body)
            if document.text not in (None, text):
                self._say(document.difference(text))
                if not self._dialogue.confirm(_("Change {file}?", file=document.path), "--yes", default=True):
                    raise Obstacle(_("Nothing was written."), _("Run this again when you are ready."))
            document.write(text)
            self.written = document.path
        if kept is not None:
            self._say(
                _(
                    "The client secret is kept in {reference}, which is all that the settings say of it.",
                    reference=plan.body["client_secret"],
                )
            )
        self._say(_("Written: {file}", file=document.path))
        return True

    def _examined(self, provider: Provider, place: Place, plan: Plan) -> Report:
        """Look at everything as doctor does; a person may correct what is wrong, and is asked to look again."""
        while True:
            report = asyncio.run(self._examine(provider, place, plan))
            self._output.say_checks(check for check in report.checks if check.status != "ok")
            fine = sum(check.status == "ok" for check in report.checks)
            all_of_them = len(report.checks)
            self._say(
                _("{number} of {total} that were looked at are as they should be.", number=fine, total=all_of_them)
            )
            in_the_way = [check for check in report.checks if check.status == "problem" and _stops_sign_in(check)]
            if not in_the_way:
                return report
            if not self._dialogue.is_interactive or self._dialogue.takes_defaults:
                raise Obstacle(
                    _("The sign-in was not begun, because of what is wrong above."),
                    _("Let it be corrected, then run this again: the settings are written."),
                    in_the_way[0].who or "administrator",
                )
            self._dialogue.pause(_("Correct it, then press Enter to look again; Ctrl-C stops, and the settings stay."))

    async def _examine(self, provider: Provider, place: Place, plan: Plan) -> Report:
        context = diagnostic_context(
            replace(self._here.settings, providers=(provider,)),
            (),
            environment=self._here.environment,
            address=place.address,
        )
        # NOTE: the sign-in that follows begins at this address, so the redirect URI is no guess.
        seen = replace(context, address_seen_by_browsers=bool(plan.way.register) and place.kind == "local")
        report = await examine(seen, asks_registration=True)
        about_session = ("audience of ",)
        return Report(tuple(check for check in report.checks if not check.name.startswith(about_session)))

    def _say_what_next(self, provider: Provider, *, signed_in: bool) -> None:
        if not signed_in:
            self._say(_("Next: start JupyterLab (jupyter lab), and sign in there or by: jupyter oidc sign-in."))
        first = next(iter(provider.apis), None)
        if first is None:
            self._say(_("Next: name an API: jupyter oidc setup {issuer} --api=NAME=URL", issuer=provider.issuer))
            return
        path = path_to_probe({"example": first.example})
        self._say(_("In a notebook:") + "\n\n    import jupyter_oidc as oidc")
        self._say(f'    oidc.api("{first.name}").get("{path}")\n')

    def _running_server(self) -> RunningServer | None:
        """Return the server at which to sign in; ``None`` if none runs."""
        try:
            server = running_server(self._wishes.server)
        except ServerError:
            if self._wishes.signs_in and not self._wishes.is_dry_run:
                raise
            return None
        if server is None and self._wishes.server:
            raise Obstacle(
                _("No Jupyter server runs at {address}.", address=self._wishes.server),
                _("Look which run: jupyter server list."),
            )
        return server


@contextmanager
def _kept(plan: Plan, place: Place, folder: Path) -> Iterator[KeptSecret | None]:
    """Keep the secret that was typed, and take it away again if what follows fails."""
    if plan.secret.typed is None:
        yield None
        return
    kept = keep_secret(plan.secret.typed, plan.name, place, folder)
    try:
        yield kept
    except BaseException:
        kept.undo()
        raise


def _stops_sign_in(check: Check) -> bool:
    """Return whether a problem makes a sign-in pointless: one of an API, or of the storage, does not."""
    return check.provider is not None and not check.name.startswith(("API ", "host name"))
