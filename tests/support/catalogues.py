"""Makes the catalogues of sentences from the sources: the templates, each language, and the files that are read."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from functools import cache
from pathlib import Path
from typing import Any, Final

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from jupyter_oidc.language import CATALOGUES, DOMAIN, LOCALE, tag_of
from jupyter_oidc.problems import Problem

ROOT: Final = Path(__file__).parents[2]
TEMPLATES: Final = LOCALE / f"{DOMAIN}.pot"
PYTHON: Final = {"_": None, "N_": None, "sentence": None, "counted": (2, 3)}
TYPESCRIPT: Final = {"__": None, "_n": (1, 2), "_p": ((1, "c"), 2)}
WIDTH: Final = 120

LONG_AGO: Final = datetime(2000, 1, 1, tzinfo=timezone.utc)
"""Stands for the dates of a catalogue, so that the same translations make the same file."""

FRONT_END: Final = "labextension-stub/"

_OF_SCHEMA: Final = ("title", "description")
_CONTEXT_OF_SCHEMA: Final = "schema"
"""JupyterLab looks the texts of a settings schema up in this context."""


@dataclass(frozen=True, slots=True)
class Found:
    """One sentence of the sources."""

    id: str | tuple[str, str]
    place: str
    context: str | None = None


def sources() -> list[Path]:
    """Return the files that hold sentences, in order."""
    python = (path for path in (ROOT / "jupyter_oidc").rglob("*.py") if "labextension" not in path.parts)
    front_end = (path for path in (ROOT / "labextension-stub" / "src").rglob("*.ts*") if "generated" not in path.parts)
    presets = (ROOT / "config" / "providers").glob("*.json")
    schemas = (ROOT / "labextension-stub" / "schema").glob("*.json")
    return [*sorted(python), *sorted(front_end), *sorted(presets), *sorted(schemas)]


@cache
def sentences() -> tuple[Found, ...]:
    """Return every sentence of the sources: those of the errors, and those that are marked, in the order of the files."""
    return (*_sentences_of_errors(), *(found for path in sources() for found in _sentences_of(path)))


@cache
def templates() -> Catalog:
    """Return the catalogue without a translation."""
    made = _empty(None)
    for found in sentences():
        made.add(found.id, locations=[(found.place, 0)], context=found.context)
    return made


def translated(language: str) -> Catalog:
    """Return the catalogue of ``language`` as it is stored."""
    path = po_file(language)
    if not path.is_file():
        return _empty(language)
    with path.open("rb") as file:
        return read_po(file, locale=language, domain=DOMAIN)


def po_file(language: str) -> Path:
    """Return where the translations of ``language`` are written by people."""
    return LOCALE / language / "LC_MESSAGES" / f"{DOMAIN}.po"


def made_files() -> dict[Path, bytes]:
    """Return every file of the catalogues as the sources make it, and as its translations are."""
    current = templates()
    made = {TEMPLATES: _po(current)}
    for language in CATALOGUES.values():
        own = merged(current, translated(language), language)
        made[po_file(language)] = _po(own)
        made[po_file(language).with_suffix(".mo")] = _mo(own)
        made[po_file(language).with_suffix(".json")] = _jupyterlab(own, language)
    return made


def merged(current: Catalog, stored: Catalog, language: str) -> Catalog:
    """Return ``current`` with the translations of ``stored``; those of no sentence are left out, and none is guessed."""
    own = _empty(language)
    for message in current:
        if not message.id:
            continue
        known = stored.get(_first(message), message.context)
        fits = known is not None and known.id == message.id and "fuzzy" not in known.flags
        own.add(
            message.id, known.string if fits and known else "", locations=message.locations, context=message.context
        )
    return own


def missing(language: str) -> list[str]:
    """Return the sentences that ``language`` lacks."""
    return [_first(message) for message in merged(templates(), translated(language), language) if _lacks(message)]


def texts_of(value: object) -> list[str]:
    """Return the texts of an id or of a translation: one, or one for each form."""
    return [str(text) for text in value] if isinstance(value, (tuple, list)) else [str(value)]


def _lacks(message: Message) -> bool:
    strings = message.string if isinstance(message.string, (tuple, list)) else (message.string,)
    return bool(message.id) and not all(strings)


def _first(message: Message) -> str:
    return message.id if isinstance(message.id, str) else str(message.id[0])


def _sentences_of_errors() -> Iterator[Found]:
    classes: list[type[Problem]] = [Problem]
    for kind in classes:
        classes.extend(kind.__subclasses__())
        exact = [text for pair in kind.exact for text in pair if text]
        for text in (getattr(kind, "default_message", None), getattr(kind, "default_action", None), *exact):
            if text is not None:
                yield Found(text, "jupyter_oidc/problems.py")


def _sentences_of(path: Path) -> Iterator[Found]:
    place = path.relative_to(ROOT).as_posix()
    if path.parent.name == "providers":
        preset = json.loads(path.read_text(encoding="utf-8"))
        facts = (fact[part] for fact in preset["facts"] for part in ("topic", "fact"))
        yield from (Found(text, place) for text in (*preset["placeholders"].values(), *facts))
        return
    if path.suffix == ".json":
        for text in _texts_of_schema(json.loads(path.read_text(encoding="utf-8"))):
            yield Found(text, place, _CONTEXT_OF_SCHEMA)
        return
    python = path.suffix == ".py"
    method = "python" if python else "javascript"
    keywords: Mapping[str, Any] = PYTHON if python else TYPESCRIPT
    options = {} if python else {"jsx": "True", "template_string": "True", "parse_template_string": "False"}
    for _line, marked, _comments, context in extract(method, io.BytesIO(path.read_bytes()), keywords, options=options):
        yield Found(marked if isinstance(marked, str) else (marked[0], marked[1]), place, context)


def _texts_of_schema(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        for key, value in node.items():
            if key in _OF_SCHEMA and isinstance(value, str):
                yield value
            else:
                yield from _texts_of_schema(value)
    elif isinstance(node, list):
        for entry in node:
            yield from _texts_of_schema(entry)


def _empty(language: str | None) -> Catalog:
    return Catalog(
        locale=language,
        domain=DOMAIN,
        header_comment="# The sentences of jupyter_oidc; see docs/how-to/read-it-in-your-language.md.",
        project="jupyter_oidc",
        version="1",
        fuzzy=False,
        charset="utf-8",
    )


def _po(catalogue: Catalog) -> bytes:
    file = io.BytesIO()
    write_po(file, catalogue, width=WIDTH, omit_header=True, sort_by_file=False, include_lineno=False)
    header = [
        'msgid ""',
        'msgstr ""',
        f'"Project-Id-Version: {DOMAIN}\\n"',
        f'"Language: {catalogue.locale or ""}\\n"',
        f'"Plural-Forms: {catalogue.plural_forms}\\n"' if catalogue.locale else None,
        '"MIME-Version: 1.0\\n"',
        '"Content-Type: text/plain; charset=utf-8\\n"',
        '"Content-Transfer-Encoding: 8bit\\n"',
    ]
    head = "\n".join(line for line in header if line)
    return f"{head}\n\n".encode() + file.getvalue().lstrip(b"\n")


def _mo(catalogue: Catalog) -> bytes:
    file = io.BytesIO()
    stable = read_po(io.BytesIO(_po(catalogue)), locale=catalogue.locale, domain=DOMAIN)
    stable.creation_date = stable.revision_date = LONG_AGO
    write_mo(file, stable)
    return file.getvalue()


def _jupyterlab(catalogue: Catalog, language: str) -> bytes:
    """Return the file that JupyterLab reads, in the format of its language packs: the sentences of the front end."""
    head = {
        "domain": DOMAIN,
        "language": tag_of(language),
        "plural_forms": catalogue.plural_forms,
        "version": "1",
    }
    body: dict[str, Any] = {"": head}
    for message in catalogue:
        if not message.id or not any(place.startswith(FRONT_END) for place, _ in message.locations):
            continue
        strings = list(message.string) if isinstance(message.string, (tuple, list)) else [message.string]
        if all(strings):
            key = _first(message)
            if not isinstance(message.id, str) and len(strings) == 1:
                strings *= 2  # JupyterLab knows by the number of its forms that a sentence counts
            body[f"{message.context}\u0004{key}" if message.context else key] = strings
    return (json.dumps(body, ensure_ascii=False, indent=1) + "\n").encode()
