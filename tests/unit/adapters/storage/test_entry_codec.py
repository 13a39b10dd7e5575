"""The text of a stored entry: its members, and the texts that are read (B20, B22, B23, B34, B35)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from jupyter_oidc.adapters.storage.entry_codec import EntryCodec
from jupyter_oidc.problems import StorageUnavailable
from jupyter_oidc.secret import Secret
from jupyter_oidc.secret_access import reveal
from jupyter_oidc.sessions.entitlements import Entitlements
from jupyter_oidc.sessions.summary import Profile, User
from tests.unit.adapters.entries import entry

WRITTEN = {
    "format": 2,
    "kept_in": "encrypted-file",
    "issuer": "https://id.example.com",
    "client_id": "c1",
    "subject": "a1",
    "scopes": ["openid", "profile"],
    "signed_in_at": 1_800_000_000.5,
    "installation": "here",
    "refresh_token": "rt-1",
}
KEY = {
    "kty": "EC",
    "crv": "P-256",
    "x": "axfR8uEsQkf4vOblY6RA8ncDfYEt6zOg9KE5RdiYwpY",
    "y": "T-NC4v4af5uO5-tKfA-eFivOM1drMV7Oy7ZAaDe_UfU",
    "d": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE",
}
"""Private number one, whose point is the generator of the curve."""
BEFORE = {name: value for name, value in {**WRITTEN, "format": 1}.items() if name != "kept_in"}
"""Entry text of the previous version, which always went into a keyring."""


def codec(**changed: str) -> EntryCodec:
    parts = {"provider": "corp", "issuer": "https://id.example.com", "client_id": "c1", "machine_id": "here"}
    return EntryCodec(**{**parts, **changed})


def text(stored: Any) -> Secret:
    return Secret(json.dumps(stored))


def test_an_entry_is_written_with_its_format_its_place_and_its_owner() -> None:
    assert json.loads(reveal(codec().encode(entry(), "encrypted-file"))) == WRITTEN


def test_the_key_of_a_bound_refresh_token_is_written_beside_it() -> None:
    """X-1: without its key, the token would be worth nothing after a restart."""
    written = codec().encode(entry(dpop_key=Secret(json.dumps(KEY))), "encrypted-file")
    assert json.loads(reveal(written)) == {**WRITTEN, "dpop_key": json.dumps(KEY)}
    assert codec().decode(written, "encrypted-file") == entry(dpop_key=Secret(json.dumps(KEY)))


@pytest.mark.parametrize(
    "key",
    [None, 7, "", KEY, json.dumps({**KEY, "d": KEY["x"]}), json.dumps({**KEY, "y": KEY["x"]})],
    ids=["null", "number", "empty", "object", "another", "no point"],
)
def test_a_damaged_key_is_damage(key: Any) -> None:
    """B20: A damaged entry is never used in part."""
    with pytest.raises(StorageUnavailable) as caught:
        codec().decode(text({**WRITTEN, "dpop_key": key}), "encrypted-file")
    assert caught.value.detail == "storage_corrupt"


def test_a_written_text_shows_itself_nowhere() -> None:
    assert str(codec().encode(entry(), "encrypted-file")) == "<secret>"


def test_the_present_format_is_read() -> None:
    assert codec().decode(text(WRITTEN), "encrypted-file") == entry()


def test_the_format_before_is_read_as_the_keyrings() -> None:
    """B35: Versions read each other's entries, one step back."""
    assert codec().decode(text(BEFORE), "keyring") == entry()


def test_the_format_before_was_never_kept_in_a_file() -> None:
    """B35: Versions read each other's entries, one step back."""
    assert codec().decode(text(BEFORE), "encrypted-file") is None


def test_what_was_written_for_another_store_counts_as_absent() -> None:
    """B22: a moved copy is not in the store that it names."""
    assert codec().decode(text(WRITTEN), "keyring") is None


@pytest.mark.parametrize(
    "stored",
    [
        {**WRITTEN, "format": 3},
        {**WRITTEN, "format": 0},
        {**WRITTEN, "format": "2"},
        {**WRITTEN, "refresh_token": 7},
        {**WRITTEN, "scopes": None},
        {**WRITTEN, "signed_in_at": "yesterday"},
        {name: value for name, value in WRITTEN.items() if name != "kept_in"},
        {name: value for name, value in WRITTEN.items() if name != "installation"},
        [],
        None,
    ],
    ids=["newer", "older", "text", "token", "scopes", "time", "no place", "no installation", "list", "null"],
)
def test_anything_else_is_damage(stored: Any) -> None:
    """B20: A damaged entry is never used in part. B35: Versions read each other's entries, one step back."""
    with pytest.raises(StorageUnavailable) as caught:
        codec().decode(text(stored), "encrypted-file")
    assert caught.value.detail == "storage_corrupt"


@pytest.mark.parametrize(
    "other",
    [{"issuer": "https://other.example.com"}, {"client_id": "c2"}, {"machine_id": "there"}],
    ids=lambda other: next(iter(other)),
)
def test_another_owner_is_given_nothing(other: dict[str, str]) -> None:
    """B23: A token goes only to its own provider. B34: A stored entry belongs to one machine."""
    assert codec(**other).decode(text(WRITTEN), "encrypted-file") is None


@pytest.mark.parametrize(
    "other",
    [{"issuer": "https://o.example"}, {"client_id": "c2"}, {"machine_id": "there"}, {"provider": "staging"}],
    ids=lambda other: next(iter(other)),
)
def test_another_owner_has_another_name(other: dict[str, str]) -> None:
    """B23: A token goes only to its own provider. B34: A stored entry belongs to one machine."""
    assert codec(**other).name() != codec().name()


def test_the_name_stays_the_same_from_version_to_version() -> None:
    """B35: under another name, an upgrade would sign every user out."""
    assert codec().name() == "1a8ad099f6017a2415d4413ca933a25550272b106449281a08aeebcba0e65d1e"


ADA = Profile(
    User("a1", "Ada Lovelace", "ada", "ada@example.com", email_verified=True, picture=None),
    Entitlements(("orders.read",), more=7, known=True),
)


def test_what_may_be_shown_of_the_person_is_written_and_read() -> None:
    """Q9.14: The person is shown right after a restart."""
    written = codec().encode(entry(profile=ADA), "encrypted-file")
    assert json.loads(reveal(written))["profile"] == {
        "user": {"name": "Ada Lovelace", "username": "ada", "email": "ada@example.com", "email_verified": True},
        "entitlements": ["orders.read"],
        "more": 7,
        "known": True,
    }
    assert codec().decode(written, "encrypted-file") == entry(profile=ADA)


@pytest.mark.parametrize(
    "profile",
    [
        None,
        7,
        [],
        {},
        {"user": {"name": 7}, "entitlements": [], "more": 0, "known": True},
        {"user": {}, "entitlements": "orders.read", "more": 0, "known": True},
        {"user": {}, "entitlements": [7], "more": 0, "known": True},
        {"user": {}, "entitlements": [], "more": -1, "known": True},
        {"user": {}, "entitlements": [], "more": 0},
    ],
)
def test_what_is_damaged_of_the_person_costs_no_session(profile: Any) -> None:
    """Q9.14: no check depends on the person's summary, and the next refresh brings it again."""
    assert codec().decode(text({**WRITTEN, "profile": profile}), "encrypted-file") == entry()
