"""Converting notebooks runs the users' code in another process, and downloads stay as they always were."""

from __future__ import annotations

import io
import json
import logging
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from traitlets.config import Config

from jupyter_oidc.adapters.system.notebook_export import convert
from tests.support.jupyter_process import JupyterProcess

PROVIDERS = {"corp": {"issuer": "https://id.example.com", "client_id": "jupyter"}}
PICTURE = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
NOTEBOOK: dict[str, Any] = {
    "nbformat": 4,
    "nbformat_minor": 5,
    "metadata": {"language_info": {"name": "python", "file_extension": ".py"}},
    "cells": [
        {"id": "a", "cell_type": "markdown", "metadata": {}, "source": "# Ägypten"},
        {
            "id": "b",
            "cell_type": "code",
            "metadata": {},
            "execution_count": 1,
            "source": "6 * 7",
            "outputs": [{"output_type": "display_data", "metadata": {}, "data": {"image/png": PICTURE}}],
        },
    ],
}
WRITES_ITS_PROCESS = """
import os, pathlib
pathlib.Path({seen!r}).joinpath(f"{name}-{{os.getpid()}}").touch()
"""
TEMPLATE = (
    "{{%- set builtins = self.__init__.__globals__['__builtins__'] -%}}"
    "{{%- set os = builtins['__import__']('os') -%}}"
    "{{{{ builtins['open']({seen!r} + '/{name}-' + os.getpid() | string, 'w').close() }}}}"
)


def started(folder: Path) -> JupyterProcess:
    (folder / "packages").mkdir()
    return JupyterProcess(
        folder / "jupyter",
        PROVIDERS,
        environment={"PYTHONPATH": str(folder / "packages")},
        server={"terminals_enabled": False},
    )


@pytest.fixture(scope="module")
def jupyter(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JupyterProcess]:
    with started(tmp_path_factory.mktemp("honest")) as process:
        (process.work / "x.ipynb").write_text(json.dumps(NOTEBOOK), encoding="utf-8")
        yield process


@pytest.fixture(scope="module")
def attacked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JupyterProcess]:
    """A server with everything that an attacker can put there while it runs; files in 'seen' name the code that ran."""
    folder = tmp_path_factory.mktemp("attacked")
    with started(folder) as process:
        (process.work / "x.ipynb").write_text(json.dumps(NOTEBOOK), encoding="utf-8")
        attack(process, folder)
        yield process


@pytest.fixture
def seen(attacked: JupyterProcess) -> Path:
    seen = attacked.folder.parent / "seen"
    for file in seen.iterdir():
        file.unlink()
    return seen


def attack(jupyter: JupyterProcess, folder: Path) -> None:
    seen = folder / "seen"
    seen.mkdir()
    for name, base in (("cwd", jupyter.folder), ("data", jupyter.folder / "data" / "nbconvert" / "templates")):
        for template in ("lab", "markdown", "python"):
            place = base / template
            place.mkdir(parents=True)
            for extension in ("html", "md", "py"):
                text = TEMPLATE.format(seen=str(seen), name=name)
                (place / f"index.{extension}.j2").write_text(text, encoding="utf-8")
            conf = {"preprocessors": {"1": {"type": "hostile_preprocessor.Any"}}, "base_template": None}
            (place / "conf.json").write_text(json.dumps(conf), encoding="utf-8")
    for module in ("hostile_preprocessor", "hostile_exporter"):
        code = WRITES_ITS_PROCESS.format(seen=str(seen), name=module)
        code += "from nbconvert.preprocessors import Preprocessor as Any\nfrom nbconvert import HTMLExporter as Exp\n"
        (folder / "packages" / f"{module}.py").write_text(code, encoding="utf-8")
    registered = folder / "packages" / "hostile-1.0.dist-info"
    registered.mkdir()
    (registered / "METADATA").write_text("Name: hostile\nVersion: 1.0\n", encoding="utf-8")
    (registered / "entry_points.txt").write_text("[nbconvert.exporters]\nevil = hostile_exporter:Exp\n", "utf-8")


@pytest.mark.parametrize(
    ("path", "runs"),
    [
        ("nbconvert/html/x.ipynb", {"cwd", "hostile_preprocessor"}),
        ("nbconvert/html/x.ipynb?download=true", {"cwd", "hostile_preprocessor"}),
        ("nbconvert/markdown/x.ipynb", {"cwd", "hostile_preprocessor"}),
        ("nbconvert/evil/x.ipynb", {"cwd", "hostile_preprocessor", "hostile_exporter"}),
        ("api/nbconvert", {"hostile_exporter", "hostile_preprocessor"}),
    ],
)
def test_nothing_that_users_write_for_a_conversion_runs_where_the_tokens_are(
    attacked: JupyterProcess, seen: Path, path: str, runs: set[str]
) -> None:
    """Q8.2: templates, preprocessors and exporters are code; they run, and in another process."""
    with attacked.client() as client:
        client.get(path)
    ran = {name.name.rpartition("-")[0]: int(name.name.rpartition("-")[2]) for name in seen.iterdir()}
    assert (set(ran), attacked.pid in ran.values()) == (runs, False)


