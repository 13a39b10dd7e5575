"""The result of one check: its subject, its status, what to do, and who can do it.

``problem`` does not work, ``warning`` works but should be reviewed, ``unknown`` could not be checked.
Texts are ours and quote no peer; they have to make sense when read aloud.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from jupyter_oidc.problems import Problem

Status = Literal["ok", "warning", "problem", "unknown"]
Who = Literal["user", "administrator", "provider"]

_REFERENCE: Final = re.compile(r"'(env|file|keyring):.*'", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Check:
    """One line of a report; ``provider`` is ``None`` if it concerns the whole server.

    A check that is not ``ok`` has an ``action``, and ``who`` can take it.
    """

    name: str
    provider: str | None
    status: Status
    message: str
    action: str | None = None
    who: Who | None = None


@dataclass(frozen=True, slots=True)
class Subject:
    """The subject of a check; makes its results."""

    name: str
    provider: str | None = None

    def ok(self, message: str) -> Check:
        """Return the result ``ok``."""
        return Check(self.name, self.provider, "ok", message)

    def warning(self, message: str, action: str, who: Who = "administrator") -> Check:
        """Return a ``warning``: it works but should be reviewed."""
        return Check(self.name, self.provider, "warning", message, action, who)

    def problem(self, message: str, action: str, who: Who = "administrator") -> Check:
        """Return a ``problem``: it does not work."""
        return Check(self.name, self.provider, "problem", message, action, who)

    def unknown(self, message: str, action: str, who: Who = "administrator") -> Check:
        """Return ``unknown``: it could not be checked."""
        return Check(self.name, self.provider, "unknown", message, action, who)

    def failed(self, problem: Problem, action: str | None = None, who: Who = "administrator") -> Check:
        """Return a ``problem`` for the ``Problem`` of an attempt.

        Of a reference to a secret only the kind is named: a path can hold a person's name, and a misplaced secret can
        stand in its place; users paste reports in public.
        """
        return self.problem(_REFERENCE.sub(r"(\1)", problem.message), action or problem.action, who)
