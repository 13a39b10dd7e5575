"""``jupyter oidc doctor``: every check, one line each, with who can fix it."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from contextlib import nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from traitlets import Bool, Dict

from jupyter_oidc.adapters.broker.broker_client import BrokerClient
from jupyter_oidc.adapters.storage.storage_key import take_storage_key
from jupyter_oidc.adapters.system.ownership import owners_here
from jupyter_oidc.cli.app import FLAGS, OidcApp, paragraphs
from jupyter_oidc.cli.findings import told_note
from jupyter_oidc.cli.progress import Progress
from jupyter_oidc.cli.running import ServerError, address_of, admits_by, fetch_server_checks, running_server
from jupyter_oidc.cli.settings_files import settings_of
from jupyter_oidc.compose import diagnostic_context
from jupyter_oidc.diagnostics import Report, examine
from jupyter_oidc.diagnostics.check import Subject
from jupyter_oidc.diagnostics.context import Admission
from jupyter_oidc.diagnostics.report import as_json, as_text
from jupyter_oidc.language import ENGLISH, N_, _, sentence, speaking
from jupyter_oidc.problems import Problem

_READY: Final = 200

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from jupyter_oidc.cli.running import RunningServer
    from jupyter_oidc.cli.settings_files import SettingsResult
    from jupyter_oidc.diagnostics import Check, DiagnosticContext
    from jupyter_oidc.settings.broker import BrokerAddress


class Doctor(OidcApp):
    """Runs all checks; see ``description``."""

    name = "jupyter-oidc-doctor"
    description = paragraphs(
        N_("Look at everything that sign-in needs, and say what is wrong and who can fix it."),
        N_(
            "It reads the Jupyter server's configuration files, asks each provider for its metadata and keys, "
            "knocks at each API without a token, and tries the keyring with a harmless entry. It takes at most 20 "
            "seconds, or twice that with a running server that is slow."
        ),
        N_(
            "It also begins a sign-in at each provider that asks for no interaction, to see whether the provider "
            "knows the client and the redirect URI, if that is certain; --no-registration leaves that out. Nobody "
            "is signed in, and no token is involved."
        ),
        N_(
            "The output holds no secret and can be pasted in public: it names issuers, APIs and the redirect URI. "
            "Three marks: a check mark for what was looked at, a cross for what is wrong, a question mark for "
            "what cannot be known from here. A guess is never reported as a finding, and never sent to a "
            "provider. Exit code: 1 if something is wrong, 0 otherwise, whatever cannot be known."
        ),
    )
    examples = """
    jupyter oidc doctor
    jupyter oidc doctor --json > doctor.json
    jupyter oidc doctor --no-registration       # ask the providers for metadata and keys, and for nothing else
    """
    as_json = Bool(False, help=N_("Write JSON, as the route 'diagnostics' does.")).tag(config=True)
    registration = Bool(True, help=N_("Ask each provider whether it knows client and redirect URI.")).tag(config=True)
    flags = Dict(
        {
            **FLAGS,
            "json": ({"Doctor": {"as_json": True}}, N_("Write JSON, as the route 'diagnostics' does.")),
            "no-registration": (
                {"Doctor": {"registration": False}},
                N_("Do not ask the providers whether they know client and redirect URI."),
            ),
        }
    )

    def start(self) -> None:
        """Examine, print, and end with the exit code."""
        super().start()
        with speaking(ENGLISH) if self.as_json else nullcontext():
            report = asyncio.run(self._report())
        if self.as_json:
            self.write_stdout(json.dumps(as_json(report), indent=2))
        else:
            self.write_stdout(as_text(report, ascii_only=not _supports_unicode(sys.stdout.encoding)))
        self.exit(0 if report.ok else 1)

    def _admission(self, server: RunningServer | None) -> Callable[[str], Awaitable[Admission | None]]:
        """Return a function that tells whether Jupyter answers for a host: by a request, else by its configuration."""

        async def admission(host: str) -> Admission | None:
            admits = None if server is None else await server.answers_at(host)
            if admits is None:
                return Admission(admits=admits_by(self.config, host), seen=False)
            return Admission(admits=admits, seen=True)

        return admission

    async def _report(self) -> Report:
        read = settings_of(self, looks_at_files=True)
        server = _running_server_or_none()
        if read.broker is not None:
            return Report((await _check_broker(read.broker), *await fetch_server_checks(server)))
        context = diagnostic_context(
            read.settings,
            read.findings,
            environment=os.environ,
            storage_key=take_storage_key(dict(os.environ)),
            address=address_of(server, self.config),
            address_is_assumed=server is None,
        )
        context = replace(context, admission=self._admission(server))
        with Progress(sys.stderr) as progress:
            progress.tell(_("the running server"))
            told = await fetch_server_checks(server)
            context = replace(context, address_seen_by_browsers=_address_was_seen(context, told))
            report = await examine(context, progress.tell, asks_registration=self.registration)
        owners = owners_here()
        about = _about_sources(read, runs_as_root=owners is not None and owners.uid == 0)
        return Report((*about, *_merge_checks(report.checks, told)))


async def _check_broker(address: BrokerAddress) -> Check:
    """Ask the broker whether it is ready; what it says of providers comes with the checks of the running server."""
    about, client, path = Subject(sentence("broker")), BrokerClient(address), address.text
    try:
        answer = await client.ask("GET", "health/ready", [], b"")
    except Problem as problem:
        return about.failed(problem)
    finally:
        await client.aclose()
    if answer.status != _READY:
        return about.problem(
            sentence("The broker at {path} runs and is not ready.", path=path),
            sentence("Ask its administrator: jupyter oidc broker doctor."),
        )
    return about.ok(
        sentence(
            "Sessions are held by the broker at {path}, which is ready; a running Jupyter server tells what it says of "
            "providers and APIs.",
            path=path,
        )
    )


def _about_sources(read: SettingsResult, *, runs_as_root: bool) -> list[Check]:
    """Report settings that are ignored, and that for root the owners of files make no difference."""
    about = Subject(sentence("settings files"))
    found = [
        about.warning(told_note(note), sentence("Let an administrator write it into a system file, or remove it."))
        for note in read.notes
    ]
    if read.only_system and runs_as_root:
        message = sentence("Only system files count, and this user is root, who can change every one of them.")
        found.append(about.warning(message, sentence("Run the Jupyter server as a user of its own.")))
    return found


def _address_was_seen(context: DiagnosticContext, told: tuple[Check, ...]) -> bool:
    """Return whether browsers have reached the running server at the address that is known here."""
    open_ones = {one.name for one in context.settings.providers if not one.redirect_uri} if context.settings else set()
    return any(
        check.name == "redirect URI"
        and check.status == "ok"
        and check.provider in open_ones
        and check.message.endswith(f" {context.address}jupyter-oidc/providers/{check.provider}/callback")
        for check in told
    )


def _running_server_or_none() -> RunningServer | None:
    """Return the server to ask; ``None`` for several, or for one without this extension."""
    try:
        return running_server()
    except ServerError:
        return None


def _merge_checks(checks: tuple[Check, ...], told: tuple[Check, ...]) -> tuple[Check, ...]:
    """Replace ``unknown`` checks by those that the running server told, and append its other ones."""
    unknown = {(check.provider, check.name) for check in checks if check.status == "unknown"}
    better = {
        (check.provider, check.name): check
        for check in told
        if check.status != "unknown" or (check.provider, check.name) in unknown  # the server knows the better reason
    }
    replaced = [better.pop((check.provider, check.name), check) for check in checks]
    providers = list(dict.fromkeys(check.provider for check in checks))
    both = [*replaced, *(check for check in better.values() if check.provider in providers)]
    return tuple(sorted(both, key=lambda check: providers.index(check.provider)))


def _supports_unicode(encoding: str | None) -> bool:
    return (encoding or "").lower().replace("-", "") == "utf8"
