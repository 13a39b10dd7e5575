"""Law 10, for the rule book: an id is defined once, quoted, shown, and never all that a docstring says.

The book is docs/reference/rules; ``python -m tests.rules --write`` fills in the tests that show an entry.
Proof that the law can fail: books and sources are seeded that break each of its sentences.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import rule_book
from tests.support.rule_book import BOOK, ROOT, Entry, key

LONGEST_TITLE = 9
"""Words."""
NOT_IN_TITLES = ("somebody", "whoever", "nobody")

LENGTHS = (
    {"A": 33, "B": 35, "C": 35, "D": 16}
    | {"Q1.": 12, "Q2.": 4, "Q3.": 9, "Q4.": 6, "Q5.": 14, "Q6.": 3, "Q7.": 7, "Q8.": 18, "Q9.": 14, "Q10.": 7}
    | {"G-": 6, "D-": 11, "K-": 10, "A-": 11, "R-": 10, "T-": 12, "N-": 6, "V-": 16, "U-": 10, "S-": 6, "F-": 9}
    | {"L-": 8, "B-": 17, "C-": 4, "I-": 5, "P-": 4, "X-": 9, "H-": 5, "E-": 6}
)
"""The sections and the number of their rules: an id is never given away twice, and none is dropped."""

FAULTS = tuple(section for section in LENGTHS if not section.endswith("-"))
"""The tables of faults, every row of which a test shows, built or not."""

ENTRIES = rule_book.book()
SHOWN = rule_book.quotes(rule_book.tests())
QUOTED = {*rule_book.quotes([*rule_book.code(), *rule_book.support()]), *SHOWN}


def of(section: str, length: int) -> set[str]:
    """The ids of a section."""
    return {f"{section}{number}" for number in range(1, length + 1)}


def faults_of(entry: Entry) -> Iterator[str]:
    """Yield the faults of an entry as it is written."""
    if entry.anchor != entry.id.lower().replace(".", "-"):
        yield f"{entry.id}: its anchor is {entry.anchor!r}"
    if len(entry.title.split()) > LONGEST_TITLE:
        yield f"{entry.id}: its title is longer than {LONGEST_TITLE} words"
    if ". " in entry.title:
        yield f"{entry.id}: its title has a full stop inside"
    yield from (f"{entry.id}: its title says {word!r}" for word in NOT_IN_TITLES if word in entry.title.lower())
    if not entry.text:
        yield f"{entry.id}: it has no text"
    if not entry.source:
        yield f"{entry.id}: it has no source"
    if not entry.built and not entry.text.split(rule_book.NOT_BUILT, 1)[1].strip(" ."):
        yield f"{entry.id}: it is not built and does not say why"


def undefined(quoted: set[str], entries: list[Entry]) -> list[str]:
    """The ids that are quoted and stand in no book."""
    return sorted(quoted - {entry.id for entry in entries}, key=key)


def defined_twice(entries: list[Entry]) -> list[str]:
    return sorted((rule for rule, times in Counter(entry.id for entry in entries).items() if times > 1), key=key)


def without(quoted: set[str], entries: list[Entry]) -> list[str]:
    """The ids that are built and not among those quoted."""
    return sorted({entry.id for entry in entries if entry.built} - quoted, key=key)


def lost(pages: dict[str, str]) -> list[str]:
    """The links between ``pages`` to a page or an anchor that is not there, and those to files that are not."""
    anchors = {name: set(re.findall(r'<a id="([^"]*)"></a>', text)) for name, text in pages.items()}
    found = []
    for page, text in pages.items():
        for link in re.findall(r"\]\(([^)\s]+)\)", text):
            name, _, anchor = link.partition("#")
            there = (BOOK / name).exists() if name not in pages else not anchor or anchor in anchors[name]
            if not there and "://" not in link:
                found.append(f"{page}: {link}")
    return found


def stale(entries: list[Entry], shown: dict[str, list[Path]]) -> list[str]:
    """The ids whose list of tests is not the one that the tool writes."""
    return sorted((e.id for e in entries if e.shown_by != rule_book.shown_by(shown.get(e.id, []))), key=key)


def test_every_id_that_is_quoted_is_defined() -> None:
    assert undefined(QUOTED, ENTRIES) == []


def test_every_id_that_a_document_quotes_is_defined() -> None:
    assert undefined(set(rule_book.quotes(rule_book.documents())), ENTRIES) == []


def test_every_section_is_complete_and_ends_where_it_ends() -> None:
    every = {rule for section, length in LENGTHS.items() for rule in of(section, length)}
    defined = {entry.id for entry in ENTRIES}
    assert (sorted(every - defined, key=key), sorted(defined - every, key=key)) == ([], [])


def test_no_id_is_defined_twice() -> None:
    assert defined_twice(ENTRIES) == []


def test_every_entry_can_be_read() -> None:
    assert {name: found for name, text in rule_book.pages().items() if (found := rule_book.misread(text))} == {}


def test_every_entry_has_its_anchor_title_text_and_source() -> None:
    assert [fault for entry in ENTRIES for fault in faults_of(entry)] == []


def test_every_rule_that_is_built_is_quoted() -> None:
    assert without(QUOTED, ENTRIES) == []


def test_every_rule_that_is_built_is_shown_by_a_test() -> None:
    assert without(set(SHOWN), ENTRIES) == []


@pytest.mark.parametrize("section", FAULTS)
def test_every_row_of_a_table_of_faults_is_shown_by_a_test(section: str) -> None:
    assert sorted(of(section, LENGTHS[section]) - SHOWN.keys(), key=key) == []


def test_the_book_names_the_tests_that_show_a_rule() -> None:
    assert stale(ENTRIES, SHOWN) == [], "run: python -m tests.rules --write"


def test_every_page_stands_in_the_index() -> None:
    index = (BOOK / "README.md").read_text(encoding="utf-8")
    assert [name for name in rule_book.pages() if f"({name})" not in index] == []


def test_every_link_of_the_book_leads_somewhere() -> None:
    index = {"README.md": (BOOK / "README.md").read_text(encoding="utf-8")}
    assert lost({**index, **rule_book.pages()}) == []


def test_no_docstring_consists_of_ids_alone() -> None:
    sources = (path for folder in ("jupyter_oidc", "tests") for path in (ROOT / folder).rglob("*.py"))
    found = {path.name: rule_book.docstrings_of_ids_alone(path.read_text(encoding="utf-8")) for path in sources}
    assert {name: docstrings for name, docstrings in found.items() if docstrings} == {}


SEEDED = """# Seeded

