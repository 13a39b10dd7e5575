"""Sentences for people in the language of whoever reads them (ADR 59).

A sentence is written once, in English, where it is decided: its template is its id in the catalogues
(``locale/*/LC_MESSAGES/jupyter_oidc.po``), and the facts have names.
Code that can run in a server returns a :class:`Sentence`, which is English text everywhere (logs included), and is told
in another language where it leaves for a person: in a reply by the caller's ``Accept-Language``, in a notebook and a
terminal by ``LANG``.
Code that runs only in a kernel or a command says :func:`_`, and gets the text of that language at once.

In a template ``{api}`` is a fact; a list between quotation marks (``'{names}'``) quotes each entry; ``{seconds}`` is a
time in words; ``{api_name}`` and ``{provider_name}`` are a space and the quoted name, or nothing if it is not known.
Anything else in braces stays as it is, so that a text that quotes a peer cannot break this.
"""

from __future__ import annotations

import gettext
import os
import re
from collections.abc import Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache, lru_cache, reduce
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from typing_extensions import Self

DOMAIN: Final = "jupyter_oidc"
"""The domain of gettext, which JupyterLab asks for too."""

LOCALE: Final = Path(__file__).parent / "locale"
"""The folder of the catalogues."""

CATALOGUES: Final = {"de": "de_DE", "es": "es_ES", "fr": "fr_FR", "ja": "ja_JP", "zh": "zh_CN"}
"""Each language that is shipped, and its folder, which has JupyterLab's name for it."""

ENGLISH: Final = ""
"""The language of the templates."""

MAX_TOLD: Final = 5
"""Entries of one list in a sentence."""

MAX_WISHES: Final = 20
"""Languages of one ``Accept-Language`` that are looked at."""

_TRADITIONAL: Final = frozenset({"hant", "tw", "hk", "mo"})
"""Parts of a tag for traditional Chinese, which readers of simplified Chinese cannot stand in for."""

_PLACEHOLDER: Final = re.compile(r"('?)\{([A-Za-z_]{1,30})\}('?)")
_NAMES: Final = {"api_name": "api", "provider_name": "provider"}

_chosen: ContextVar[str | None] = ContextVar("chosen_language", default=None)
_given: ContextVar[gettext.NullTranslations | None] = ContextVar("given_catalogue", default=None)


class Sentence(str):
    """An English text that can be told in other languages: ``template`` is its id, and ``facts`` are what fills it.

    A fact may be a sentence. A text of several sentences (:func:`joined`) has ``parts`` and no template of its own.
    """

    __slots__ = ("between", "facts", "one", "parts", "template")

    template: str
    facts: dict[str, Any]
    one: str | None
    """The template for a number of one, if the text counts ``{number}``."""
    parts: tuple[Sentence, ...]
    between: str

    def __new__(
        cls,
        template: str,
        facts: Mapping[str, Any] | None = None,
        one: str | None = None,
        parts: tuple[Sentence, ...] = (),
        between: str = " ",
    ) -> Self:
        """Fill ``template`` with ``facts``, or join ``parts``."""
        known = dict(facts or {})
        text = between.join(parts) if parts else _told(template, known, one, ENGLISH)
        made = super().__new__(cls, text)
        made.template, made.facts, made.one, made.parts, made.between = template, known, one, parts, between
        return made

    def __getnewargs__(self) -> tuple[Any, ...]:
        """Return the arguments by which a copy is made."""
        return self.template, self.facts, self.one, self.parts, self.between

    def knowing(self, facts: Mapping[str, Any]) -> Sentence:
        """Return this text with more ``facts``; its own come first."""
        parts = tuple(part.knowing(facts) for part in self.parts)
        return Sentence(self.template, {**facts, **self.facts}, self.one, parts, self.between)

    @property
    def leaves(self) -> tuple[Sentence, ...]:
        """The sentences of this text that have a template."""
        return tuple(leaf for part in self.parts for leaf in part.leaves) if self.parts else (self,)


def sentence(template: str, /, **facts: object) -> Sentence:
    """Return the sentence of ``template`` with ``facts``, to be told in a language where it leaves for a person."""
    return Sentence(template, facts)


