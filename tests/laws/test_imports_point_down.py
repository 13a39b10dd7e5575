"""Laws 3 and 4: imports point down, a new module needs a place, and the inside is pure.

The contracts stand in ``.importlinter``; the layers are exhaustive, so an unplaced module breaks them.
Proved able to fail: the seeded trees below hold one violation each (an import upwards, a module without a
place, tornado in the session, asyncio in the protocol), and the linter reports every one.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.laws.source import PACKAGE, ROOT

LINT = Path(sys.executable).parent / "lint-imports"


def lint(tree: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([LINT, "--no-cache"], cwd=tree, capture_output=True, text=True, check=False)


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    ignored = shutil.ignore_patterns("__pycache__", "labextension", "node_modules")
    shutil.copytree(PACKAGE, tmp_path / "jupyter_oidc", ignore=ignored)
    shutil.copy(ROOT / ".importlinter", tmp_path)
    return tmp_path


def test_the_tree_keeps_every_import_contract() -> None:
    result = lint(ROOT)
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize(
    ("file", "line", "contract"),
    [
        ("protocol/pkce.py", "import jupyter_oidc.sessions.grant", "Imports point down"),
        ("novelty.py", "X = 1", "Imports point down"),
        ("sessions/grant.py", "import tornado", "The inside is pure"),
        ("proxy/headers.py", "import logging", "The inside is pure"),
        ("protocol/pkce.py", "import asyncio", "The protocol has no event loop"),
        ("sessions/refresh_policy.py", "import time", "Time and chance are arguments"),
        ("server/routes.py", "import random", "Time and chance are arguments"),
        ("web/pages.py", "import random", "Time and chance are arguments"),
        ("web/pages.py", "import tornado", "The web knows no framework"),
        ("web/routes/session.py", "import aiohttp", "The web knows no framework"),
        ("web/routes/session.py", "import jupyter_oidc.sessions.service", "The web knows no framework"),
        ("web/routes/sign_in.py", "import asyncio", "A route is a function of values"),
        ("web/routes/sign_in.py", "import jupyter_oidc.proxy.service", "A route is a function of values"),
        ("server/handlers/command.py", "import jupyter_oidc.sessions.service", "A front holds no session"),
        ("broker/accounts.py", "import jupyter_oidc.sessions.service", "A front holds no session"),
        ("web/cookies.py", "import jupyter_oidc.sessions.pending", "The web knows no framework"),
        ("web/sign_out_page.py", "import jupyter_oidc.secret_access", "The web knows no framework"),
        ("kernel/find.py", "import jupyter_oidc.problems", "The kernel helper knows the rest"),
        ("proxy/headers.py", "import jupyter_oidc.errors", "The server raises its own problems"),
        ("proxy/challenge.py", "import jupyter_oidc.sessions.registry", "The proxy knows no session"),
        ("server/handlers/proxy.py", "import jupyter_oidc.sessions.token_api", "Nobody but the proxy asks for tokens"),
        ("web/views.py", "import jupyter_oidc.sessions.local_tokens", "Nobody but the proxy asks for tokens"),
        ("demo/environment.py", "import jupyter_oidc.settings", "The demo knows the rest"),
    ],
)
def test_a_seeded_violation_is_caught(copied: Path, file: str, line: str, contract: str) -> None:
    target = copied / "jupyter_oidc" / file
    before = target.read_text(encoding="utf-8") if target.exists() else ""
    target.write_text(f"{before}\n{line}\n", encoding="utf-8")
    result = lint(copied)
    assert result.returncode != 0
    assert any(contract in row and "BROKEN" in row for row in result.stdout.splitlines()), result.stdout
