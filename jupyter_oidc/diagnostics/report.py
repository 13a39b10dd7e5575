"""Writes a report as text for a terminal, and as the JSON of the contract ``diagnostics.reply``."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any, Final

from jupyter_oidc.language import on_the_wire

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jupyter_oidc.diagnostics.check import Check
    from jupyter_oidc.diagnostics.examination import Report

_MARKS: Final = {
    "ok": "\N{CHECK MARK} seen",
    "warning": "\N{CHECK MARK} seen, with advice",
    "problem": "\N{MULTIPLICATION X} wrong",
    "unknown": "? cannot be known from here",
}
"""The mark and its words for each status (ADR 0037)."""

_PLAIN: Final = {
    "ok": "[+] seen",
    "warning": "[+] seen, with advice",
    "problem": "[x] wrong",
    "unknown": "[?] cannot be known from here",
}
_WHO: Final = {
    "user": "You",
    "administrator": "Administrator of this Jupyter server",
    "provider": "Administrator of the provider",
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
    """Return lines of text: a heading for each provider, a line for each check, and below it who takes which action."""
    marks = _PLAIN if ascii_only else _MARKS
    return "\n".join([*_lines(report, marks), "", _summary(report)]).lstrip("\n")


def _lines(report: Report, marks: dict[str, str]) -> Iterator[str]:
    for provider, checks in groupby(report.checks, lambda check: check.provider):
        yield ""
        yield f"Provider '{provider}'" if provider else "This server"
        for check in checks:
            mark, _, word = marks[check.status].partition(" ")
            yield f"  {mark} {_sentence(check, word)}"
            if check.action:
                indent = " " * (len(mark) + 3)
                yield f"{indent}{_WHO[check.who or 'administrator']}: {check.action}"


def _sentence(check: Check, word: str) -> str:
    """Return name and message; any status but ``ok`` is also written in words, for users who cannot see the mark."""
    return f"{check.name}: {check.message}" if check.status == "ok" else f"{check.name} ({word}): {check.message}"


def _summary(report: Report) -> str:
    counts = {status: sum(check.status == status for check in report.checks) for status in _MARKS}
    said = [
        f"{counts[status]} {what}"
        for status, what in (("problem", "wrong"), ("unknown", "not known from here"), ("warning", "seen, with advice"))
        if counts[status]
    ]
    if not said:
        return f"All {counts['ok']} that were looked at are as they should be."
    return f"{', '.join(said)}, {counts['ok']} seen as they should be."
