"""The documentation names exactly the commands that exist, and each command explains itself."""

from __future__ import annotations

import re

import pytest
from traitlets.utils.importstring import import_item

from jupyter_oidc.cli.app import Main
from jupyter_oidc.cli.config import Config
from tests.laws.source import ROOT

PAGES = [*sorted((ROOT / "docs").rglob("*.md")), ROOT / "README.md", ROOT / "CHANGELOG.md"]
NAMED = re.compile(r"jupyter oidc ([a-z][a-z-]*)(?: ([a-z][a-z-]*))?")
COMMANDS = dict(Main.class_traits()["subcommands"].default() or {})
CONFIG = dict(Config.class_traits()["subcommands"].default() or {})


def test_every_command_in_the_documentation_exists() -> None:
    found = [match for page in PAGES for match in NAMED.findall(page.read_text(encoding="utf-8"))]
    assert len(found) > 20
    assert {first for first, _ in found} <= set(COMMANDS)
    assert {second for first, second in found if first == "config" and second} <= set(CONFIG)


@pytest.mark.parametrize("path", [where for where, _ in (*COMMANDS.values(), *CONFIG.values())])
def test_every_command_says_what_it_does_and_shows_how(path: str) -> None:
    command = import_item(path)
    assert len(command.description) > 40
    assert "jupyter oidc" in command.examples


def test_no_command_shows_the_configuration_as_it_is_written() -> None:
    """JupyterApp has flags that would show it, and a user may have written a secret into it by mistake."""
    assert "show-config" not in str(Main.class_traits()["flags"].default())
