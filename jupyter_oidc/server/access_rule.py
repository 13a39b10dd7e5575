"""Declares for every verb of every route which callers may use it (law 7).

``@allow`` is for Jupyter users and kernels, ``@public_route`` for the few routes that work without a login, each of
which has to name its other protection.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import wraps
from typing import TYPE_CHECKING, Any, Final, Literal

from jupyter_oidc.compat.jupyter_server import UNAUTHENTICATED_MARK

if TYPE_CHECKING:
    from jupyter_oidc.server.handler import OidcHandler

Caller = Literal["user", "kernel"]
Action = Literal["read", "write", "execute"]
Verb = Callable[..., Awaitable[None]]

RESOURCE: Final = "jupyter_oidc"
"""The resource name that the server's ``Authorizer`` is asked about."""


@dataclass(frozen=True, slots=True)
class AccessRule:
    """The declaration of a verb: its callers, and the action that a user must be authorised for.

    A public route has no callers and a ``protection``.
    ``from_other_sites`` admits a browser that a page of another site sends here, as a navigation without a body; such a
    verb begins no sign-in and ends no session: it asks the user, or shows the page that one of our tickets names.
    """

    callers: tuple[Caller, ...]
    action: Action | None
    protection: str | None = None
    from_other_sites: bool = False


def allow(*callers: Caller, action: Action, from_other_sites: bool = False) -> Callable[[Verb], Verb]:
    """Admit ``callers`` only, users after the server's ``Authorizer`` agreed to ``(action, "jupyter_oidc")``.

    One decorated function per verb: Jupyter's own ``@authorized`` remembers only the first action.
    """
    rule = AccessRule(callers, action, from_other_sites=from_other_sites)

    def decorate(verb: Verb) -> Verb:
        @wraps(verb)
        async def guarded(self: OidcHandler, *args: str, **kwargs: str) -> None:
            await self.admit(rule)
            await verb(self, *args, **kwargs)

        return _marked(guarded, rule, unauthenticated=False)

    return decorate


def public_route(*, protection: str) -> Callable[[Verb], Verb]:
    """Admit every caller; ``protection`` names the verb's protection other than a login."""
    rule = AccessRule((), None, protection)

    def decorate(verb: Verb) -> Verb:
        @wraps(verb)
        async def guarded(self: OidcHandler, *args: str, **kwargs: str) -> None:
            self.raise_deferred_refusal()
            await verb(self, *args, **kwargs)

        return _marked(guarded, rule, unauthenticated=True)

    return decorate


def access_rule_of(verb: object) -> AccessRule | None:
    """Return the rule that ``verb`` declares, or ``None``."""
    return getattr(verb, "__access_rule__", None)


def _marked(verb: Verb, rule: AccessRule, *, unauthenticated: bool) -> Verb:
    marks: dict[str, Any] = vars(verb)
    marks["__access_rule__"] = rule
    # Jupyter reads this attribute before it runs a verb; it must agree with the rule.
    marks[UNAUTHENTICATED_MARK] = unauthenticated
    return verb
