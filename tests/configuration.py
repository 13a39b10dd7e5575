"""Compares the configuration page with the table of settings, or writes it: ``python -m tests.configuration --write``.

Without ``--write`` it says what is stale, and exits with 1 if anything is.
"""

from __future__ import annotations

import argparse
import json
import sys

from jupyter_oidc.settings.json_schema import SCHEMA_FILE, settings_schema
from tests.support.configuration_page import PAGE, page


def main() -> int:
    """Write or compare; the code to exit with."""
    parser = argparse.ArgumentParser(prog="python -m tests.configuration", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--write", action="store_true", help="write what is stale")
    write = parser.parse_args().write
    made = {
        PAGE: page(PAGE.read_text(encoding="utf-8")),
        SCHEMA_FILE: json.dumps(settings_schema(), indent=2) + "\n",
    }
    stale = [path for path, text in made.items() if not path.is_file() or path.read_text(encoding="utf-8") != text]
    for path in stale:
        if write:
            path.write_text(made[path], encoding="utf-8")
        print(f"{'written' if write else 'stale, run with --write'}: {path}")
    return int(bool(stale) and not write)


if __name__ == "__main__":
    sys.exit(main())
