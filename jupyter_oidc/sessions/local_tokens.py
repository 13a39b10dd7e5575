"""The tokens of one session service, as the proxy asks for them (ADR 45)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jupyter_oidc.sessions.bearer_tokens import BearerTokens
    from jupyter_oidc.sessions.current_session import CurrentSession
    from jupyter_oidc.sessions.readiness import Outages


class LocalTokens:
    """The :class:`~jupyter_oidc.sessions.token_api.SessionTokens` of a service with these parts."""

    def __init__(self, tokens: BearerTokens, current: CurrentSession, outages: Outages) -> None:
        # NOTE: almost every proxied call comes this way, so the parts are called without a step in between.
        self.ready, self.bearer = tokens.ready, tokens.bearer
        self.is_current, self.on_session_end = current.has_number, current.on_session_end
        self.expect_step_up = current.expect_step_up
        self.note_outage, self.note_answer = outages.note, outages.over