def test_a_posted_notebook_is_converted_elsewhere_too(attacked: JupyterProcess, seen: Path) -> None:
    """Q8.2: Notebook conversions run in another process."""
    with attacked.client() as client:
        client.post("nbconvert/html", json={"name": "x.ipynb", "content": NOTEBOOK})
    assert [name.name for name in seen.iterdir() if name.name.endswith(f"-{attacked.pid}")] == []
    assert list(seen.iterdir())


def test_a_page_is_downloaded_as_ever(jupyter: JupyterProcess) -> None:
    """Q8.2: File > Save and Export goes on working."""
    with jupyter.client() as client:
        reply = client.get("nbconvert/html/x.ipynb?download=true")
    assert (reply.status_code, reply.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert reply.headers["Content-Disposition"].startswith("attachment; filename*=utf-8''x.html")
    assert "sandbox allow-scripts" in reply.headers["Content-Security-Policy"]
    assert ("Ägypten" in reply.text, PICTURE in reply.text) == (True, True)


def test_pictures_of_a_text_come_with_it_in_an_archive(jupyter: JupyterProcess) -> None:
    """Q8.2: Notebook conversions run in another process."""
    with jupyter.client() as client:
        reply = client.get("nbconvert/markdown/x.ipynb?download=true")
    assert reply.headers["Content-Type"] == "application/zip"
    names = zipfile.ZipFile(io.BytesIO(reply.content)).namelist()
    assert (names[0], [Path(name).suffix for name in names[1:]]) == ("x.md", [".png"])


def test_a_script_has_the_extension_of_its_language(jupyter: JupyterProcess) -> None:
    """Q8.2: Notebook conversions run in another process."""
    with jupyter.client() as client:
        reply = client.get("nbconvert/script/x.ipynb?download=true")
    assert reply.headers["Content-Disposition"].startswith("attachment; filename*=utf-8''x.py")
    assert "6 * 7" in reply.text


def test_a_posted_notebook_comes_back_as_a_page(jupyter: JupyterProcess) -> None:
    """Q8.2: Notebook conversions run in another process."""
    with jupyter.client() as client:
        reply = client.post("nbconvert/html", json={"name": "x.ipynb", "content": NOTEBOOK})
    assert (reply.status_code, "Ägypten" in reply.text) == (200, True)


def test_the_formats_are_listed(jupyter: JupyterProcess) -> None:
    """Q8.2: Notebook conversions run in another process."""
    with jupyter.client() as client:
        formats = client.get("api/nbconvert").json()
    assert formats["html"] == {"output_mimetype": "text/html"}


@pytest.mark.parametrize(
    ("path", "status"),
    [("nbconvert/nothing/x.ipynb", 404), ("nbconvert/html/missing.ipynb", 404)],
)
def test_what_there_is_not_is_not_found(jupyter: JupyterProcess, path: str, status: int) -> None:
    """Q8.2: Notebook conversions run in another process."""
    with jupyter.client() as client:
        assert client.get(path).status_code == status


@pytest.mark.parametrize("path", ["nbconvert/html/x.ipynb", "api/nbconvert"])
def test_a_stranger_converts_nothing(jupyter: JupyterProcess, path: str) -> None:
    """Q8.2: Jupyter decides who may convert, as ever."""
    with jupyter.stranger() as client:
        assert client.get(path).status_code in (302, 403)


def test_a_file_that_is_no_notebook_is_shown_as_a_file(jupyter: JupyterProcess) -> None:
    """Q8.2: Notebook conversions run in another process."""
    (jupyter.work / "notes.txt").write_text("notes", encoding="utf-8")
    with jupyter.client() as client:
        reply = client.get("nbconvert/html/notes.txt")
    assert (reply.status_code, httpx.URL(reply.headers["Location"]).path) == (302, "/files/notes.txt")


class Quiet(logging.Logger):
    """Keeps the warnings that were logged."""

    def __init__(self) -> None:
        super().__init__("quiet")
        self.warnings: list[str] = []

    def warning(self, msg: object, *args: object, **_: Any) -> None:
        self.warnings.append(str(msg) % args)


def test_what_the_server_is_told_about_conversions_is_passed_on_and_nothing_else() -> None:
    """Q8.2: Jupyter's configuration is the administrator's; other sections may hold secrets."""
    config = Config()
    config.HTMLExporter.exclude_input = True
    config.HTMLExporter.preprocessors.append("nbconvert.preprocessors.ClearOutputPreprocessor")
    config.HTMLExporter.filters = {"f": len}
    config.IdentityProvider.token = "secret"
    log = Quiet()
    converted = convert(
        "html",
        NOTEBOOK,
        {"metadata": {"name": "x"}},
        config=config,
        traits={},
        log=log,
    )
    assert (b"<span" in converted.content, PICTURE.encode() in converted.content) == (False, False)
    assert log.warnings == ["jupyter_oidc: HTMLExporter.filters is no plain data and does not reach conversions."]
