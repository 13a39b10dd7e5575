"""A file with a secret text is encrypted in one way, and opened in no other."""

from __future__ import annotations

import base64
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from joserfc import jwe
from joserfc.jwk import OctKey

from jupyter_oidc.adapters.storage.jwe_file import decrypt, encrypt
from jupyter_oidc.adapters.storage.storage_key import keys_in
from jupyter_oidc.problems import StorageUnavailable
from jupyter_oidc.secret import Secret
from jupyter_oidc.secret_access import reveal

ONE = keys_in(Secret("QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE"))
TWO = keys_in(Secret("QkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkI"))
HEADER = {"alg": "dir", "enc": "A256GCM", "typ": "jupyter_oidc.entry", "kid": ONE[0].name}


def detail_of(sealed: bytes) -> str:
    with pytest.raises(StorageUnavailable) as caught:
        decrypt(sealed, ONE)
    return caught.value.detail


def header_in(sealed: bytes) -> dict[str, str]:
    part = sealed.split(b".")[0]
    header: dict[str, str] = json.loads(base64.urlsafe_b64decode(part + b"=" * (-len(part) % 4)))
    return header


def sealed_with(header: dict[str, object], algorithms: list[str], key: bytes = b"A" * 32) -> bytes:
    """Encrypt ``text`` as another holder of the key might."""
    registry = jwe.JWERegistry(algorithms=algorithms, strict_check_header=False)
    return jwe.encrypt_compact(header, b"text", OctKey.import_key(key), registry=registry).encode()


@pytest.mark.parametrize("text", ["x", "é\n", "t" * 200_000], ids=["one", "odd", "200 KB"])
def test_a_text_comes_back_as_it_was_sealed(text: str) -> None:
    assert reveal(decrypt(encrypt(Secret(text), ONE), ONE)) == text


def test_a_sealed_text_is_a_compact_jwe_with_direct_encryption() -> None:
    """RFC 7518, 4.5: the encrypted key is empty."""
    sealed = encrypt(Secret("text"), ONE)
    assert header_in(sealed) == HEADER
    assert [bool(part) for part in sealed.split(b".")] == [True, False, True, True, True]


def test_another_implementation_of_the_standard_opens_it() -> None:
    opened = jwe.decrypt_compact(encrypt(Secret("text"), ONE), OctKey.import_key(b"A" * 32))
    assert opened.plaintext == b"text"


def test_the_same_text_is_never_sealed_the_same_way_twice() -> None:
    assert encrypt(Secret("text"), ONE) != encrypt(Secret("text"), ONE)


def test_the_first_key_encrypts() -> None:
    assert header_in(encrypt(Secret("text"), (*TWO, *ONE)))["kid"] == TWO[0].name


@pytest.mark.parametrize("keys", [(*ONE, *TWO), (*TWO, *ONE)], ids=["first", "second"])
def test_every_key_decrypts(keys: tuple[object, ...]) -> None:
    assert reveal(decrypt(encrypt(Secret("text"), ONE), keys)) == "text"  # type: ignore[arg-type]


def test_an_unknown_key_is_no_damage() -> None:
    assert detail_of(encrypt(Secret("text"), TWO)) == "storage_key"


@pytest.mark.parametrize("part", [2, 3, 4], ids=["iv", "ciphertext", "tag"])
def test_a_changed_part_is_damage(part: int) -> None:
    """B20: A damaged entry is never used in part."""
    parts = encrypt(Secret("a text of some length"), ONE).split(b".")
    parts[part] = bytes([parts[part][0] ^ 1]) + parts[part][1:]
    assert detail_of(b".".join(parts)) == "storage_corrupt"


@pytest.mark.parametrize(
    "change",
    [
        {"alg": "A256KW"},
        {"enc": "A128CBC-HS256"},
        {"typ": "jupyter_oidc.entry2"},
        {"zip": "DEF"},
        {"crit": ["b64"]},
        {"kid": 7},
        {"kid": None},
    ],
    ids=lambda change: "{}={!r:.9}".format(*next(iter(change.items()))),
)
def test_a_header_that_we_would_not_write_is_damage(change: dict[str, object]) -> None:
    """B20, B35: the file never chooses the algorithm."""
    header = base64.urlsafe_b64encode(json.dumps({**HEADER, **change}).encode()).rstrip(b"=")
    assert detail_of(b".".join((header, *encrypt(Secret("text"), ONE).split(b".")[1:]))) == "storage_corrupt"


def test_another_algorithm_with_the_right_key_is_damage() -> None:
    sealed = sealed_with({**HEADER, "alg": "A256KW"}, ["A256KW", "A256GCM"])
    assert detail_of(sealed) == "storage_corrupt"


def test_a_packed_text_with_the_right_key_is_damage() -> None:
    sealed = sealed_with({**HEADER, "zip": "DEF"}, ["dir", "A256GCM", "DEF"])
    assert detail_of(sealed) == "storage_corrupt"


@pytest.mark.parametrize(
    "sealed",
    [b"", b"not a JWE", b"....", b"a.b.c", b"W10....", b"\xff\xfe" * 9, b"." * 4_000, b"W" * 100_000 + b"...."],
    ids=["empty", "text", "dots", "three parts", "list", "bytes", "many dots", "long"],
)
def test_something_else_is_damage(sealed: bytes) -> None:
    """B20: A damaged entry is never used in part."""
    assert detail_of(sealed) == "storage_corrupt"


@settings(max_examples=300, deadline=None)
@given(some.integers(0, 10_000), some.binary(max_size=3), some.integers(0, 3))
def test_no_change_anywhere_is_taken_for_the_text(place: int, put: bytes, cut: int) -> None:
    """B20: opening returns the text or refuses, and never raises an error of another library."""
    before = encrypt(Secret("a text"), ONE)
    place %= len(before)
    after = before[:place] + put + before[place + cut :]
    try:
        found = reveal(decrypt(after, ONE))
    except StorageUnavailable as problem:
        found = problem.detail
    assert found in ("a text", "storage_corrupt", "storage_key")
