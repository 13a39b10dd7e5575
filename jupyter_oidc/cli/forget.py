"""``jupyter oidc forget``: remove stored sessions from this machine, without a request to server or provider."""

from __future__ import annotations

import asyncio
import logging
import os
from dataclasses import replace
from typing import TYPE_CHECKING

from traitlets import Dict, Unicode

from jupyter_oidc.adapters.storage.storage_key import take_storage_key
from jupyter_oidc.cli.app import ALIASES, OidcApp, paragraphs
from jupyter_oidc.cli.running import running_servers
from jupyter_oidc.cli.settings_files import settings_of
from jupyter_oidc.cli.terminal_input import read_line
from jupyter_oidc.cli.yes_or_no import choice, is_yes
from jupyter_oidc.compose import vaults
from jupyter_oidc.language import N_, _, told
from jupyter_oidc.problems import StorageUnavailable
from jupyter_oidc.settings import Provider

if TYPE_CHECKING:
    from jupyter_oidc.settings import Settings


class Forget(OidcApp):
    """``jupyter oidc forget``."""

    name = "jupyter-oidc-forget"
    description = paragraphs(
        N_("Remove the stored sessions of the configured providers from keyring and encrypted file."),
        N_(
            "This does not sign out: the provider still honours the refresh token until it ends, and a running "
            "Jupyter server still holds its session. 'jupyter oidc sign-out' takes both back; use this where no "
            "server runs any more. Name providers to forget only those. What is left of one that is in no "
            "settings file any more is found with its name, --issuer and --client-id."
        ),
    )
    examples = """
    jupyter oidc forget
    jupyter oidc forget corp -y
    jupyter oidc forget old --issuer=https://id.example.com --client-id=jupyter
    """
    issuer = Unicode("", help=N_("The issuer of a provider that is in no settings file any more.")).tag(config=True)
    client_id = Unicode("", help=N_("The client id that it had.")).tag(config=True)
    aliases = Dict({**ALIASES, "issuer": "Forget.issuer", "client-id": "Forget.client_id"})

    def start(self) -> None:
        """Ask, remove, and print the removed sessions."""
        super().start()
        read = settings_of(self)
        if read.settings is None:
            self.write_stderr(
                _("The settings contain mistakes, so it is not known what to forget: jupyter oidc config check.")
            )
            self.exit(1)
            return
        if read.broker is not None:
            self.write_stderr(
                _("Sessions are held by a broker, and nothing is stored here: sign out by 'jupyter oidc sign-out'.")
            )
            self.exit(1)
            return
        settings = self._with_former(read.settings)
        wanted = [one.name for one in settings.providers if not self.extra_args or one.name in self.extra_args]
        if not wanted:
            self.write_stderr(_("There is no such provider in the settings."))
            self.exit(1)
        if running_servers():
            self.write_stderr(_("A Jupyter server is running: 'jupyter oidc sign-out' ends its session as well."))
        if not self.answer_yes and not _confirmed(wanted):
            self.exit(1)
        self.exit(asyncio.run(self._forget(settings, wanted)))

    def _with_former(self, settings: Settings) -> Settings:
        """Return ``settings``, or those of the one former provider that is named with its registration."""
        if not self.issuer and not self.client_id:
            return settings
        if len(self.extra_args) != 1 or not (self.issuer and self.client_id):
            self.write_stderr(_("To forget a former provider, give its name, --issuer and --client-id."))
            self.exit(2)
        former = Provider(str(self.extra_args[0]), self.issuer, self.client_id)
        return replace(settings, providers=(former,))

    async def _forget(self, settings: Settings, wanted: list[str]) -> int:
        code = 0
        logging.getLogger("jupyter_oidc").addHandler(logging.NullHandler())
        stores = vaults(settings, logging.getLogger("jupyter_oidc"), take_storage_key(dict(os.environ)))
        for provider in settings.providers:
            if provider.name not in wanted:
                continue
            try:
                await stores(provider).delete()
            except StorageUnavailable as problem:
                self.write_stdout(f"{provider.name}: {told(problem.text)}")
                code = 1
            else:
                self.write_stdout(_("{provider}: nothing is stored any more.", provider=provider.name))
        return code


def _confirmed(names: list[str]) -> bool:
    question = _("Remove what is stored for {names}?", names=", ".join(names))
    try:
        return is_yes(read_line(f"{question} {choice(default=False)} "))
    except EOFError:
        return False
