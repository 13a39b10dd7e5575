"""Stores one text in a keyring, even if the keyring limits the length of its entries (B19, B20).

A text that fits stands in the entry of its name.
A longer one is cut into pieces, which stand in entries of their own, and the entry of its name holds a
manifest: how many pieces, of which generation, and the digest of the whole.
The pieces of a new text get the other generation and the manifest changes last, so a crash at any step leaves
one complete text.
This module refuses to return a text that is not, to the last character, the one that was written.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from jupyter_oidc.adapters.storage.entry_codec import entry_damaged
from jupyter_oidc.adapters.storage.keyring_backends import has_short_entries
from jupyter_oidc.language import N_
from jupyter_oidc.problems import StorageUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from keyring.backend import KeyringBackend

SERVICE: Final = "jupyter_oidc"
_MANIFEST_VERSION: Final = 1
"""The format of a manifest; that of the text itself is in :mod:`jupyter_oidc.adapters.storage.entry_codec`."""

MAX_ENTRY_CHARACTERS: Final = 1_200
"""Characters in one entry; Windows keeps at most 1,280, and ends some of them with a zero."""

_GENERATIONS: Final = ("a", "b")
_MAX_PIECES: Final = 1_000
_TOMBSTONE: Final = '{"forgotten": true}'
"""The text that overwrites an entry which its backend did not delete (D3)."""


@dataclass(frozen=True, slots=True)
class _Manifest:
    pieces: int
    generation: str
    digest: str


def is_locked(error: BaseException) -> bool:
    """Return whether ``error`` says that the keyring has to be unlocked first."""
    from keyring.errors import KeyringLocked

    return isinstance(error, KeyringLocked)


def read(backend: KeyringBackend, name: str) -> str | None:
    """Return the text called ``name``, or ``None``; raises :class:`StorageUnavailable` if it is damaged."""
    head = backend.get_password(SERVICE, name)
    if not head or head == _TOMBSTONE:
        return None
    manifest = _parse_manifest(head)
    if manifest is None:
        return head
    pieces = [backend.get_password(SERVICE, piece) for piece in _pieces(name, manifest.generation, manifest.pieces)]
    text = "".join(piece for piece in pieces if piece is not None)
    if None in pieces or _digest(text) != manifest.digest:
        raise entry_damaged()
    return text


def write(backend: KeyringBackend, name: str, text: str) -> None:
    """Store ``text`` under ``name``, and read it back: some backends drop writes silently."""
    before = _manifest_or_none(backend.get_password(SERVICE, name))
    if len(text) <= MAX_ENTRY_CHARACTERS:
        _write_checked(backend, name, text)
        _remove_stale_pieces(backend, name)
    elif before or has_short_entries(backend) or not _fits(backend, name, text):
        generation = "b" if before and before.generation == "a" else "a"
        manifest = _write_pieces(backend, name, generation, text)
        _write_checked(backend, name, _manifest_as_json(manifest))
        _remove_stale_pieces(backend, name, keep=manifest, drop=before)
    else:
        _remove_stale_pieces(backend, name)


def delete(backend: KeyringBackend, name: str) -> None:
    """Remove the entry ``name`` with all its pieces, the pieces of torn writes included."""
    before = _manifest_or_none(backend.get_password(SERVICE, name))
    try:
        _erase(backend, name)
    finally:
        _remove_stale_pieces(backend, name, drop=before)


def probe(backend: KeyringBackend, name: str) -> None:
    """Write, read and delete a harmless entry; lets the backend's errors through."""
    mine = f"{name}.probe.{os.getpid()}"
    try:
        _write_checked(backend, mine, "probe")
    finally:
        _erase(backend, mine)


def _fits(backend: KeyringBackend, name: str, text: str) -> bool:
    """Write ``text`` into one entry and return whether it is there complete.

    The error of a locked keyring is raised.
    """
    try:
        _write_checked(backend, name, text)
    except Exception as error:
        if is_locked(error):
            raise
        return False  # backends refuse a long entry with errors of their own, or cut it short
    return True


def _write_pieces(backend: KeyringBackend, name: str, generation: str, text: str) -> _Manifest:
    parts = [text[start : start + MAX_ENTRY_CHARACTERS] for start in range(0, len(text), MAX_ENTRY_CHARACTERS)]
    for piece, part in zip(_pieces(name, generation, len(parts)), parts, strict=True):
        _write_checked(backend, piece, part)
    return _Manifest(len(parts), generation, _digest(text))


def _write_checked(backend: KeyringBackend, name: str, text: str) -> None:
    backend.set_password(SERVICE, name, text)
    if backend.get_password(SERVICE, name) != text:
        raise StorageUnavailable(N_("The keyring did not keep what was stored."), detail="keyring_lost_write")


def _erase(backend: KeyringBackend, name: str) -> None:
    """Delete the entry, or overwrite it where the backend cannot or does not delete (D3)."""
    if backend.get_password(SERVICE, name) in (None, _TOMBSTONE):
        return
    try:
        backend.delete_password(SERVICE, name)
    except Exception as error:  # backends fail with errors of their own; the entry is read to see what is left
        if is_locked(error):
            raise
    if backend.get_password(SERVICE, name) is not None:
        _write_checked(backend, name, _TOMBSTONE)


def _remove_stale_pieces(
    backend: KeyringBackend,
    name: str,
    *,
    keep: _Manifest | None = None,
    drop: _Manifest | None = None,
) -> None:
    """Remove all pieces but those of ``keep``, last ones first, so that pieces left by a crash are found again."""
    for generation in _GENERATIONS:
        first = keep.pieces if keep and keep.generation == generation else 0
        known = drop.pieces if drop and drop.generation == generation else 0
        end = max(first, known)
        while end < _MAX_PIECES and backend.get_password(SERVICE, f"{name}.{generation}.{end}") is not None:
            end += 1
        for number in reversed(range(first, end)):
            _erase(backend, f"{name}.{generation}.{number}")


def _pieces(name: str, generation: str, count: int) -> Iterable[str]:
    return [f"{name}.{generation}.{number}" for number in range(count)]


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _manifest_as_json(manifest: _Manifest) -> str:
    return json.dumps(
        {
            "format": _MANIFEST_VERSION,
            "pieces": manifest.pieces,
            "generation": manifest.generation,
            "digest": manifest.digest,
        },
    )


def _parse_manifest(head: str) -> _Manifest | None:
    """Return the manifest in ``head``, or ``None`` if it holds the text itself."""
    try:
        stored: Any = json.loads(head)
    except (ValueError, RecursionError):
        return None
    if not isinstance(stored, dict) or "pieces" not in stored:
        return None
    pieces, generation = stored["pieces"], stored.get("generation")
    known = stored.get("format") == _MANIFEST_VERSION and generation in _GENERATIONS
    if not known or type(pieces) is not int or not 0 < pieces <= _MAX_PIECES:
        raise entry_damaged()
    return _Manifest(pieces, str(generation), str(stored.get("digest")))


def _manifest_or_none(head: str | None) -> _Manifest | None:
    """Return the manifest in ``head`` as far as it can be read, for cleaning up its pieces."""
    try:
        return _parse_manifest(head) if head else None
    except StorageUnavailable:
        return None
