"""``jupyter oidc setup ISSUER``: the command line of a set-up, and how it ends."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Final

from traitlets import Bool, Dict, Enum, Float, List, Unicode

from jupyter_oidc.cli.app import ALIASES, FLAGS, OidcApp, paragraphs
from jupyter_oidc.cli.running import ServerError
from jupyter_oidc.cli.settings_files import settings_of
from jupyter_oidc.cli.setup.decisions import strategies
from jupyter_oidc.cli.setup.dialogue import Dialogue
from jupyter_oidc.cli.setup.obstacle import NOT_SET_UP_CODE, UNANSWERED_CODE, WHO, Obstacle
from jupyter_oidc.cli.setup.steps import SetUp
from jupyter_oidc.cli.setup.surroundings import Surroundings
from jupyter_oidc.cli.setup.wishes import Wishes, pairs
from jupyter_oidc.language import N_, _, told

INTERRUPTED_CODE: Final = 130
"""The exit code of a command that Ctrl-C has ended, as shells have it."""

_SWITCHES: Final = {
    "yes": (
        "JupyterApp",
        "answer_yes",
        True,
        N_("Ask nothing: take the default wherever no flag says something else."),
    ),
    "client-secret-stdin": ("Setup", "client_secret_stdin", True, N_("Read the client secret from standard input.")),
    "public-client": ("Setup", "public_client", True, N_("The client has no secret, whatever the provider lists.")),
    "register": (
        "Setup",
        "register_client",
        True,
        N_("Let the provider register the client, if it offers that to anybody."),
    ),
    "private-network": ("Setup", "private_network", True, N_("The APIs may be on a private network.")),
    "dry-run": ("Setup", "dry_run", True, N_("Print what would be written, and write nothing.")),
    "no-sign-in": ("Setup", "sign_in", False, N_("Do not sign in when the settings are written.")),
    "no-browser": ("Setup", "browser", False, N_("Print the link of the sign-in, and open no window.")),
}
_NAMES: Final = {
    **{name: name for name in ("name", "api", "scope", "fill", "strategy", "address", "file", "server", "timeout")},
    "client-id": "client_id",
    "client-secret-ref": "client_secret_ref",
    "ca-bundle": "ca_bundle",
}


class Setup(OidcApp):
    """``jupyter oidc setup``."""

    name = "jupyter-oidc-setup"
    description = paragraphs(
        N_("Set up a provider: find out what it is, ask the rest, write the settings, sign in, call an API."),
        N_(
            "ISSUER is the provider's issuer, the address of its metadata, or its host. The provider is asked for "
            "its metadata; a preset is chosen by them, and the way to sign in by where this server runs. At a "
            "terminal a few questions follow, each with a default; flags answer them beforehand, and --yes takes "
            "every default that is left. The redirect URI to register at the provider is printed. Then the "
            "settings are written, into a file of their own in Jupyter's configuration folder "
            "(jupyter_server_config.d), or into the one that has the provider already, after its changes were "
            "shown."
        ),
        N_(
            "The first sign-in follows: at the running Jupyter server, or at one that is started for it and "
            "stopped again. What it got is compared with what was asked for, and each API is called once."
        ),
        N_(
            "A client secret is never written into the settings: it is typed at a hidden prompt or read from "
            "standard input, and kept in the keyring, or in a file that only you can read. Running this again "
            "changes nothing, and tries everything anew."
        ),
        N_(
            "Exit code: 0 if all of it works; 1 if something has to be corrected, which is said with who can do "
            "it; 2 if a flag is wrong, or a question is left open where nobody can answer it; 130 after Ctrl-C."
        ),
    )
    examples = """
    jupyter oidc setup https://id.example.com
    jupyter oidc setup id.example.com/realms/corp --client-id=jupyter --api=orders=https://api.example.com/v1/
    jupyter oidc setup https://id.example.com --yes --client-secret-stdin < secret.txt
    jupyter oidc setup https://id.example.com --strategy=device --no-browser
    jupyter oidc setup https://id.example.com --yes --dry-run      # what would be written?
    """
    name_of_provider = Unicode(
        "", help=N_("The name that the provider gets here; callbacks and notebooks know it.")
    ).tag(config=True)
    client_id = Unicode("", help=N_("The client id, as the provider has registered it.")).tag(config=True)
    client_secret_ref = Unicode(
        "", help=N_("A reference to the client secret: file:PATH, keyring:SERVICE/USER or env:NAME.")
    ).tag(config=True)
    client_secret_stdin = Bool(False, help=N_("Read the client secret from standard input.")).tag(config=True)
    public_client = Bool(False, help=N_("The client has no secret, whatever the provider lists.")).tag(config=True)
    api = List(Unicode(), help=N_("An API to open, as NAME=URL; may be given several times.")).tag(config=True)
    scope = List(Unicode(), help=N_("A scope to ask for in place of the usual ones; may be given several times.")).tag(
        config=True
    )
    fill = List(Unicode(), help=N_("A value that the preset asks for, as NAME=VALUE; may be given several times.")).tag(
        config=True
    )
    strategy = Enum(strategies(), "auto", help=N_("The way to sign in; 'auto' goes by where the server runs.")).tag(
        config=True
    )
    address = Unicode(
        "", help=N_("The address at which browsers reach this server, base URL included; under a Hub the Hub's own.")
    ).tag(config=True)
    ca_bundle = Unicode("", help=N_("A PEM file with certificate authorities to trust as well.")).tag(config=True)
    file = Unicode("", help=N_("The JSON file to write, in place of the one that is chosen.")).tag(config=True)
    server = Unicode("", help=N_("The URL of the server, if several run: see 'jupyter server list'.")).tag(config=True)
    timeout = Float(0.0, min=0.0, help=N_("Seconds to wait for the sign-in; 0: as long as the server does.")).tag(
        config=True
    )
    register_client = Bool(False, help=N_("Let the provider register the client.")).tag(config=True)
    private_network = Bool(False, help=N_("The APIs may be on a private network.")).tag(config=True)
    dry_run = Bool(False, help=N_("Print what would be written, and write nothing.")).tag(config=True)
    sign_in = Bool(True, help=N_("Sign in when the settings are written.")).tag(config=True)
    browser = Bool(True, help=N_("Open a browser window.")).tag(config=True)
    aliases = Dict(
        {
            **ALIASES,
            **{flag: f"Setup.{'name_of_provider' if trait == 'name' else trait}" for flag, trait in _NAMES.items()},
        }
    )
    flags = Dict(
        {
            **FLAGS,
            **{flag: ({section: {trait: value}}, text) for flag, (section, trait, value, text) in _SWITCHES.items()},
        }
    )

    def start(self) -> None:
        """Set up, and end with the exit code."""
        super().start()
        set_up: SetUp | None = None
        try:
            set_up = SetUp(self._wishes(), self._surroundings(), self._dialogue(), self.write_stdout)
            self.exit(set_up.run())
        except Obstacle as obstacle:
            self.write_stderr(f"{obstacle.message}\n{told(WHO[obstacle.who])}: {obstacle.action}")
            self.exit(obstacle.code)
        except ServerError as problem:
            self.write_stderr(f"{problem.message}\n{problem.action}")
            self.exit(NOT_SET_UP_CODE)
        except KeyboardInterrupt:
            written = set_up.written if set_up is not None else None
            left = (
                _("Stopped; nothing was written.")
                if written is None
                else _("Stopped; the settings are in {file}.", file=written)
            )
            self.write_stderr(f"\n{left}")
            self.exit(INTERRUPTED_CODE)

    def _wishes(self) -> Wishes:
        if len(self.extra_args) != 1:
            raise Obstacle(
                _("There is no issuer.") if not self.extra_args else _("There is more than one issuer."),
                _("Give one: jupyter oidc setup https://id.example.com"),
                code=UNANSWERED_CODE,
            )
        return Wishes(
            issuer=str(self.extra_args[0]),
            name=self.name_of_provider,
            client_id=self.client_id,
            client_secret_ref=self.client_secret_ref,
            secret_from_stdin=self.client_secret_stdin,
            is_public=self.public_client,
            scopes=tuple(self.scope),
            apis=pairs(self.api, "api", "NAME=URL"),
            values=pairs(self.fill, "fill", "NAME=VALUE"),
            strategy=self.strategy,
            address=self.address,
            ca_bundle=str(Path(self.ca_bundle).expanduser().absolute()) if self.ca_bundle else "",
            file=self.file,
            server=self.server,
            registers=self.register_client,
            is_dry_run=self.dry_run,
            signs_in=self.sign_in,
            opens_browser=self.browser,
            allows_private_network=self.private_network,
            timeout_seconds=self.timeout or None,
        )

    def _surroundings(self) -> Surroundings:
        read = settings_of(self, looks_at_files=True)
        if read.settings is None:
            raise Obstacle.of_findings(
                read.findings,
                _("Correct what the settings say already: jupyter oidc config check. Then run this again."),
            )
        if read.only_system and not self.file:
            raise Obstacle(
                _("Only system files count here (settings_sources is 'system'), and a file of yours would be ignored."),
                _("Run this with --file in a system folder: jupyter --paths."),
                "administrator",
            )
        return Surroundings(
            paths=tuple(self.config_file_paths),
            folder=Path(self.config_dir),
            config=self.config,
            environment=os.environ,
            settings=read.settings,
            has_unicode=(sys.stdout.encoding or "").lower().replace("-", "") == "utf8",
        )

    def _dialogue(self) -> Dialogue:
        at_terminal = all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stdout))
        return Dialogue(self.write_stdout, is_interactive=at_terminal, takes_defaults=self.answer_yes)
