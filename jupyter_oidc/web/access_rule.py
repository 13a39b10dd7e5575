"""Declares for every verb of every route which callers may use it (law 7).

``@allow`` is for users, kernels, workers and the Jupyter server of a broker's account, ``@public_route`` for the few routes that work without a login, each of which has
to name its other protection.
The rule is a declaration: the front that serves the verb enforces it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

AllowedCaller = Literal["user", "kernel", "worker", "server"]
Action = Literal["read", "write", "execute"]
Verb = TypeVar("Verb", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class AccessRule:
    """The declaration of a verb: its callers, and the action that a user must be authorised for.

    A public route has no callers and a ``protection``.
    ``from_other_sites`` admits a browser that a page of another site sends here, as a navigation without a body; such a
    verb begins no sign-in and ends no session: it asks the user, or shows the page that one of our tickets names.
    """

    callers: tuple[AllowedCaller, ...]
    action: Action | None
    protection: str | None = None
    from_other_sites: bool = False

    @property
    def is_public(self) -> bool:
        """Whether the verb works without a login."""
        return self.protection is not None


def allow(*callers: AllowedCaller, action: Action, from_other_sites: bool = False) -> Callable[[Verb], Verb]:
    """Admit ``callers`` only, users after they were authorised for ``action``."""
    return _declare(AccessRule(callers, action, from_other_sites=from_other_sites))


def public_route(*, protection: str) -> Callable[[Verb], Verb]:
    """Admit every caller; ``protection`` names the verb's protection other than a login."""
    return _declare(AccessRule((), None, protection))


def access_rule_of(verb: object) -> AccessRule | None:
    """Return the rule that ``verb`` declares, or ``None``."""
    return getattr(verb, "__access_rule__", None)


def _declare(rule: AccessRule) -> Callable[[Verb], Verb]:
    def mark(verb: Verb) -> Verb:
        vars(verb)["__access_rule__"] = rule
        return verb

    return mark
