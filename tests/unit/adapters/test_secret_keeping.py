"""A client secret that a set-up keeps: whole, for this user alone, and taken away again if the set-up fails."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from keyring.backend import KeyringBackend

from jupyter_oidc.adapters.storage.keyring_backends import use_backend
from jupyter_oidc.adapters.storage.secret_keeping import keep_in_file, keep_in_keyring
from jupyter_oidc.adapters.storage.secret_refs import resolve
from jupyter_oidc.problems import StorageUnavailable
from jupyter_oidc.secret import Secret

FIRST, SECOND = Secret("the first client secret"), Secret("the second client secret")


class Kept(KeyringBackend):
    """A keyring in memory; one that ``forgets`` drops what is written."""

    priority = 1

    def __init__(self, *, forgets: bool = False) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # NOTE: keyring has no types here
        self.entries: dict[tuple[str, str], str] = {}
        self.forgets = forgets

    def get_password(self, service: str, username: str) -> str | None:
        return self.entries.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        if not self.forgets:
            self.entries[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        del self.entries[service, username]


@pytest.fixture
def keyring() -> Iterator[Kept]:
    kept = Kept()
    use_backend(kept)
    yield kept
    use_backend(None)


def test_a_secret_in_the_keyring_is_found_by_its_reference(keyring: Kept) -> None:
    kept = keep_in_keyring(FIRST, "corp")
    assert (kept.reference.scheme, kept.reference.name) == ("keyring", "jupyter_oidc-client/corp")
    assert resolve(kept.reference) == FIRST
    keep_in_keyring(SECOND, "corp").undo()
    assert resolve(kept.reference) == FIRST
    kept.undo()
    assert keyring.entries == {}


def test_a_keyring_that_keeps_nothing_is_not_trusted(keyring: Kept) -> None:
    keyring.forgets = True
    with pytest.raises(StorageUnavailable, match="did not keep the secret"):
        keep_in_keyring(FIRST, "corp")


def test_a_secret_in_a_file_is_for_this_user_alone_and_comes_back_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "sub" / "corp.secret"
    kept = keep_in_file(FIRST, path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert resolve(kept.reference) == FIRST
    keep_in_file(SECOND, path).undo()
    assert resolve(kept.reference) == FIRST
    kept.undo()
    assert list(path.parent.iterdir()) == []


def test_a_link_in_the_place_of_the_file_is_replaced_and_not_followed(tmp_path: Path) -> None:
    """Another user's file, or a shared one, does not get the secret."""
    shared, path = tmp_path / "shared", tmp_path / "corp.secret"
    shared.write_text("", encoding="utf-8")
    path.symlink_to(shared)
    keep_in_file(FIRST, path)
    assert (shared.read_text(encoding="utf-8"), path.is_symlink()) == ("", False)
