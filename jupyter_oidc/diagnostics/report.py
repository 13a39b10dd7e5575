"""Writes a report as text for a terminal, and as the JSON of the contract ``diagnostics.reply``."""

from __future__ import annotations

from collections import Counter
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final

from jupyter_oidc.language import N_, _, counted, on_the_wire, told

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from jupyter_oidc.diagnostics.check import Check, Status, Who
    from jupyter_oidc.diagnostics.examination import Report

_MARKS: Final[Mapping[Status, str]] = {
    "ok": "\N{CHECK MARK}",
    "warning": "\N{CHECK MARK}",
    "problem": "\N{MULTIPLICATION X}",
    "unknown": "?",
}
_PLAIN: Final[Mapping[Status, str]] = {"ok": "[+]", "warning": "[+]", "problem": "[x]", "unknown": "[?]"}
_WORDS: Final[Mapping[Status, str]] = {
    "warning": N_("seen, with advice"),
    "problem": N_("wrong"),
    "unknown": N_("cannot be known from here"),
}
"""The words for the mark of each status but ``ok`` (ADR 0037)."""

_WHO: Final[Mapping[Who, str]] = {
    "user": N_("You"),
    "administrator": N_("Administrator of this Jupyter server"),
    "provider": N_("Administrator of the provider"),
}


def as_json(report: Report) -> dict[str, Any]:
    """Return the contract ``diagnostics.reply``."""
    return {
        "ok": report.ok,
        "checks": [
            {
                "name": check.name,
                "provider": check.provider,
                "status": check.status,
                "message": check.message,
                "action": check.action,
                "who": check.who,
                "message_sentences": on_the_wire(check.message),
                "action_sentences": on_the_wire(check.action) if check.action else [],
            }
            for check in report.checks
        ],
    }


def as_text(report: Report, *, ascii_only: bool = False) -> str:
    """Return lines of text: a heading for each provider, a line for each check, and below it who takes which action.

    They are in the language of this process.
    """
    marks = _PLAIN if ascii_only else _MARKS
    return "\n".join([*_lines(report, marks), "", _summary(report)]).lstrip("\n")


def _lines(report: Report, marks: Mapping[Status, str]) -> Iterator[str]:
    for provider, checks in groupby(report.checks, lambda check: check.provider):
        yield ""
        yield _("Provider '{provider}'", provider=provider) if provider else _("This server")
        for check in checks:
            mark = marks[check.status]
            yield f"  {mark} {_line(check)}"
            if check.action:
                indent = " " * (len(mark) + 3)
                who = told(_WHO[check.who or "administrator"])
                yield indent + _("{who}: {action}", who=who, action=told(check.action))


def _line(check: Check) -> str:
    """Return name and message; any status but ``ok`` is also written in words, for users who cannot see the mark."""
    name, message = told(check.name), told(check.message)
    if check.status == "ok":
        return _("{name}: {message}", name=name, message=message)
    return _("{name} ({word}): {message}", name=name, word=told(_WORDS[check.status]), message=message)


def _summary(report: Report) -> str:
    counts = Counter(check.status for check in report.checks)
    wrong, unknown, warned, fine = (counts[status] for status in ("problem", "unknown", "warning", "ok"))
    if not wrong + unknown + warned:
        return _("All {number} that were looked at are as they should be.", number=fine)
    said = (
        counted(wrong, "{number} wrong", "{number} wrong") if wrong else None,
        counted(unknown, "{number} not known from here", "{number} not known from here") if unknown else None,
        counted(warned, "{number} seen, with advice", "{number} seen, with advice") if warned else None,
        counted(fine, "{number} seen as they should be.", "{number} seen as they should be."),
    )
    return told(N_(", ")).join(told(one) for one in said if one)