<a id="d17"></a>
**D17. It does what it says.**
It does so at once.
*Source:* our own policy.
*Shown by:* -
"""


def seeded(old: str = "", new: str = "") -> Entry:
    """The entry of a seeded page."""
    (entry,) = rule_book.entries("seeded.md", SEEDED.replace(old, new) if old else SEEDED)
    return entry


def test_an_entry_as_it_should_be_has_no_fault() -> None:
    assert list(faults_of(seeded())) == []
    assert seeded() == Entry(
        "D17", "d17", "It does what it says", "It does so at once.", "our own policy", "*Shown by:* -", "seeded.md"
    )


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ('"d17"', '"fault-d17"', "its anchor is 'fault-d17'"),
        ("what it says", "what it says and it says what it does", "its title is longer than 9 words"),
        ("It does what", "It does. What", "its title has a full stop inside"),
        ("It does what", "Somebody does what", "its title says 'somebody'"),
        ("It does so at once.\n", "", "it has no text"),
        ("*Source:* our own policy.\n", "", "it has no source"),
        ("It does so at once.", "Not built:", "it is not built and does not say why"),
    ],
)
def test_a_seeded_entry_with_a_fault_is_caught(old: str, new: str, fault: str) -> None:
    assert list(faults_of(seeded(old, new))) == [f"D17: {fault}"]


@pytest.mark.parametrize(("old", "new"), [('<a id="d17"></a>\n', ""), ("says.**", "says**"), ("</a>\n", "</a>\n\n")])
def test_a_seeded_entry_that_cannot_be_read_is_caught(old: str, new: str) -> None:
    assert rule_book.misread(SEEDED) == []
    assert rule_book.misread(SEEDED.replace(old, new)) == ["D17"]


def test_a_seeded_id_that_nothing_defines_is_caught() -> None:
    assert undefined({"D17", "Q10.8"}, [seeded()]) == ["Q10.8"]


def test_a_seeded_id_that_is_defined_twice_is_caught() -> None:
    assert defined_twice([seeded(), seeded()]) == ["D17"]


def test_a_seeded_rule_that_nothing_quotes_is_caught_unless_it_is_not_built() -> None:
    unbuilt = seeded("It does so at once.", "Not built: no provider asks for it.")
    assert without({"D16"}, [seeded()]) == ["D17"]
    assert without({"D17"}, [seeded()]) == []
    assert without({"D16"}, [unbuilt]) == []


def test_a_seeded_list_of_tests_that_is_not_the_tools_is_caught() -> None:
    shown = {"D17": [ROOT / "tests" / "unit" / "test_it.py"]}
    assert stale([seeded()], shown) == ["D17"]
    (entry,) = rule_book.entries("seeded.md", rule_book.rewritten(SEEDED, shown))
    assert entry.shown_by == "*Shown by:* [test_it](../../../tests/unit/test_it.py)."
    assert stale([entry], shown) == []
    assert stale([entry], {}) == ["D17"]


def test_a_seeded_link_that_leads_nowhere_is_caught() -> None:
    pages = {"a.md": SEEDED + "[it](b.md#d17), [that](a.md#d17), [no](a.md#d18), [none](c.md).", "b.md": SEEDED}
    assert lost(pages) == ["a.md: a.md#d18", "a.md: c.md"]


def test_an_entry_without_a_list_of_tests_is_given_one() -> None:
    assert rule_book.rewritten(SEEDED.replace("*Shown by:* -\n", ""), {}) == SEEDED


def test_of_more_than_four_tests_the_others_are_counted() -> None:
    paths = [ROOT / "tests" / f"test_{number}.py" for number in range(1, 7)]
    assert rule_book.shown_by(paths).endswith("[test_4](../../../tests/test_4.py) and 2 more.")


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("(R-9, C22)", {"R-9", "C22"}),
        ("R-5 to R-7 and Q10.8.", {"R-5", "R-6", "R-7", "Q10.8"}),
        ("K-1 to R-2", {"K-1", "R-2"}),
        ("%C3%A9, UTF-8, B2C, sha-A1, 1.D2, D-100", set()),
    ],
)
def test_ids_are_read_where_they_are_quoted_and_nowhere_else(text: str, ids: set[str]) -> None:
    assert rule_book.quoted(text) == ids


def test_a_seeded_docstring_of_ids_alone_is_caught() -> None:
    source = '"""R-9, C22 and Q3.4."""\ndef f():\n    """D17 (a title)."""\ndef g():\n    "B-5 to B-11."\n'
    assert rule_book.docstrings_of_ids_alone(source) == ["R-9, C22 and Q3.4.", "B-5 to B-11."]
