"""Reads the rule book, docs/reference/rules, and the docstrings that quote its ids; the one reader of both.

An entry is an anchor, a bold id with a title, sentences, a source, and the tests that show it:

    <a id="t-2"></a>
    **T-2. The exchange repeats the request's redirect URI.**
    It is the one that was kept with the sign-in.
    *Source:* OpenID Connect Core 1.0, 3.1.3.2.
    *Shown by:* [test_token](../../../tests/unit/protocol/test_token.py).

Reads text only: it neither imports the tests nor runs them. That a test quotes an id does not prove that it shows the
rule; that no test does proves that nothing shows it.
"""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
BOOK = ROOT / "docs" / "reference" / "rules"
LAW = ROOT / "tests" / "laws" / "test_rule_book.py"
"""Quotes ids that cannot exist, to prove that it can fail; nothing in it counts."""

NAMED = 4
"""Tests that an entry names; of the others it gives the number."""
NOT_BUILT = "Not built:"

_ID = r"(?:[A-Z]-\d{1,2}|[A-D]\d{1,2}|Q\d{1,2}\.\d{1,2})"
_QUOTE = re.compile(rf"(?<![\w.%-])({_ID})(?:(?: to |\u2013)({_ID}))?(?![\w-])")
"""An id, or a range of them; ``%C3`` is an octet and no id."""
_PREFIX = re.compile(r"(.*?)(\d+)")

_HEAD = re.compile(rf"\*\*({_ID})\. ")
_ENTRY = re.compile(
    rf'^<a id="([^"\n]*)"></a>\n\*\*({_ID})\. ([^\n]+?)\.\*\*(?= |\n)(.*?)(?=^<a id=|^#|\Z)', re.MULTILINE | re.DOTALL
)
_SOURCE = re.compile(r"\*Source:\* (.+?)\.?\s*(?=\*Shown by:\*|\Z)", re.DOTALL)
_SHOWN = re.compile(r"\*Shown by:\*[^\n]*")


@dataclass(frozen=True, slots=True)
class Entry:
    """One rule of the book, as it is written."""

    id: str
    anchor: str
    title: str
    text: str
    source: str
    shown_by: str
    page: str

    @property
    def built(self) -> bool:
        return NOT_BUILT not in self.text


def key(rule: str) -> tuple[str, int]:
    """The order of a person: ``A-2`` before ``A-10``, ``Q2.1`` before ``Q10.1``."""
    section, number = _parts(rule)
    table = re.fullmatch(r"Q(\d+)\.", section)
    return (f"Q{int(table[1]):02}" if table else section, number)


def entries(page: str, text: str) -> Iterator[Entry]:
    """The entries of a page."""
    for found in _ENTRY.finditer(text):
        anchor, rule, title, body = found.groups()
        source, shown = _SOURCE.search(body), _SHOWN.search(body)
        said = re.split(r"\*Source:\*|\*Shown by:\*", body)[0].strip()
        yield Entry(rule, anchor, title, said, source[1] if source else "", shown[0] if shown else "", page)


def misread(text: str) -> list[str]:
    """Ids whose entry begins like one and cannot be read, as its anchor or the end of its title is missing."""
    read = {entry.id for entry in entries("", text)}
    return [rule for rule in _HEAD.findall(text) if rule not in read]


def pages(book: Path = BOOK) -> dict[str, str]:
    """The pages of the book by name, without its index."""
    return {
        path.name: path.read_text(encoding="utf-8") for path in sorted(book.glob("*.md")) if path.name != "README.md"
    }


def book() -> list[Entry]:
    """Every entry of every page."""
    return [entry for page, text in pages().items() for entry in entries(page, text)]


def quoted(text: str) -> set[str]:
    """The ids that a text quotes, those in the middle of a range (``R-5 to R-8``) too."""
    found: set[str] = set()
    for first, last in _QUOTE.findall(text):
        found.update({first, last} - {""})
        (section, begin), (other, end) = _parts(first), _parts(last or first)
        if section == other:
            found.update(f"{section}{number}" for number in range(begin, end + 1))
    return found


def code() -> list[Path]:
    """Every file of the product that may quote an id."""
    return [
        *sorted((ROOT / "jupyter_oidc").rglob("*.py")),
        *sorted((ROOT / "labextension-stub" / "src").rglob("*.ts*")),
    ]


def tests() -> list[Path]:
    """Every file with tests in it: a helper of the tests shows nothing."""
    python = (path for path in (ROOT / "tests").rglob("test_*.py") if path != LAW)
    front = (ROOT / "labextension-stub" / "tests").rglob("*.spec.ts*")
    return sorted((*python, *front))


def support() -> list[Path]:
    """Parts of the tests; they may quote an id, and show nothing."""
    return sorted(path for path in (ROOT / "tests").rglob("*.py") if not path.name.startswith("test_"))


def documents() -> list[Path]:
    """The pages for people, which may quote an id too; those of the book are among them."""
    return sorted((*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")))


def quotes(paths: Iterable[Path]) -> dict[str, list[Path]]:
    """The files that quote each id, in the order given."""
    found: dict[str, list[Path]] = {}
    for path in paths:
        for rule in quoted(path.read_text(encoding="utf-8")):
            found.setdefault(rule, []).append(path)
    return found


def shown_by(shown: list[Path]) -> str:
    """The words that the tool writes for the tests that quote an id."""
    if not shown:
        return "*Shown by:* -"
    links = ", ".join(f"[{_stem(path)}]({os.path.relpath(path, BOOK).replace(os.sep, '/')})" for path in shown[:NAMED])
    more = len(shown) - NAMED
    return f"*Shown by:* {links}{f' and {more} more' if more > 0 else ''}."


def rewritten(text: str, shown: dict[str, list[Path]]) -> str:
    """A page with every "Shown by" as the tool writes it; an entry without the words is given them."""

    def entry(found: re.Match[str]) -> str:
        words = shown_by(shown.get(found[2], []))
        if _SHOWN.search(found[0]):
            return _SHOWN.sub(lambda _: words, found[0])
        said = found[0].rstrip("\n")
        return f"{said}\n{words}\n{found[0][len(said) + 1 :]}"

    return _ENTRY.sub(entry, text)


def docstrings_of_ids_alone(source: str) -> list[str]:
    """The docstrings that say nothing but ids."""
    found = []
    for node in ast.walk(ast.parse(source)) if _QUOTE.search(source) else ():
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            words = ast.get_docstring(node) or ""
            rest = re.sub(
                rf"(?<![\w.%-]){_ID}(?![\w-])|\b(?:RFC \d+|laws? \d+|and|to|too|a|siblings?)\b|[\s.,:;()]", "", words
            )
            if words and not rest:
                found.append(words)
    return found


def _parts(rule: str) -> tuple[str, int]:
    found = _PREFIX.fullmatch(rule) if "." not in rule else re.fullmatch(r"(.*\.)(\d+)", rule)
    assert found, rule
    return found[1], int(found[2])


def _stem(path: Path) -> str:
    return path.name.split(".")[0]
