"""``jupyter oidc config``: check, show, import and export settings, and show presets and the schema for editors."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from traitlets import Bool, Dict, Unicode

from jupyter_oidc.cli.app import ALIASES, FLAGS, CommandGroup, OidcApp, paragraphs
from jupyter_oidc.cli.documents import UnreadableFile, document_in, write_new
from jupyter_oidc.cli.findings import told_finding, told_note
from jupyter_oidc.cli.settings_files import SettingsResult, read_alone, settings_of
from jupyter_oidc.compose import diagnostic_context
from jupyter_oidc.diagnostics.examination import examine_metadata
from jupyter_oidc.diagnostics.report import as_text
from jupyter_oidc.language import N_, _, counted, told
from jupyter_oidc.settings import read_settings
from jupyter_oidc.settings.json_schema import SCHEMA_FILE
from jupyter_oidc.settings.presets import names, preset
from jupyter_oidc.settings.writing import as_mapping, camel_cased

if TYPE_CHECKING:
    from jupyter_oidc.settings import Api, Finding, Provider

_CONFIG = "jupyter_oidc.cli.config"


class _ConfigApp(OidcApp):
    """Base of the subcommands of ``config``."""

    def one_argument(self, what: str) -> str:
        """Return the argument, or end with the help."""
        if len(self.extra_args) != 1:
            self.write_stderr(_("{command} takes one argument: {what}.", command=self.name, what=told(what)))
            self.exit(2)
        return str(self.extra_args[0])

    def refuse(self, findings: tuple[Finding, ...] | list[Finding]) -> None:
        """Print every finding and end."""
        for finding in findings:
            self.write_stdout(told_finding(finding))
        self.write_stdout(counted(len(findings), "{number} to correct.", "{number} to correct."))
        self.exit(1)

    def providers(self) -> tuple[Provider, ...]:
        """Return the configured providers, or print the findings and end."""
        read = settings_of(self)
        if read.settings is None:
            self.refuse(read.findings)
            return ()
        return read.settings.providers


class Check(_ConfigApp):
    """``config check``."""

    name = "jupyter-oidc-config-check"
    description = paragraphs(
        N_("Check settings, and report all mistakes together: key, class, what is wrong, what to write instead."),
        N_(
            "Without arguments it checks what the Jupyter server would read. With files (JSON or Python), it "
            "checks each of them by itself. No provider is asked anything, unless --online is given: then each is "
            "asked for its metadata and keys, and for nothing else. Exit code: 0 if there is nothing to correct, "
            "1 if there is."
        ),
    )
    examples = """
    jupyter oidc config check
    jupyter oidc config check corp.json
    jupyter oidc config check --online
    """
    online = Bool(False, help=N_("Ask each provider for its metadata and keys.")).tag(config=True)
    flags = Dict({**FLAGS, "online": ({"Check": {"online": True}}, N_("Ask each provider for its metadata and keys."))})

    def start(self) -> None:
        """Check, and end with the exit code."""
        super().start()
        reads = [read_alone(path) for path in self.extra_args] or [settings_of(self, looks_at_files=True)]
        findings = [finding for read in reads for finding in read.findings]
        if findings:
            self.refuse(findings)
        for note in dict.fromkeys(note for read in reads for note in read.notes):
            self.write_stderr(told_note(note))
        found = [provider for read in reads if read.settings for provider in read.settings.providers]
        listed = ", ".join(provider.name for provider in found)
        self.write_stdout(
            _("Nothing to correct: {providers}.", providers=listed) if found else _("Nothing to correct: no provider.")
        )
        if self.online:
            for read in reads:
                report = asyncio.run(examine_metadata(diagnostic_context(read.settings, (), environment=os.environ)))
                self.write_stdout(as_text(report, ascii_only=(sys.stdout.encoding or "").lower() != "utf-8"))
                if not report.ok:
                    self.exit(1)


class Show(_ConfigApp):
    """``config show``."""

    name = "jupyter-oidc-config-show"
    description = paragraphs(
        N_("Show the settings that are in force, presets and defaults included, as JSON."),
        N_("Client secrets are shown as the references that they are. Name a provider to see only that one."),
    )
    examples = """
    jupyter oidc config show
    jupyter oidc config show corp
    """

    def start(self) -> None:
        """Print JSON."""
        super().start()
        wanted = set(self.extra_args)
        shown = {
            one.name: as_mapping(one, in_full=True) for one in self.providers() if not wanted or one.name in wanted
        }
        for name in sorted(wanted - set(shown)):
            self.write_stderr(_("No provider is called '{provider}'.", provider=name))
        self.write_stdout(json.dumps(shown, indent=2))
        self.exit(0 if wanted <= set(shown) else 1)


class Import(_ConfigApp):
    """``config import``."""

    name = "jupyter-oidc-config-import"
    description = paragraphs(
        N_("Take over a settings file of the desktop application, or one that 'config export' wrote."),
        N_(
            "The keys may be camelCase or snake_case. The result is written into a file of its own in Jupyter's "
            "configuration folder (jupyter_server_config.d), where a running server finds it within seconds. "
            "Nothing is written if anything is wrong. What the file makes the server read and send elsewhere is "
            "said. A redirectUri that leads elsewhere than to this server is left out, and said so."
        ),
    )
    examples = """
    jupyter oidc config import desktop.json
    jupyter oidc config import desktop.json --provider corp
    jupyter oidc config import desktop.json -y          # replace the file if it is there
    """
    provider = Unicode("corp", help=N_("The name that the provider gets.")).tag(config=True)
    output = Unicode("", help=N_("The file to write, in place of the one in Jupyter's folder.")).tag(config=True)
    aliases = Dict({**ALIASES, "provider": "Import.provider", "output": "Import.output"})

    def start(self) -> None:
        """Read, check, write."""
        super().start()
        try:
            document = document_in(Path(self.one_argument(N_("the file to import"))), self.provider)
        except UnreadableFile as unreadable:
            self.refuse([unreadable.finding])
            return
        document, left_out = document.without_foreign_redirects()
        for key in left_out:
            self.write_stderr(
                _(
                    "Left out: {key}, which does not lead to this server. 'jupyter oidc doctor' names the address.",
                    key=key,
                )
            )
        read = SettingsResult.of(read_settings(document.providers))
        if read.settings is None:
            self.refuse(read.findings)
            return
        body = {one.name: as_mapping(one, in_full=False) for one in read.settings.providers}
        target = Path(self.output) if self.output else self._folder() / f"jupyter_oidc-{self.provider}.json"
        if not write_new(target, {"JupyterOIDC": {"providers": body}}, replace=self.answer_yes):
            self.write_stderr(_("{file} is there already. Use -y to replace it.", file=target))
            self.exit(1)
        self.write_stdout(_("Written: {file}", file=target))
        for one in read.settings.providers:
            self.write_stderr(_("'{provider}' signs in at {issuer}.", provider=one.name, issuer=one.issuer))
            for line in _sent_secret_notes(one):
                self.write_stderr(line)

    def _folder(self) -> Path:
        return Path(self.config_dir) / "jupyter_server_config.d"


class Export(_ConfigApp):
    """``config export``."""

    name = "jupyter-oidc-config-export"
    description = paragraphs(
        N_("Write the settings of one provider as the desktop application's settings file: JSON, camelCase."),
        N_("What is a default is left out; a client secret is written as the reference that it is."),
    )
    examples = """
    jupyter oidc config export corp > corp.json
    """

    def start(self) -> None:
        """Print JSON."""
        super().start()
        name = self.one_argument(N_("the name of a provider"))
        found = [one for one in self.providers() if one.name == name]
        if not found:
            self.write_stderr(_("No provider is called '{provider}'.", provider=name))
            self.exit(1)
        self.write_stdout(json.dumps(camel_cased(as_mapping(found[0], in_full=False)), indent=2))


class Preset(_ConfigApp):
    """``config preset``."""

    name = "jupyter-oidc-config-preset"
    description = paragraphs(
        N_("Show settings for a provider to fill in, and what is special about it, with sources."),
        N_(
            "The settings go to standard output, as JSON for a file in jupyter_server_config.d; the facts go to "
            "standard error. Without a name, it lists the presets."
        ),
    )
    examples = """
    jupyter oidc config preset
    jupyter oidc config preset NAME
    jupyter oidc config preset NAME > corp.json
    """
    provider = Unicode("corp", help=N_("The name that the provider gets.")).tag(config=True)
    aliases = Dict({**ALIASES, "provider": "Preset.provider"})

    def start(self) -> None:
        """Print the list, or one preset."""
        super().start()
        if not self.extra_args:
            for name in names():
                self.write_stdout(f"{name:<10} {preset(name).title}")
            return
        name = self.one_argument(N_("the name of a preset"))
        if name not in names():
            listed = ", ".join(names())
            self.write_stderr(_("There is no preset '{name}'. There are: {names}.", name=name, names=listed))
            self.exit(1)
        self._show(name)

    def _show(self, name: str) -> None:
        one = preset(name)
        for fact in one.facts:
            self.write_stderr(f"{told(fact.topic)}: {told(fact.fact)}\n    {fact.source}")
        self.write_stderr("\n" + _("Fill in:"))
        for placeholder, meaning in one.placeholders.items():
            self.write_stderr(f"    {{{placeholder}}}: {told(meaning)}")
        self.write_stdout(
            json.dumps(
                {"JupyterOIDC": {"providers": {self.provider: _with_provider_name(one.body(), self.provider)}}},
                indent=2,
            )
        )


class Schema(_ConfigApp):
    """``config schema``."""

    name = "jupyter-oidc-config-schema"
    description = paragraphs(
        N_("Print the JSON Schema of a settings file, or with --address where it is on this machine."),
        N_(
            "An editor that knows JSON Schema completes, explains and marks the keys of a file that names it "
            "under \"$schema\". The server and 'config check' leave that line alone."
        ),
    )
    examples = """
    jupyter oidc config schema > jupyter_oidc.schema.json
    jupyter oidc config schema --address
    """
    address = Bool(False, help=N_("Print the address to write under $schema.")).tag(config=True)
    flags = Dict({**FLAGS, "address": ({"Schema": {"address": True}}, N_("Print the address to write under $schema."))})

    def start(self) -> None:
        """Print the schema, or its address."""
        super().start()
        self.write_stdout(SCHEMA_FILE.as_uri() if self.address else SCHEMA_FILE.read_text(encoding="utf-8").rstrip())


class Config(CommandGroup):
    """``jupyter oidc config``."""

    name = "jupyter-oidc-config"
    description = N_("Check, show, import and export settings; show presets and the schema for editors.")
    examples = """
    jupyter oidc config preset NAME > corp.json
    jupyter oidc config check corp.json
    """
    subcommands = Dict(
        {
            "check": (f"{_CONFIG}.Check", N_("Report all mistakes together.")),
            "show": (f"{_CONFIG}.Show", N_("Show what is in force, presets and defaults included.")),
            "import": (f"{_CONFIG}.Import", N_("Take over a settings file of the desktop application.")),
            "export": (f"{_CONFIG}.Export", N_("Write such a file.")),
            "preset": (f"{_CONFIG}.Preset", N_("Show settings to fill in for one provider.")),
            "schema": (f"{_CONFIG}.Schema", N_("Print the JSON Schema that editors complete and mark settings by.")),
        },
    )


def _sent_secret_notes(provider: Provider) -> list[str]:
    """Return notes on the secrets of this machine that the settings send, and to which address: the file names both."""
    sent = [("client_secret", provider.client_secret, provider.issuer)]
    places: list[tuple[str, Provider | Api]] = [("", provider)]
    places += [(f"apis.{api.name}.", api) for api in provider.apis]
    for at, one in places:
        sent.append((f"{at}egress_proxy_credentials", one.egress_proxy_credentials, one.egress_proxy or ""))
    return [
        _(
            "It sends what '{secret}' holds to {address} ({key}); remove that from the file unless you meant it.",
            secret=secret.scheme + ":" + secret.name,
            address=to,
            key="providers." + provider.name + "." + key,
        )
        for key, secret, to in sent
        if secret is not None
    ]


def _with_provider_name(body: dict[str, Any], provider: str) -> dict[str, Any]:
    """Write the provider's own name where the template has one in an address."""
    text = json.dumps(body).replace("/jupyter-oidc/providers/corp/", f"/jupyter-oidc/providers/{provider}/")
    named: dict[str, Any] = json.loads(text)
    return named