def counted(number: int, one: str, many: str) -> Sentence:
    """Return the text for a number of things: ``one`` or ``many``, each with ``{number}``."""
    return Sentence(many, {"number": number}, one)


def joined(*texts: str | None, between: str = " ") -> Sentence:
    """Return several sentences as one text; ``None`` and an empty text are left out."""
    told = tuple(text if isinstance(text, Sentence) else Sentence(text) for text in texts if text)
    return told[0] if len(told) == 1 else Sentence("", parts=told, between=between)


def any_of(words: Sequence[str]) -> str:
    """Return ``words`` as alternatives: ``a or b or c``."""
    return reduce(lambda first, second: sentence("{first} or {second}", first=first, second=second), words)


def all_of(words: Sequence[str]) -> str:
    """Return ``words`` as things that are meant together: ``a and b and c``."""
    return reduce(lambda first, second: sentence("{first} and {second}", first=first, second=second), words)


def on_the_wire(text: str) -> list[dict[str, Any]]:
    """Return the ids and facts of the sentences of ``text`` (contract ``sentence``), for a reader in another process."""
    leaves = text.leaves if isinstance(text, Sentence) else (Sentence(text),)
    return [
        {
            "id": leaf.template,
            "params": {name: _plain(leaf.facts[name]) for name in _shown(leaf)},
            **({"one": leaf.one} if leaf.one else {}),
        }
        for leaf in leaves
    ]


def heard(text: str, sentences: Iterable[Mapping[str, Any]]) -> str:
    """Return ``text`` of another process as a :class:`Sentence`, if ``sentences`` make it; else as it is."""
    made = joined(*(Sentence(part["id"], part["params"], _one(part)) for part in sentences))
    return made if made == text else text


