"""The result of one check: its subject, its status, what to do, and who can do it.

``problem`` does not work, ``warning`` works but should be reviewed, ``unknown`` could not be checked.
Texts are ours and quote no peer; they have to make sense when read aloud.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from jupyter_oidc.language import N_, Sentence, joined, needs

if TYPE_CHECKING:
    from jupyter_oidc.problems import Problem

Status = Literal["ok", "warning", "problem", "unknown"]
Who = Literal["user", "administrator", "provider"]

_REFERENCE: Final = re.compile(r"'(env|file|keyring):.*'", re.DOTALL)

_WITHOUT_NAME: Final = {
    "The {what} '{scheme}:{name}' is no text in UTF-8.": N_("The {what} ({scheme}) is no text in UTF-8."),
    "The {what} '{scheme}:{name}' is empty or does not exist.": N_("The {what} ({scheme}) is empty or does not exist."),
}
"""Each sentence that names a reference to a secret, and the one that names its kind alone."""


@dataclass(frozen=True, slots=True)
class Check:
    """One line of a report; ``provider`` is ``None`` if it concerns the whole server.

    A check that is not ``ok`` has an ``action``, and ``who`` can take it.
    Its texts are sentences, which are told in the language of whoever reads the report.
    """

    name: str
    provider: str | None
    status: Status
    message: str
    action: str | None = None
    who: Who | None = None


@dataclass(frozen=True, slots=True)
class Subject:
    """The subject of a check; makes its results, of sentences or their templates."""

    name: str
    provider: str | None = None

    def ok(self, message: str) -> Check:
        """Return the result ``ok``."""
        return Check(joined(self.name), self.provider, "ok", joined(message))

    def warning(self, message: str, action: str, who: Who = "administrator") -> Check:
        """Return a ``warning``: it works but should be reviewed."""
        return self._check("warning", message, action, who)

    def problem(self, message: str, action: str, who: Who = "administrator") -> Check:
        """Return a ``problem``: it does not work."""
        return self._check("problem", message, action, who)

    def unknown(self, message: str, action: str, who: Who = "administrator") -> Check:
        """Return ``unknown``: it could not be checked."""
        return self._check("unknown", message, action, who)

    def failed(self, problem: Problem, action: str | None = None, who: Who = "administrator") -> Check:
        """Return a ``problem`` for the ``Problem`` of an attempt.

        Of a reference to a secret only the kind is named: a path can hold a person's name, and a misplaced secret can
        stand in its place; users paste reports in public.
        """
        done = _with_shown_facts(joined(action or problem.action))
        return self.problem(_without_references(problem.message), done, who)

    def _check(self, status: Status, message: str, action: str, who: Who) -> Check:
        return Check(joined(self.name), self.provider, status, joined(message), joined(action), who)


def _without_references(message: Sentence) -> Sentence:
    """Return ``message`` without the names of references, as text and among the facts.

    A sentence that is not known here becomes a text without facts, which is told in English only.
    """
    plain, told = _REFERENCE.sub(r"(\1)", message), _with_shown_facts(message)
    return told if told == plain else Sentence(plain)


def _with_shown_facts(text: Sentence) -> Sentence:
    """Return ``text`` with the facts that its templates show, and no others."""
    if text.parts:
        return joined(*(_with_shown_facts(part) for part in text.parts), between=text.between)
    template = _WITHOUT_NAME.get(text.template, text.template)
    shown = {*needs(template), "api", "provider", "number"}
    return Sentence(template, {name: fact for name, fact in text.facts.items() if name in shown}, text.one)
