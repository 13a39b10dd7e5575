"""Writes lines and checks for the person, in the words of the checks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from jupyter_oidc.cli.setup.obstacle import WHO
from jupyter_oidc.language import told

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
            self.say(f"  {told(check.name)}: {told(check.message)}")
            if check.action:
                self.say(f"    {told(WHO[check.who or 'administrator'])}: {told(check.action)}")
