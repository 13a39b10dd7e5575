"""Reads and writes single settings files: the desktop application's (flat), or a section of the Jupyter server's."""

from __future__ import annotations

import json
import os
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from jupyter_oidc.language import sentence
from jupyter_oidc.server.config import storage_choices
from jupyter_oidc.settings import Finding

if TYPE_CHECKING:
    from collections.abc import Mapping

_REDIRECT_KEYS = ("redirectUri", "redirect_uri")


class UnreadableFile(Exception):
    """A file holds no settings; ``finding`` says why."""

    def __init__(self, finding: Finding) -> None:
        self.finding = finding
        super().__init__(str(finding))


@dataclass(frozen=True, slots=True)
class Document:
    """The content of a settings file, unchecked."""

    providers: Any
    choices: tuple[Any, ...] = ()

    def without_foreign_redirects(self) -> tuple[Document, list[str]]:
        """Return the document without redirect URIs that lead elsewhere, and the keys of those."""
        if not isinstance(self.providers, dict):
            return self, []
        left_out: list[str] = []
        kept = {}
        for name, body in self.providers.items():
            away = [
                key
                for key in _REDIRECT_KEYS
                if isinstance(body, dict) and _is_foreign_redirect(body.get(key), str(name))
            ]
            left_out += [f"providers.{name}.{key}" for key in away]
            kept[name] = {key: value for key, value in body.items() if key not in away} if away else body
        return replace(self, providers=kept), left_out


def document_in(path: Path, provider: str) -> Document:
    """Return the settings in ``path``; a flat file is about one provider, which gets the name ``provider``.

    ``$schema`` is for the editor of a person, and no setting.
    Raises :class:`UnreadableFile`.
    """
    try:
        told = json.loads(path.read_text(encoding="utf-8-sig"))
    except OSError:
        raise _unreadable_file(path, sentence("cannot be read"), sentence("Name a file that you can read.")) from None
    except (ValueError, RecursionError):
        instead = sentence("Correct it; 'python -m json.tool FILE' says where.")
        raise _unreadable_file(path, sentence("is not JSON"), instead) from None
    if not isinstance(told, dict):
        raise _unreadable_file(path, sentence("is not a JSON object"), sentence("Write {...}."))
    section = told.get("JupyterOIDC", told)
    if isinstance(section, dict) and "providers" in section:
        return Document(section["providers"], storage_choices(section))
    if section is not told:
        return Document({})
    return Document({provider: {key: value for key, value in told.items() if key != "$schema"}})


def write_new(path: Path, document: Mapping[str, Any], *, replace: bool) -> bool:
    """Write ``document`` as a whole or not at all; return ``False`` if ``path`` exists and may not be replaced."""
    if path.exists() and not replace:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, draft = tempfile.mkstemp(
        dir=path.parent, prefix=".jupyter_oidc-"
    )  # not *.json: Jupyter does not read it
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(json.dumps(document, indent=2) + "\n")
        Path(draft).replace(path)
    except OSError:
        Path(draft).unlink(missing_ok=True)
        raise
    return True


def _is_foreign_redirect(uri: object, provider: str) -> bool:
    if not isinstance(uri, str):
        return False
    try:
        return not urlsplit(uri).path.endswith(f"/jupyter-oidc/providers/{provider}/callback")
    except ValueError:
        return False


def _unreadable_file(path: Path, problem: str, instead: str) -> UnreadableFile:
    return UnreadableFile(Finding(sentence("file {path}", path=path), problem, instead))
