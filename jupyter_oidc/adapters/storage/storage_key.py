"""Takes the keys of the encrypted file once from where the administrator has put them, and holds them as secrets.

They come from a variable, from an open descriptor, or from a credential file as systemd hands them out.
Kernels and terminals inherit the environment of the server, so a variable is gone as soon as it is read, also from the
memory that the system shows as the environment with which the process was started (Q8.5); a descriptor is closed.
This module refuses any key that is not 32 bytes long, and never repeats a refused text.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import re
import selectors
import stat
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from jupyter_oidc.language import N_, sentence
from jupyter_oidc.problems import StorageUnavailable
from jupyter_oidc.secret import Secret
from jupyter_oidc.secret_access import reveal, reveal_bytes

if TYPE_CHECKING:
    from collections.abc import MutableMapping

VARIABLE: Final = "JUPYTER_OIDC_STORAGE_KEY"
DESCRIPTOR: Final = f"{VARIABLE}_FD"
"""Holds the number of an open descriptor from which the keys can be read."""

CREDENTIAL: Final = "jupyter_oidc_storage_key"
"""The name of the file in the folder that ``CREDENTIALS_DIRECTORY`` names (systemd.exec, LoadCredential)."""

MAX_KEYS_BYTES: Final = 65_536
READ_TIMEOUT_SECONDS: Final = 5.0
"""Seconds that the writer of a pipe may send nothing, while the server starts."""

_SEPARATORS: Final = re.compile(r"[\s,]+")
_KEY: Final = re.compile(r"[A-Za-z0-9_-]{43}=?")
"""32 bytes in base64url (RFC 4648, 5), with or without padding."""

_MAKE_ONE: Final = sentence(
    'Make a key with: python -c "import secrets; print(secrets.token_urlsafe(32))". '
    "Put it into {variable} and restart the Jupyter server.",
    variable=VARIABLE,
)


@dataclass(frozen=True, slots=True)
class StorageKey:
    """One key of 32 bytes; ``name`` tells keys apart and says nothing about them."""

    name: str
    secret: Secret


def take_storage_key(environ: MutableMapping[str, str]) -> Secret | None:
    """Return the content of the variable, the descriptor or the credential file, the first that exists; else ``None``.

    The variables are removed from ``environ``, and the descriptor is closed whether or not it is used; a standard
    descriptor, and one that is no pipe, socket or file, is left alone.
    A descriptor or file that cannot be read counts as one without a key, which :func:`keys_in` reports.
    """
    value = environ.pop(VARIABLE, "")
    if environ is os.environ:
        _wipe(VARIABLE, value)
    number = environ.pop(DESCRIPTOR, "").strip()
    described = _of_descriptor(number) if number else None
    if value.strip():
        return Secret(value)
    return described or _of_credential(environ.get("CREDENTIALS_DIRECTORY", ""))


def keys_in(variable: Secret | None) -> tuple[StorageKey, ...]:
    """Return the keys, at least one: the first encrypts, all decrypt.

    Raises :class:`StorageUnavailable` with the detail ``storage_key`` if there is none, or one of them is wrong.
    """
    if variable is None:
        raise _refusal(sentence("There is no key for the encrypted file: {variable} is not set.", variable=VARIABLE))
    texts = [text for text in _SEPARATORS.split(reveal(variable)) if text]
    if not texts:
        raise _refusal(
            sentence(
                "There is no key for the encrypted file in {variable}, the descriptor or the credential file.",
                variable=VARIABLE,
            )
        )
    keys = []
    for number, text in enumerate(texts, start=1):
        if not _KEY.fullmatch(text):
            raise _refusal(
                sentence(
                    "Key {number} of {total} in {variable} is not 32 bytes in base64url.",
                    number=number,
                    total=len(texts),
                    variable=VARIABLE,
                )
            )
        keys.append(_key(Secret(base64.urlsafe_b64decode(text.rstrip("=") + "="))))
    return tuple(keys)


def unknown_key() -> StorageUnavailable:
    """Return the problem for a file that none of the keys decrypts."""
    return StorageUnavailable(
        N_("The session is stored encrypted, with a key that this server does not have."),
        action=sentence(
            "Add the earlier key to {variable}, after the new one, and restart the server; or sign in again.",
            variable=VARIABLE,
        ),
        detail="storage_key",
    )


def _of_descriptor(number: str) -> Secret:
    """Read the descriptor to its end and close it; one that is no pipe, socket or file is left alone."""
    if not re.fullmatch(r"[0-9]{1,6}", number) or (descriptor := int(number)) <= 2:
        return Secret("")
    try:
        kind = os.fstat(descriptor).st_mode
        waits = stat.S_ISFIFO(kind) or stat.S_ISSOCK(kind)
        if not (stat.S_ISREG(kind) or waits):
            return Secret("")
        try:
            return Secret(_read(descriptor, waits=waits).decode("ascii"))
        finally:
            os.close(descriptor)
    except (OSError, ValueError):
        return Secret("")


def _read(descriptor: int, *, waits: bool) -> bytes:
    """Return all bytes up to the end; raises ``ValueError`` if there are too many, or none arrive in time."""
    read = b""
    while len(read) <= MAX_KEYS_BYTES:
        if waits and not _has_more(descriptor):
            break
        piece = os.read(descriptor, MAX_KEYS_BYTES)
        if not piece:
            return read
        read += piece
    raise ValueError


def _has_more(descriptor: int) -> bool:
    """Return whether data or the end arrives in time."""
    with selectors.DefaultSelector() as selector:  # NOTE: 'select' knows no descriptor of 1024 or more
        selector.register(descriptor, selectors.EVENT_READ)
        return bool(selector.select(READ_TIMEOUT_SECONDS))


def _of_credential(folder: str) -> Secret | None:
    """Return the content of the credential file, or ``None`` if there is none."""
    if not folder:
        return None
    try:
        with (Path(folder) / CREDENTIAL).open("rb") as file:
            return Secret(_read(file.fileno(), waits=False).decode("ascii"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError):
        return Secret("")


def _wipe(name: str, value: str) -> None:
    """Overwrite ``value`` in the initial environment of this process, which the system shows to other processes.

    A process that already has that file open reads the overwritten bytes: Linux shows the memory itself. On other
    systems, and if the memory cannot be found, nothing happens.
    """
    if not value or not sys.platform.startswith("linux"):
        return
    import ctypes

    wanted = os.fsencode(f"{name}={value}")
    try:
        start, end = _shown_environment()
        shown = ctypes.string_at(start, end - start)
        at = shown.find(wanted)
        while at >= 0:
            ctypes.memset(start + at + len(name) + 1, 0, len(wanted) - len(name) - 1)
            at = shown.find(wanted, at + len(wanted))
    except (OSError, ValueError, IndexError):
        return


def _shown_environment() -> tuple[int, int]:
    """Return where the memory of that environment begins and ends: fields 50 and 51 of proc_pid_stat(5)."""
    fields = Path("/proc/self/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
    return int(fields[47]), int(fields[48])


def _key(secret: Secret) -> StorageKey:
    name = hmac.new(reveal_bytes(secret), b"jupyter_oidc: name of a storage key", hashlib.sha256).hexdigest()
    return StorageKey(name[:16], secret)


def _refusal(message: str) -> StorageUnavailable:
    return StorageUnavailable(message, action=_MAKE_ONE, detail="storage_key")