def in_language(value: Any) -> Any:
    """Return ``value``, of which JSON is made, with its sentences told in the language of here."""
    if language_here() == ENGLISH:
        return value
    if isinstance(value, Sentence):
        return told(value)
    if isinstance(value, Mapping):
        return {key: in_language(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [in_language(entry) for entry in value]
    return value


def N_(template: str) -> str:  # noqa: N802 - gettext's name for it
    """Mark a template that is filled elsewhere, so that it is found for the catalogues; returns it."""
    return template


def _(template: str, /, **facts: object) -> str:
    """Return the sentence in the language of this process: for code that runs in a kernel or a command only."""
    return told(Sentence(template, facts))


def told(text: str, language: str | None = None) -> str:
    """Return ``text`` in ``language`` (a folder of the catalogues), by default in that of this process.

    A text that is no :class:`Sentence` is looked up as it is.
    """
    language = language_here() if language is None else language
    if language == ENGLISH:
        return str(text)
    if isinstance(text, Sentence):
        if text.parts:
            return text.between.join(told(part, language) for part in text.parts)
        return _told(text.template, text.facts, text.one, language)
    return _catalogue(language).gettext(text) if text else text


def needs(template: str) -> set[str]:
    """Return the names of the facts without which ``template`` cannot be used."""
    return {found[2] for found in _PLACEHOLDER.finditer(template) if found[2] not in _NAMES}


@contextmanager
def speaking(language: str, catalogue: gettext.NullTranslations | None = None) -> Iterator[None]:
    """Tell everything in ``language`` within the block, in this task or thread, by ``catalogue`` or the one shipped."""
    before, given = _chosen.set(language), _given.set(catalogue)
    try:
        yield
    finally:
        _chosen.reset(before)
        _given.reset(given)


def language_here() -> str:
    """Return the language of this process: that of :func:`speaking`, or of its environment."""
    chosen = _chosen.get()
    return _language_of_process() if chosen is None else chosen


def of_environment(environ: Mapping[str, str]) -> str:
    """Return the language that ``environ`` asks for, by the variables of gettext, in its order."""
    for name in ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"):
        if environ.get(name):
            return _first_known(environ[name].split(":"))
    return ENGLISH


@lru_cache(maxsize=64)
def of_header(accepted: str) -> str:
    """Return the language for a caller whose ``Accept-Language`` says ``accepted`` (RFC 9110, 12.5.4)."""
    wishes = []
    for wish in accepted.split(",", MAX_WISHES)[:MAX_WISHES]:
        tag, _, parameter = wish.partition(";")
        wishes.append((_weight(parameter), tag))
    ordered = sorted((wish for wish in wishes if wish[0] > 0), key=lambda wish: -wish[0])
    return _first_known(tag for _, tag in ordered)


def tag_of(language: str) -> str:
    """Return the tag of ``language`` for ``Content-Language`` and ``lang`` (RFC 5646)."""
    return language.replace("_", "-") or "en"


def _first_known(tags: Iterable[str]) -> str:
    for tag in tags:
        first, *rest = re.split(r"[-_.@]", tag.strip().lower())
        if first in ("en", "c", "posix"):
            return ENGLISH
        if first in CATALOGUES and not (first == "zh" and _TRADITIONAL.intersection(rest)):
            return CATALOGUES[first]
    return ENGLISH


def _weight(parameter: str) -> float:
    name, _, value = parameter.strip().partition("=")
    if name.strip().lower() != "q":
        return 1.0
    return float(value) if re.fullmatch(r"\s*[01](\.\d{0,3})?\s*", value) else 0.0


@lru_cache(maxsize=1)
def _language_of_process() -> str:
    return of_environment(os.environ)


def _catalogue(language: str) -> gettext.NullTranslations:
    given = _given.get()
    return _shipped(language) if given is None else given


@cache
def _shipped(language: str) -> gettext.NullTranslations:
    return gettext.translation(DOMAIN, LOCALE, [language], fallback=True)


def _told(template: str, facts: Mapping[str, Any], one: str | None, language: str) -> str:
    if one is not None:
        number = facts["number"]
        several = one if number == 1 else template
        template = several if language == ENGLISH else _catalogue(language).ngettext(one, template, number)
    elif language != ENGLISH and template:
        template = _catalogue(language).gettext(template)
    return _filled(template, facts, language)


def _filled(template: str, facts: Mapping[str, Any], language: str) -> str:
    return _PLACEHOLDER.sub(_filler(facts, language), template) if "{" in template else template


def _filler(facts: Mapping[str, Any], language: str) -> Callable[[re.Match[str]], str]:
    def fill(found: re.Match[str]) -> str:
        before, name, after = found.groups()
        if name in _NAMES:
            fact = facts.get(_NAMES[name])
            return f"{before} '{fact}'{after}" if isinstance(fact, str) else before + after
        if name not in facts:
            return found[0]
        fact = facts[name]
        if isinstance(fact, (tuple, list)):
            quote = "'" if before and after else ""
            return _listed([f"{quote}{_text(entry, language)}{quote}" for entry in fact], language)
        if name == "seconds" and isinstance(fact, int):
            fact = counted(fact, "{number} second", "{number} seconds")
        return before + _text(fact, language) + after

    return fill


def _shown(leaf: Sentence) -> list[str]:
    """Return the names of the facts that ``leaf`` shows; one that it does not show stays here."""
    templates = leaf.template + (leaf.one or "")
    names = dict.fromkeys(_NAMES.get(found[2], found[2]) for found in _PLACEHOLDER.finditer(templates))
    return [name for name in names if name in leaf.facts]


def _one(part: Mapping[str, Any]) -> str | None:
    """Return the template for a number of one, if ``part`` counts."""
    return part.get("one") if isinstance(part["params"].get("number"), int) else None


def _plain(fact: object) -> str | int | list[str]:
    if isinstance(fact, (list, tuple)):
        return [str(entry) for entry in fact]
    return fact if isinstance(fact, int) else str(fact)


def _text(fact: object, language: str) -> str:
    return told(fact, language) if isinstance(fact, Sentence) else str(fact)


def _listed(entries: list[str], language: str) -> str:
    """Return ``entries`` as a sentence lists them: ``GET, HEAD and POST``."""
    if len(entries) > MAX_TOLD:
        more = counted(len(entries) - MAX_TOLD, "{number} more", "{number} more")
        entries = [*entries[:MAX_TOLD], told(more, language)]
    if len(entries) < 2:
        return entries[0] if entries else ""
    comma = told(N_(", "), language)
    return told(sentence("{entries} and {last}", entries=comma.join(entries[:-1]), last=entries[-1]), language)
