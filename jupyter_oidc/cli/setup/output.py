"""Writes lines and checks for the person, in the words of the checks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from jupyter_oidc.cli.setup.obstacle import WHO

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from jupyter_oidc.diagnostics.check import Check


@dataclass(frozen=True, slots=True)
class Output:
    """``say`` writes a line of the result."""

    say: Callable[[str], None]

    def say_checks(self, checks: Iterable[Check]) -> None:
        """Write one line for a check, and a second one for who has to do what."""
        for check in checks:
            self.say(f"  {check.name}: {check.message}")
            if check.action:
                self.say(f"    {WHO[check.who or 'administrator']}: {check.action}")
