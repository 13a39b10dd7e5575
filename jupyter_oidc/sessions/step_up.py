"""The strength of a sign-in: which levels an API demands, and which ones a sign-in has proved (RFC 9470)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

MAX_ACR_VALUES: Final = 20
"""Authentication contexts in one request, for all APIs together."""


@dataclass(frozen=True, slots=True)
class StepUp:
    """A stronger sign-in: at one of ``acr_values``, not longer ago than ``max_age`` seconds (RFC 9470, 3).

    ``optional_acr_values`` are requested after those, so that the sign-in is no weaker than one before; they need not
    be reached.
    """

    acr_values: tuple[str, ...] = ()
    max_age: int | None = None
    optional_acr_values: tuple[str, ...] = ()

    @property
    def requested_acr_values(self) -> tuple[str, ...]:
        """The ``acr_values`` of the authorization request, the preferred ones first."""
        return tuple(dict.fromkeys((*self.acr_values, *self.optional_acr_values)))[:MAX_ACR_VALUES]

    def after(self, earlier: StepUp) -> StepUp:
        """Return the demand of an API that asked for ``earlier`` before: values that it does not mention stay."""
        age = earlier.max_age if self.max_age is None else self.max_age
        return StepUp(self.acr_values or earlier.acr_values, age)

    def combined_with(self, other: StepUp) -> StepUp:
        """Return a demand for this and, if possible, ``other`` too: values that both name, else this one's first."""
        both = tuple(value for value in self.acr_values if value in other.acr_values)
        ages = [age for age in (self.max_age, other.max_age) if age is not None]
        return StepUp(both or self.acr_values, min(ages, default=None), () if both else other.acr_values)

    def restricted_to(self, admitted: tuple[str, ...]) -> StepUp | None:
        """Return this, limited to the levels that the settings admit; ``None`` if it has none of them (Q5.14)."""
        if not admitted:
            return self
        if not self.acr_values:
            return StepUp(
                tuple(sorted(admitted, key=lambda value: value not in self.optional_acr_values)), self.max_age
            )
        both = tuple(value for value in self.acr_values if value in admitted)
        return StepUp(both, self.max_age) if both else None

    def reached(self, acr: str | None) -> StepUp:
        """Return the strength that a sign-in with this demand has proved, by the level in its ID token (Q5.14).

        A level that was requested only in ``optional_acr_values`` counts, too; one that was not requested counts for
        nothing.
        """
        return StepUp((acr,) if acr and acr in self.requested_acr_values else (), self.max_age)

    def covers(self, wanted: StepUp) -> bool:
        """Return whether a sign-in that proved this satisfies ``wanted``."""
        known = not wanted.acr_values or not set(wanted.acr_values).isdisjoint(self.acr_values)
        young = wanted.max_age is None or (self.max_age is not None and self.max_age <= wanted.max_age)
        return known and young
