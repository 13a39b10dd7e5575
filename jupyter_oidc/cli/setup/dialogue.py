"""Asks the person at the terminal, or takes the default, or says which flag answers where nobody can be asked.

It refuses to show what is typed for a secret, and to ask in a pipe: a script would wait for ever, or answer blindly.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from jupyter_oidc.cli.setup.obstacle import UNANSWERED_CODE, Obstacle, unanswered
from jupyter_oidc.cli.terminal_input import read_hidden, read_line
from jupyter_oidc.cli.yes_or_no import choice, is_yes
from jupyter_oidc.language import _
from jupyter_oidc.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Callable

SECRET_TIMEOUT_SECONDS: Final = 600.0
_MAX_ATTEMPTS: Final = 5
"""Answers to one question that are refused before the set-up ends."""


@dataclass(frozen=True, slots=True)
class Dialogue:
    """The questions of one run; ``is_interactive`` if a person is there, ``takes_defaults`` if none are to be asked."""

    write_line: Callable[[str], None]
    is_interactive: bool
    takes_defaults: bool

    def ask(
        self,
        question: str,
        flag: str,
        *,
        default: str,
        fault: Callable[[str], str | None] = lambda _answer: None,
        is_optional: bool = False,
    ) -> str:
        """Return the answer, or ``default``; ``fault`` says what is wrong with an answer.

        An optional question is not asked where nobody can answer: nothing is missing without it.
        """
        if self.takes_defaults or (is_optional and not self.is_interactive):
            return self._checked(default, flag, fault)
        if not self.is_interactive:
            raise unanswered(question, _("{flag}, or --yes for {default}", flag=flag, default=repr(default)))
        hint = default or _("none")
        for _attempt in range(_MAX_ATTEMPTS):
            answer = self._read(f"{question} [{hint}]: ", question, flag).strip() or default
            wrong = fault(answer)
            if wrong is None:
                return answer
            self.write_line(wrong)
        raise Obstacle(_("None of the answers could be used."), _("Run this again."), code=UNANSWERED_CODE)

    def confirm(self, question: str, flag: str, *, default: bool) -> bool:
        """Return whether the person agrees."""
        if self.takes_defaults:
            return default
        if not self.is_interactive:
            raise unanswered(question, flag)
        answer = self._read(f"{question} {choice(default=default)}: ", question, flag).strip()
        return is_yes(answer) if answer else default

    def secret(self, question: str, flag: str) -> Secret:
        """Return the secret that is typed at a hidden prompt."""
        if not self.is_interactive:
            raise unanswered(question, flag)
        try:
            typed = read_hidden(_("{question} (it is not shown): ", question=question), SECRET_TIMEOUT_SECONDS).strip()
        except (EOFError, TimeoutError):
            raise unanswered(question, flag) from None
        if not typed:
            raise Obstacle(
                _("There was no secret."), _("Run this again, or give {flag}.", flag=flag), code=UNANSWERED_CODE
            )
        return Secret(typed)

    def pause(self, what: str) -> None:
        """Wait for Enter where a person is there."""
        if self.is_interactive and not self.takes_defaults:
            self._read(f"{what} ", what, "--yes")

    def _read(self, prompt: str, question: str, flag: str) -> str:
        try:
            return read_line(prompt)
        except EOFError:
            self.write_line("")
            raise unanswered(question, flag) from None

    @staticmethod
    def _checked(answer: str, flag: str, fault: Callable[[str], str | None]) -> str:
        wrong = fault(answer)
        if wrong is not None:
            raise Obstacle(wrong, _("Give {flag}.", flag=flag), code=UNANSWERED_CODE)
        return answer
