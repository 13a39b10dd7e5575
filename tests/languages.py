"""Compares the catalogues of sentences with the sources, or writes them: ``python -m tests.languages --write``.

It says how many sentences each language lacks. Without ``--write`` it says what is stale, and exits with 1 if anything is.
"""

from __future__ import annotations

import argparse
import sys

from jupyter_oidc.language import CATALOGUES
from tests.support.catalogues import made_files, missing, templates


def main() -> int:
    """Write or compare; the code to exit with."""
    parser = argparse.ArgumentParser(prog="python -m tests.languages", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--write", action="store_true", help="write what is stale")
    write = parser.parse_args().write
    made = made_files()
    stale = [path for path, content in made.items() if not path.is_file() or path.read_bytes() != content]
    for path in stale:
        if write:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(made[path])
        print(f"{'written' if write else 'stale, run with --write'}: {path}")
    for language in CATALOGUES.values():
        print(f"{language}: {len(missing(language))} of {len(templates())} sentences are missing")
    return int(bool(stale) and not write)


if __name__ == "__main__":
    sys.exit(main())
