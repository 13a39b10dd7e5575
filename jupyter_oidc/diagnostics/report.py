"""A report as text to read aloud, and as the JSON of the contract ``diagnostics.reply``."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jupyter_oidc.diagnostics.check import Check
    from jupyter_oidc.diagnostics.examination import Report

_MARKS: Final = {"ok": "\N{CHECK MARK}", "warning": "!", "problem": "\N{MULTIPLICATION X}", "unknown": "?"}
_PLAIN: Final = {"ok": "ok", "warning": "WARN", "problem": "FAIL", "unknown": "????"}
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
            }
            for check in report.checks
        ],
    }


def as_text(report: Report, *, ascii_only: bool = False) -> str:
    """Return lines to read: a heading for each provider, a line for each check, and below it who does what about it."""
    marks = _PLAIN if ascii_only else _MARKS
    return "\n".join([*_lines(report, marks), "", _summary(report)]).lstrip("\n")


def _lines(report: Report, marks: dict[str, str]) -> Iterator[str]:
    for provider, checks in groupby(report.checks, lambda check: check.provider):
        yield ""
        yield f"Provider '{provider}'" if provider else "This server"
        for check in checks:
            yield f"  {marks[check.status]:<{max(map(len, marks.values()))}} {_sentence(check)}"
            if check.action:
                indent = " " * (max(map(len, marks.values())) + 3)
                yield f"{indent}{_WHO[check.who or 'administrator']}: {check.action}"


def _sentence(check: Check) -> str:
    return f"{check.name}: {check.message}"


def _summary(report: Report) -> str:
    counts = {status: sum(check.status == status for check in report.checks) for status in _MARKS}
    said = [
        f"{counts[status]} {what}"
        for status, what in (("problem", "broken"), ("warning", "to think about"), ("unknown", "not known"))
        if counts[status]
    ]
    return f"{', '.join(said)}, {counts['ok']} fine." if said else f"Everything is fine ({counts['ok']} checks)."
