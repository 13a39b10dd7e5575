"""A real kernel and a real command follow the environment, and a program the header that it sends (ADR 59)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from jupyter_oidc.language import CATALOGUES, tag_of, told
from tests.support.command import Command
from tests.support.jupyter_process import JupyterProcess
from tests.support.notebook import run_cells

PROVIDERS = {
    "corp": {
        "issuer": "https://id.example.com",
        "client_id": "jupyter",
        "apis": {"orders": {"base_url": "https://orders.example.com/"}},
    }
}
CALL = """
import jupyter_oidc as oidc
try:
    oidc.api("orders").get("items")
except oidc.NotSignedIn as error:
    print(error.message)
print(oidc.session())
"""
NOT_SIGNED_IN = "Nobody is signed in at '{provider}', which the API '{api}' needs."


def filled(language: str) -> str:
    """What is said of a call before a sign-in."""
    return told(NOT_SIGNED_IN, language).replace("{provider}", "corp").replace("{api}", "orders")


@pytest.fixture(scope="module")
def french(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JupyterProcess]:
    """A server whose kernels inherit French."""
    folder = tmp_path_factory.mktemp("french") / "jupyter"
    with JupyterProcess(folder, PROVIDERS, environment={"LANGUAGE": "fr", "LANG": "C.UTF-8"}) as process:
        yield process


def test_a_cell_is_told_in_the_language_of_its_kernel(french: JupyterProcess) -> None:
    (cell,) = run_cells(french, CALL)
    assert cell.error is None
    message, session = cell.text.strip().splitlines()
    assert message == filled("fr_FR")
    assert session.startswith(told("Not signed in", "fr_FR"))


def test_the_log_of_that_server_stays_english(french: JupyterProcess) -> None:
    run_cells(french, CALL)
    assert "not_signed_in" in french.log
    assert filled("fr_FR") not in french.log


@pytest.mark.parametrize("language", sorted(CATALOGUES.values()))
def test_a_program_is_answered_in_the_language_that_it_asks_for(french: JupyterProcess, language: str) -> None:
    """RFC 9110, 12.5.4; the server's own language is no default for others."""
    with french.client() as jupyter:
        address = "jupyter-oidc/api/orders/items"
        asked = jupyter.get(address, headers={"Accept-Language": f"{tag_of(language)},en;q=0.5"})
        not_asked = jupyter.get(address)
    assert (asked.json()["message"], asked.headers["Content-Language"]) == (filled(language), tag_of(language))
    assert (not_asked.json()["message"], not_asked.headers["Content-Language"]) == (filled(""), "en")


@pytest.mark.parametrize("language", sorted(CATALOGUES.values()))
def test_a_command_speaks_the_language_of_its_terminal(french: JupyterProcess, tmp_path: Path, language: str) -> None:
    environment = {"JUPYTER_RUNTIME_DIR": str(french.folder / "runtime"), "LANGUAGE": language}
    said = Command(tmp_path / "command", environment=environment).run("status")
    assert (said.err, told("Not signed in", language) in said.out) == ("", True)
