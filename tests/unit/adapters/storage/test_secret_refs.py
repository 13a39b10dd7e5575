"""A client secret is a reference, which is read when needed and never quoted (B17, B21, T-12)."""

from __future__ import annotations

import threading
import time
import traceback
from collections.abc import Callable
from pathlib import Path

import pytest
from keyring.backend import KeyringBackend

from jupyter_oidc.adapters.storage.secret_refs import resolve
from jupyter_oidc.problems import ConfigurationInvalid, Problem, StorageUnavailable
from jupyter_oidc.secret_access import reveal
from jupyter_oidc.settings import SecretRef
from tests.support.marker import MARKER
from tests.unit.adapters import rings

VALUE = MARKER + "client-secret"
Use = Callable[[KeyringBackend], KeyringBackend]


def answer_prompts(ring: rings.HangingRing) -> None:
    ring.hanging = False
    ring.answered.set()
    for thread in threading.enumerate():
        if thread.name == "jupyter_oidc-secret":
            thread.join(5)


def missing(reference: SecretRef) -> str:
    with pytest.raises(ConfigurationInvalid) as caught:
        resolve(reference)
    return caught.value.message


# -- env -----------------------------------------------------------------------------------------------------


def test_a_secret_is_read_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CORP_SECRET", VALUE)
    assert reveal(resolve(SecretRef("env", "CORP_SECRET"))) == VALUE


def test_a_secret_in_the_environment_is_taken_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CORP_SECRET", " two words \n")
    assert reveal(resolve(SecretRef("env", "CORP_SECRET"))) == " two words \n"


def test_a_variable_that_is_not_set_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CORP_SECRET", raising=False)
    assert missing(SecretRef("env", "CORP_SECRET")) == (
        "The client secret 'env:CORP_SECRET' is empty or does not exist."
    )


def test_an_empty_variable_is_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CORP_SECRET", "")
    assert missing(SecretRef("env", "CORP_SECRET")) == (
        "The client secret 'env:CORP_SECRET' is empty or does not exist."
    )


