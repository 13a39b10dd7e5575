"""The result of one check: what was looked at, how it is, what to do, and who can do it.

``problem`` keeps something from working, ``warning`` works and deserves a thought, ``unknown`` could not be looked at.
Texts are ours and name no peer's words; a person reads them aloud.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from jupyter_oidc.errors import Problem

Status = Literal["ok", "warning", "problem", "unknown"]
Who = Literal["user", "administrator", "provider"]

_REFERENCE: Final = re.compile(r"'(env|file|keyring):.*'", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Check:
    """One line of a diagnosis; ``provider`` is ``None`` where it concerns the whole server.

    Whatever is not ``ok`` has an ``action``, and ``who`` can take it.
    """

    name: str
    provider: str | None
    status: Status
    message: str
    action: str | None = None
    who: Who | None = None


@dataclass(frozen=True, slots=True)
class Subject:
    """What a check is about; makes its results."""

    name: str
    provider: str | None = None

    def ok(self, message: str) -> Check:
        """Say that all is well."""
        return Check(self.name, self.provider, "ok", message)

    def warning(self, message: str, action: str, who: Who = "administrator") -> Check:
        """Say what works and deserves a thought."""
        return Check(self.name, self.provider, "warning", message, action, who)

    def problem(self, message: str, action: str, who: Who = "administrator") -> Check:
        """Say what does not work."""
        return Check(self.name, self.provider, "problem", message, action, who)

    def unknown(self, message: str, action: str, who: Who = "administrator") -> Check:
        """Say what could not be looked at."""
        return Check(self.name, self.provider, "unknown", message, action, who)

    def failed(self, problem: Problem, action: str | None = None, who: Who = "administrator") -> Check:
        """Say what an attempt ran into.

        Of a reference, only its kind is said: a path can hold a person's name, and what stands where a name should be can
        be the secret itself; a report is pasted in public.
        """
        return self.problem(_REFERENCE.sub(r"(\1)", problem.message), action or problem.action, who)
