"""Reads what an older or a newer server sends, as this version knows it (ADR 48).

Writers keep to the closed schemas to the letter (:func:`jupyter_oidc.contract.check`); a reader takes what it knows.
The rules are those of ``labextension-stub/src/reader.ts``, and the same fixtures prove both.

* A member that the schema does not list is left out.
* A word that an enumeration does not list becomes ``other``; the word itself stays in ``unknown_words`` beside it.
* A member with a ``default`` in the schema came after others: an older server does not send it, and it is filled in.

Everything else has to match, type by type: this module guesses no meaning.
"""

from __future__ import annotations

from copy import deepcopy
from functools import cache
from typing import TYPE_CHECKING, Any, Final, cast

from jupyter_oidc.contract import ContractBroken, compiled, schema, validated

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

OTHER: Final = "other"
"""What a reader puts in the place of a word that it does not know."""

UNKNOWN_WORDS: Final = "unknown_words"
"""The member in which a reader keeps such words, by the member they were in; there only if there are any."""

MAX_WORD_CHARACTERS: Final = 64
"""Characters of an unknown word that are kept, since it may be shown."""


def read(name: str, message: object) -> dict[str, Any]:
    """Return what this version knows of ``message``, a reply of contract ``name``.

    Raises :class:`~jupyter_oidc.contract.ContractBroken` if a member that is known has another type or shape, or if one
    is missing that every version sends.
    """
    known = _known_part(schema(name), message, {}, "")
    if not isinstance(known, dict):
        raise ContractBroken(name, "data", "type")
    return validated(name, _reader(name), known)


def word_in(message: Mapping[str, Any], member: str) -> str | None:
    """Return the word that the server wrote for ``member``, also one that is not known here; ``None`` for none."""
    word = message.get(member)
    if word == OTHER:
        word = message.get(UNKNOWN_WORDS, {}).get(member)
    return None if word is None else str(word)


def reader_schema(of: object) -> Any:
    """Return the closed schema of what :func:`read` returns: with the word ``other`` and the unknown words."""
    if isinstance(of, list):
        return [reader_schema(part) for part in of]
    if not isinstance(of, dict):
        return of
    made = {key: part if key in ("enum", "default") else reader_schema(part) for key, part in of.items()}
    if "enum" in made:
        made["enum"] = [*made["enum"], OTHER]
    if "properties" in made:
        words = {"type": "object", "additionalProperties": {"type": "string"}}
        made["properties"] = {**made["properties"], UNKNOWN_WORDS: words}
    return made


@cache
def _reader(name: str) -> Callable[[object], object]:
    return compiled(reader_schema(schema(name)))


def _known_part(part: Mapping[str, Any], value: object, unknown: dict[str, str], where: str) -> object:
    """Return what ``part`` of a schema knows of ``value``; a word that it does not know goes into ``unknown``."""
    if "anyOf" in part:
        part = next((one for one in part["anyOf"] if "properties" in one), part)
    if isinstance(value, dict) and "properties" in part:
        return _known_members(part["properties"], cast("dict[str, Any]", value))
    if isinstance(value, list) and "items" in part:
        return [_known_part(part["items"], item, unknown, f"{where}.{index}") for index, item in enumerate(value)]
    if isinstance(value, str) and "enum" in part and value not in part["enum"]:
        unknown[where] = value[:MAX_WORD_CHARACTERS]
        return OTHER
    return value


def _known_members(members: Mapping[str, Any], value: Mapping[str, Any]) -> dict[str, Any]:
    unknown: dict[str, str] = {}
    known = {
        member: _known_part(part, value[member], unknown, member) if member in value else deepcopy(part["default"])
        for member, part in members.items()
        if member in value or "default" in part
    }
    return {**known, UNKNOWN_WORDS: unknown} if unknown else known
