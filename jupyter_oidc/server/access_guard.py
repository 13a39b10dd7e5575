"""Enforces the access rule that a verb of a handler declares, in Jupyter's server (law 7)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import wraps
from typing import TYPE_CHECKING, Any, Final

from jupyter_oidc.compat.jupyter_server import UNAUTHENTICATED_MARK
from jupyter_oidc.web.access_rule import access_rule_of

if TYPE_CHECKING:
    from jupyter_oidc.server.handler import OidcHandler

Verb = Callable[..., Awaitable[None]]

RESOURCE: Final = "jupyter_oidc"
"""The resource name that the server's ``Authorizer`` is asked about."""


def guard_verbs(handler: type[OidcHandler]) -> None:
    """Put its declared rule in front of each verb that ``handler`` defines itself."""
    for name in map(str.lower, handler.SUPPORTED_METHODS):
        verb = vars(handler).get(name)
        if verb is not None and access_rule_of(verb) is not None:
            setattr(handler, name, guarded(verb))


def guarded(verb: Verb) -> Verb:
    """Return ``verb`` behind the rule that it declares.

    One guard per verb: Jupyter's own ``@authorized`` remembers only the first action.
    """
    rule = access_rule_of(verb)
    assert rule is not None  # noqa: S101 - the caller has looked

    @wraps(verb)
    async def behind_rule(self: OidcHandler, *args: str, **kwargs: str) -> None:
        await self.admit(rule)
        await verb(self, *args, **kwargs)

    marks: dict[str, Any] = vars(behind_rule)
    # Jupyter reads this attribute before it runs a verb; it must agree with the rule.
    marks[UNAUTHENTICATED_MARK] = rule.is_public
    return behind_rule
