"""The end of a set-up that cannot go on: what is in the way, what to do, and who has to do it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from jupyter_oidc.cli.findings import told_finding
from jupyter_oidc.language import N_, _, told

if TYPE_CHECKING:
    from jupyter_oidc.diagnostics.check import Check, Who
    from jupyter_oidc.settings import Finding

NOT_SET_UP_CODE: Final = 1
"""The exit code if something other than the command line has to be corrected."""

UNANSWERED_CODE: Final = 2
"""The exit code of a command line that is wrong, or that leaves a question open where nobody can answer."""

WHO: Final[dict[Who, str]] = {
    "user": N_("You"),
    "administrator": N_("Administrator of this Jupyter server"),
    "provider": N_("Administrator of the provider"),
}


class Obstacle(Exception):
    """``message`` says what is in the way, and ``action`` what ``who`` has to do; ``code`` is the exit code."""

    def __init__(self, message: str, action: str, who: Who = "user", code: int = NOT_SET_UP_CODE) -> None:
        self.message = message
        self.action = action
        self.who = who
        self.code = code
        super().__init__(message)

    @classmethod
    def of_check(cls, check: Check) -> Obstacle:
        """Return the obstacle that a check found."""
        return cls(told(check.message), told(check.action or ""), check.who or "administrator")

    @classmethod
    def of_findings(cls, findings: list[Finding] | tuple[Finding, ...], action: str) -> Obstacle:
        """Return the obstacle that mistakes in settings are; each is named."""
        return cls("\n".join(told_finding(finding) for finding in findings), action)


def unanswered(question: str, flag: str) -> Obstacle:
    """Return the obstacle that ``question`` is where nobody can answer it; ``flag`` answers it."""
    return Obstacle(
        _("Nobody can be asked here: {question}", question=question), _("Give {flag}.", flag=flag), code=UNANSWERED_CODE
    )