# -- file ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content",
    [b"s3cret", b"s3cret\n", b"s3cret\r\n", b"\n s3cret \n\n", b"\xef\xbb\xbfs3cret\r\n"],
    ids=["bare", "newline", "Windows newline", "blank lines", "byte order mark"],
)
def test_a_secret_is_read_from_a_file_without_what_editors_add(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "secret"
    path.write_bytes(content)
    assert reveal(resolve(SecretRef("file", str(path)))) == "s3cret"


def test_a_secret_inside_the_home_folder_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    (tmp_path / "secret").write_text("s3cret")
    assert reveal(resolve(SecretRef("file", "~/secret"))) == "s3cret"


def test_a_file_is_read_anew_each_time(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_text("old")
    resolve(SecretRef("file", str(path)))
    path.write_text("new")
    assert reveal(resolve(SecretRef("file", str(path)))) == "new"


@pytest.mark.parametrize(
    "content",
    [None, b"", b" \n", b"\xff\xfe\x00", b"x" * 16_385],
    ids=["missing", "empty", "blank", "not text", "too large"],
)
def test_a_file_without_a_usable_secret_is_named(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "secret"
    if content is not None:
        path.write_bytes(content)
    assert missing(SecretRef("file", str(path))) == f"The client secret 'file:{path}' is empty or does not exist."


@pytest.mark.parametrize("name", ["~nobody-of-this-name/secret", "a\0b", "/"], ids=["no home", "zero byte", "folder"])
def test_a_path_that_leads_to_no_file_is_refused_in_our_words(name: str) -> None:
    assert missing(SecretRef("file", name)) == f"The client secret 'file:{name}' is empty or does not exist."


def test_the_content_of_an_unusable_file_is_not_quoted(tmp_path: Path) -> None:
    """T-12: Secrets never reach logs, pages or URLs."""
    path = tmp_path / "provider"
    path.write_bytes(VALUE.encode() + b"\xff")
    with pytest.raises(ConfigurationInvalid) as caught:
        resolve(SecretRef("file", str(path)))
    path.unlink()
    assert VALUE not in "".join(traceback.format_exception(caught.value))


# -- keyring -------------------------------------------------------------------------------------------------


def test_a_secret_is_read_from_the_keyring(use_ring: Use) -> None:
    use_ring(rings.Ring()).set_password("corp-oidc", "client", VALUE)
    assert reveal(resolve(SecretRef("keyring", "corp-oidc/client"))) == VALUE


def test_the_user_of_a_keyring_entry_may_contain_a_slash(use_ring: Use) -> None:
    use_ring(rings.Ring()).set_password("corp-oidc", "team/client", VALUE)
    assert reveal(resolve(SecretRef("keyring", "corp-oidc/team/client"))) == VALUE


def test_a_keyring_entry_that_does_not_exist_is_named(use_ring: Use) -> None:
    use_ring(rings.Ring())
    assert missing(SecretRef("keyring", "corp-oidc/client")) == (
        "The client secret 'keyring:corp-oidc/client' is empty or does not exist."
    )


class QuotingRing(rings.Ring):
    """Quote the secret in its error."""

    def get_password(self, service: str, username: str) -> str | None:
        raise OSError(f"the entry with {VALUE} cannot be opened")


@pytest.mark.parametrize(
    ("ring", "detail"),
    [
        (rings.LockedRing(), "keyring_locked"),
        (QuotingRing(), "keyring_failed"),
        (rings.HangingRing(), "keyring_timeout"),
    ],
    ids=["locked", "fails", "hangs"],
)
def test_a_keyring_that_fails_is_not_taken_for_an_empty_one(use_ring: Use, ring: KeyringBackend, detail: str) -> None:
    """B16: A locked keyring is reported, without prompts.

    B17: A keyring that hangs holds up nothing else.
    B21: Keyring failures are reported in our own words.
    """
    use_ring(ring)
    with pytest.raises(StorageUnavailable) as caught:
        resolve(SecretRef("keyring", "corp-oidc/client"), keyring_timeout=0.1)
    assert caught.value.detail == detail
    if isinstance(ring, rings.HangingRing):
        answer_prompts(ring)


def test_bytes_that_are_no_text_are_no_secret_and_are_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CORP", f"{VALUE}\udcff")
    with pytest.raises(ConfigurationInvalid, match="is no text in UTF-8") as caught:
        resolve(SecretRef("env", "CORP"))
    assert VALUE not in "".join(traceback.format_exception(caught.value)) + repr(caught.value)


def test_a_keyring_that_hangs_is_given_up_after_the_deadline(use_ring: Use) -> None:
    """B17: A keyring that hangs holds up nothing else."""
    ring = rings.HangingRing()
    use_ring(ring)
    began = time.monotonic()
    with pytest.raises(StorageUnavailable):
        resolve(SecretRef("keyring", "corp-oidc/client"), keyring_timeout=0.1)
    assert time.monotonic() - began < 2
    answer_prompts(ring)


def test_what_a_keyring_says_of_a_failure_goes_no_further(use_ring: Use) -> None:
    """B21: Keyring failures are reported in our own words. T-12: Secrets never reach logs, pages or URLs."""
    use_ring(QuotingRing())
    with pytest.raises(Problem) as caught:
        resolve(SecretRef("keyring", "corp-oidc/client"))
    assert VALUE not in "".join(traceback.format_exception(caught.value)) + repr(caught.value)


def test_a_keyring_that_hangs_collects_no_threads(use_ring: Use) -> None:
    """B17: two calls that hang are the limit; repeated sign-ins open no third prompt."""
    ring = rings.HangingRing()
    use_ring(ring)
    ring.entries["corp-oidc", "client"] = VALUE
    reference = SecretRef("keyring", "corp-oidc/client")
    for _ in range(5):
        with pytest.raises(StorageUnavailable):
            resolve(reference, keyring_timeout=0.05)
    assert ring.waited == 2
    answer_prompts(ring)
    assert reveal(resolve(reference)) == VALUE
