"""Compares the rule book with the docstrings that quote it: ``python -m tests.rules``.

Prints how many ids are defined, quoted and shown, and which are missing somewhere; exits with 1 if one is. ``--write``
fills in every "Shown by" of docs/reference/rules from the tests that quote the id.
"""

from __future__ import annotations

import argparse
import sys

from tests.support import rule_book
from tests.support.rule_book import key


def main() -> int:
    """Write or print; the code to exit with."""
    parser = argparse.ArgumentParser(prog="python -m tests.rules", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--write", action="store_true", help='fill in every "Shown by"')
    write = parser.parse_args().write
    shown = rule_book.quotes(rule_book.tests())
    if write:
        for name, text in rule_book.pages().items():
            (rule_book.BOOK / name).write_text(rule_book.rewritten(text, shown), encoding="utf-8")
    entries = rule_book.book()
    defined = {entry.id for entry in entries}
    built = {entry.id for entry in entries if entry.built}
    quoted = rule_book.quotes([*rule_book.code(), *rule_book.support()]).keys() | shown.keys()
    print(f"defined {len(defined)} (built {len(built)}), quoted {len(quoted)}, shown {len(defined & shown.keys())}")
    missing = {
        "quoted, not defined": quoted - defined,
        "built, not quoted": built - quoted,
        "built, not shown": (built & quoted) - shown.keys(),
    }
    for what, ids in missing.items():
        if ids:
            print(f"{what} ({len(ids)}): {' '.join(sorted(ids, key=key))}")
    stale = [entry.id for entry in entries if entry.shown_by != rule_book.shown_by(shown.get(entry.id, []))]
    if stale:
        print(f'"Shown by" is stale, run with --write ({len(stale)}): {" ".join(sorted(stale, key=key))}')
    return int(any(missing.values()) or bool(stale))


if __name__ == "__main__":
    sys.exit(main())
