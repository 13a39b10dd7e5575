"""Encrypts a secret text for a file or a row: a compact JWE with ``A256GCM`` (RFC 7516, 7518).

A file is encrypted with the key itself (``dir``), a row with a key of its own that is wrapped by it (``A256KW``).
The header names the key by an identifier that reveals nothing about it, so that a file of an unknown key can be told
from a damaged one.
This module refuses to let a file choose its algorithm, and any header that it would not write itself.
"""

from __future__ import annotations

import base64
import hashlib
import json
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from jupyter_oidc.adapters.storage.entry_codec import entry_damaged
from jupyter_oidc.adapters.storage.storage_key import unknown_key
from jupyter_oidc.secret import Secret
from jupyter_oidc.secret_access import reveal_bytes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from joserfc.jwe import JWERegistry

    from jupyter_oidc.adapters.storage.storage_key import StorageKey

MAX_FILE_BYTES: Final = 4_000_000
"""Bytes of a file; a provider's reply has one megabyte at most, and base64 adds a third."""

_ENCRYPTION: Final = "A256GCM"
_MAX_HEADER_CHARACTERS: Final = 1_000


class Form(NamedTuple):
    """The only header that is written and read: ``algorithm`` of the key, and ``kind`` of what is encrypted (``typ``)."""

    algorithm: str
    kind: str

    def header(self, key_name: str) -> dict[str, str]:
        """Return the header of what is encrypted with the key ``key_name``."""
        return {"alg": self.algorithm, "enc": _ENCRYPTION, "typ": self.kind, "kid": key_name}


FILE: Final = Form("dir", "jupyter_oidc.entry")


def encrypt(text: Secret, keys: Sequence[StorageKey], form: Form = FILE) -> bytes:
    """Return ``text`` encrypted with the first of ``keys``."""
    from joserfc import jwe
    from joserfc.jwk import OctKey

    first = keys[0]
    key = OctKey.import_key(reveal_bytes(first.secret))
    header = form.header(first.name)
    return jwe.encrypt_compact(header, reveal_bytes(text), key, registry=_registry(form)).encode("ascii")


def decrypt(jwe_text: bytes, keys: Sequence[StorageKey], form: Form = FILE) -> Secret:
    """Return the text in ``jwe_text``.

    Raises :class:`StorageUnavailable` with the detail ``storage_key`` if none of ``keys`` was used, and with
    ``storage_corrupt`` if it is damaged or has another format.
    """
    from joserfc import jwe
    from joserfc.errors import JoseError
    from joserfc.jwk import OctKey

    name = _key_name(jwe_text, form)
    key = next((key for key in keys if key.name == name), None)
    if key is None:
        raise unknown_key()
    try:
        opened = jwe.decrypt_compact(jwe_text, OctKey.import_key(reveal_bytes(key.secret)), registry=_registry(form))
    except (JoseError, ValueError):
        raise entry_damaged() from None
    return Secret(opened.plaintext or b"")


def row_form(what: str, *names: str) -> Form:
    """Return the form of ``what`` is stored in the row of a database that has these ``names``."""
    row = hashlib.sha256(json.dumps(names).encode()).hexdigest()
    return Form("A256KW", f"jupyter_oidc.{what}.{row}")


def encrypt_anew(jwe_text: bytes, keys: Sequence[StorageKey], form: Form) -> bytes | None:
    """Return the text encrypted with the first of ``keys``, or ``None`` if it is; raises ``StorageUnavailable`` as :func:`decrypt`."""
    if _key_name(jwe_text, form) == keys[0].name:
        return None
    return encrypt(decrypt(jwe_text, keys, form), keys, form)


def _key_name(jwe_text: bytes, form: Form) -> str:
    parts = jwe_text.split(b".")
    if len(parts) != 5 or bool(parts[1]) is (form.algorithm == "dir") or len(parts[0]) > _MAX_HEADER_CHARACTERS:
        raise entry_damaged()
    try:
        header: Any = json.loads(base64.urlsafe_b64decode(parts[0] + b"=="))
    except (ValueError, RecursionError):
        raise entry_damaged() from None
    name = header.get("kid") if isinstance(header, dict) else None
    if not isinstance(name, str) or header != form.header(name):
        raise entry_damaged()
    return name


def _registry(form: Form) -> JWERegistry:
    from joserfc.jwe import JWERegistry

    registry = JWERegistry(algorithms=[form.algorithm, _ENCRYPTION])
    registry.max_ciphertext_length = MAX_FILE_BYTES
    return registry
