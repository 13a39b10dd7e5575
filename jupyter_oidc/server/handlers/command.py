"""``command``: an identity for a command that is no kernel, begun, kept and ended by the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jupyter_oidc.language import N_
from jupyter_oidc.problems import Forbidden
from jupyter_oidc.server.commands import LEASE_SECONDS
from jupyter_oidc.server.handler import OidcHandler
from jupyter_oidc.web.access_rule import allow
from jupyter_oidc.web.reply import json_reply
from jupyter_oidc.web.request import envelope

if TYPE_CHECKING:
    from jupyter_oidc.server.commands import Commands


class _ForTheCommandLine(OidcHandler):
    """Base of both routes; NOTE: a caller with Jupyter's token could start a kernel as well; a page is refused."""

    _track_activity = False

    def raise_deferred_refusal(self) -> None:
        """Refuse a caller that authenticates by a cookie."""
        super().raise_deferred_refusal()
        if self.kernel_id is None and self.current_user and not self.token_authenticated:
            raise Forbidden(N_("Only a command line with the server's token begins a command."))

    def must_be_configured(self) -> Commands:
        """Return the commands of this server; raises ``ConfigurationInvalid`` as every route does."""
        if self.context.broker is None:
            _ = self.services
        return self.context.grants.commands


class CommandsHandler(_ForTheCommandLine):
    """Begins a command."""

    @allow("user", action="execute")
    async def post(self) -> None:
        """Return its id and key, once."""
        envelope(self.received(), "command.request")
        command = self.must_be_configured().begin()
        view = {"command_id": command.id, "key": command.key, "expires_in": LEASE_SECONDS}
        self.send(json_reply(view, 201))


class CommandHandler(_ForTheCommandLine):
    """Keeps and ends a command."""

    @allow("user", action="execute")
    async def post(self, command_id: str) -> None:
        """Extend its lease."""
        envelope(self.received(), "command.request")
        self.must_be_configured().extend_lease(command_id)
        self.send(json_reply({"expires_in": LEASE_SECONDS}))

    @allow("user", action="execute")
    async def delete(self, command_id: str) -> None:
        """End it, and with it every grant of it."""
        self.must_be_configured().end(command_id)
        self.send(json_reply({"expires_in": 0}))
