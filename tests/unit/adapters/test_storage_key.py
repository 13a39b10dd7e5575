"""The variable with the keys of the encrypted file: read once, removed, and never repeated."""

from __future__ import annotations

import base64
import os
import re
import shlex
import subprocess
import sys

import pytest

from jupyter_oidc.adapters.storage_key import VARIABLE, keys_in, take_storage_key
from jupyter_oidc.airlock import reveal, reveal_bytes
from jupyter_oidc.errors import StorageUnavailable
from jupyter_oidc.secret import Secret

ONE = "QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE"  # 32 times the letter A
TWO = "QkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkI"  # 32 times the letter B


def problem_with(variable: str | None) -> StorageUnavailable:
    with pytest.raises(StorageUnavailable) as caught:
        keys_in(None if variable is None else Secret(variable))
    return caught.value


def test_the_variable_is_taken_out_of_the_environment() -> None:
    environ = {VARIABLE: ONE, "HOME": "/home/ada"}
    taken = take_storage_key(environ)
    assert (taken, environ) == (Secret(ONE), {"HOME": "/home/ada"})


def test_a_child_process_does_not_inherit_what_was_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    """D11."""
    monkeypatch.setenv(VARIABLE, ONE)
    take_storage_key(os.environ)
    said = subprocess.run(["env"], capture_output=True, text=True, check=True).stdout
    assert VARIABLE not in said
    assert ONE not in said


def test_a_second_reader_finds_nothing() -> None:
    environ = {VARIABLE: ONE}
    take_storage_key(environ)
    assert take_storage_key(environ) is None


@pytest.mark.parametrize("value", ["", "  ", "\n"], ids=["empty", "blank", "line"])
def test_an_empty_variable_counts_as_none_and_is_removed(value: str) -> None:
    environ = {VARIABLE: value}
    assert (take_storage_key(environ), environ) == (None, {})


@pytest.mark.parametrize(
    "variable",
    [f"{ONE} {TWO}", f"{ONE},{TWO}", f" {ONE} ,\t{TWO}\n", f"{ONE}= {TWO}="],
    ids=["space", "comma", "both", "padded"],
)
def test_several_keys_keep_their_order(variable: str) -> None:
    assert [reveal_bytes(key.secret) for key in keys_in(Secret(variable))] == [b"A" * 32, b"B" * 32]


def test_a_key_has_the_same_name_wherever_it_stands() -> None:
    assert keys_in(Secret(f"{ONE} {TWO}"))[1].name == keys_in(Secret(TWO))[0].name


def test_the_name_of_a_key_is_sixteen_digits_and_no_part_of_it() -> None:
    (key,) = keys_in(Secret(ONE))
    assert re.fullmatch(r"[0-9a-f]{16}", key.name)
    assert bytes.fromhex(key.name) not in reveal_bytes(key.secret)


@pytest.mark.parametrize(
    "wrong",
    [
        "hunter2",
        ONE[:-1],
        ONE + "A",
        ONE + "==",
        base64.urlsafe_b64encode(b"A" * 31).decode(),
        base64.urlsafe_b64encode(b"A" * 33).decode(),
        base64.b64encode(b"\xff" * 32).decode(),
        "A" * 42 + "é",
        "41" * 32,
    ],
    ids=["password", "short", "long", "two pads", "31 bytes", "33 bytes", "other alphabet", "letter", "hexadecimal"],
)
def test_anything_but_32_bytes_in_base64url_is_refused_and_not_repeated(wrong: str) -> None:
    problem = problem_with(f"{ONE} {wrong}")
    assert problem.message == "Key 2 of 2 in JUPYTER_OIDC_STORAGE_KEY is not 32 bytes in base64url."
    assert problem.detail == "storage_key"
    assert wrong not in problem.message + problem.action


def test_a_missing_variable_is_named() -> None:
    assert problem_with(None).message == (
        "There is no key for the encrypted file: JUPYTER_OIDC_STORAGE_KEY is not set."
    )


def test_a_variable_of_separators_holds_no_key() -> None:
    assert problem_with(", ,").detail == "storage_key"


def test_the_command_in_the_refusal_makes_a_key_that_is_accepted() -> None:
    command = re.search(r'python (-c "[^"]+")', problem_with(None).action)
    assert command is not None
    made = subprocess.run([sys.executable, *shlex.split(command[1])], capture_output=True, text=True, check=True).stdout
    assert len(keys_in(Secret(made))) == 1


def test_a_key_shows_itself_nowhere() -> None:
    taken = take_storage_key({VARIABLE: ONE})
    assert taken is not None
    assert reveal(taken) not in repr((taken, keys_in(taken)))
