"""The variable with the keys of the encrypted file is read once, removed, and never repeated."""

from __future__ import annotations

import base64
import os
import re
import resource
import shlex
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from jupyter_oidc.adapters.storage.storage_key import DESCRIPTOR, VARIABLE, keys_in, take_storage_key
from jupyter_oidc.problems import StorageUnavailable
from jupyter_oidc.secret import Secret
from jupyter_oidc.secret_access import reveal, reveal_bytes

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
    """D11: Kernels inherit no token and no storage key."""
    monkeypatch.setenv(VARIABLE, ONE)
    take_storage_key(os.environ)
    said = subprocess.run(["env"], capture_output=True, text=True, check=True).stdout
    assert VARIABLE not in said
    assert ONE not in said


def test_a_second_reader_finds_nothing() -> None:
    environ = {VARIABLE: ONE}
    take_storage_key(environ)
    assert take_storage_key(environ) is None


def is_open(descriptor: int) -> bool:
    try:
        os.fstat(descriptor)
    except OSError:
        return False
    return True


def described(text: str, place: Path | None = None) -> int:
    """Open a descriptor that leads to ``text``: of a pipe, or of a file at ``place``."""
    if place is not None:
        place.write_text(text, encoding="utf-8")
        return os.open(place, os.O_RDONLY)
    reads, writes = os.pipe()
    os.write(writes, text.encode())
    os.close(writes)
    return reads


@pytest.mark.parametrize("of_file", [True, False], ids=["file", "pipe"])
def test_a_key_comes_from_a_descriptor_which_is_closed(tmp_path: Path, of_file: bool) -> None:
    """Q8.5: the key never stands in an environment."""
    descriptor = described(f"{ONE}\n", tmp_path / "key" if of_file else None)
    environ = {DESCRIPTOR: str(descriptor), "HOME": "/home/ada"}
    taken = take_storage_key(environ)
    assert [reveal_bytes(key.secret) for key in keys_in(taken)] == [b"A" * 32]
    assert (environ, is_open(descriptor)) == ({"HOME": "/home/ada"}, False)


def test_a_descriptor_beside_the_variable_is_closed_all_the_same() -> None:
    """Q8.5: sibling: an unused descriptor must not stay open for other code to read."""
    descriptor = described(TWO)
    taken = take_storage_key({VARIABLE: ONE, DESCRIPTOR: str(descriptor)})
    assert (taken, is_open(descriptor)) == (Secret(ONE), False)


@pytest.mark.parametrize("number", ["0", "2", "-1", "x", "999999", "9" * 30])
def test_a_number_that_is_no_descriptor_for_this_says_that_there_is_no_key(number: str) -> None:
    """Q8.5: sibling: the standard streams stay open, whichever number is given."""
    taken = take_storage_key({DESCRIPTOR: number})
    assert problem_of(taken) == (
        "There is no key for the encrypted file in JUPYTER_OIDC_STORAGE_KEY, the descriptor or the credential file."
    )
    assert is_open(0)


def test_a_key_comes_through_a_socket_which_is_closed() -> None:
    """Q8.5: sibling: some launchers hand over a socket; kernels must not inherit it."""
    ours, theirs = socket.socketpair()
    with theirs:
        theirs.sendall(ONE.encode())
        theirs.shutdown(socket.SHUT_WR)
        descriptor = ours.detach()
        assert take_storage_key({DESCRIPTOR: str(descriptor)}) == Secret(ONE)
    assert not is_open(descriptor)


def test_a_key_comes_through_a_descriptor_of_a_large_number() -> None:
    """Q8.5: sibling: ``select`` refuses numbers of 1024 and more, and the descriptor stayed open."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(4096, hard), hard))
    try:
        small = described(ONE)
        os.dup2(small, 1500)
        os.close(small)
        assert take_storage_key({DESCRIPTOR: "1500"}) == Secret(ONE)
        assert not is_open(1500)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_a_descriptor_of_something_else_is_left_alone() -> None:
    """Q8.5: sibling: a wrong number may belong to a socket that the server needs."""
    folder = os.open("/", os.O_RDONLY)
    try:
        assert problem_of(take_storage_key({DESCRIPTOR: str(folder)})) is not None
        assert is_open(folder)
    finally:
        os.close(folder)


@pytest.mark.parametrize("text", ["A" * 70_000, "\xff"], ids=["too long", "no text"])
def test_a_descriptor_that_holds_no_key_says_so(tmp_path: Path, text: str) -> None:
    descriptor = described(text, tmp_path / "key")
    assert problem_of(take_storage_key({DESCRIPTOR: str(descriptor)})) is not None
    assert not is_open(descriptor)


def test_a_pipe_into_which_nobody_writes_does_not_hold_up_the_start_for_ever() -> None:
    reads, writes = os.pipe()
    try:
        assert problem_of(take_storage_key({DESCRIPTOR: str(reads)})) is not None
    finally:
        os.close(writes)


def test_a_key_comes_from_a_credential_file(tmp_path: Path) -> None:
    """Q8.5: systemd hands out the files of ``LoadCredential`` like this."""
    (tmp_path / "jupyter_oidc_storage_key").write_text(f"{ONE}\n", encoding="ascii")
    environ = {"CREDENTIALS_DIRECTORY": str(tmp_path)}
    taken = take_storage_key(environ)
    assert [reveal_bytes(key.secret) for key in keys_in(taken)] == [b"A" * 32]
    assert environ == {"CREDENTIALS_DIRECTORY": str(tmp_path)}


def test_credentials_for_others_are_no_key(tmp_path: Path) -> None:
    (tmp_path / "other").write_text(ONE, encoding="ascii")
    assert take_storage_key({"CREDENTIALS_DIRECTORY": str(tmp_path)}) is None


def test_a_credential_that_cannot_be_read_says_that_there_is_no_key(tmp_path: Path) -> None:
    (tmp_path / "jupyter_oidc_storage_key").mkdir()
    assert problem_of(take_storage_key({"CREDENTIALS_DIRECTORY": str(tmp_path)})) is not None


def problem_of(taken: Secret | None) -> str:
    with pytest.raises(StorageUnavailable) as caught:
        keys_in(taken)
    return caught.value.message


WATCHED = """
import os, sys
from jupyter_oidc.adapters.storage.storage_key import take_storage_key
print("ready", flush=True)
sys.stdin.readline()
take_storage_key(os.environ)
print(os.environ.get("LAST"), flush=True)
sys.stdin.readline()
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="other systems do not show that memory")
def test_whoever_opened_the_environment_of_the_start_does_not_find_the_key_there_later() -> None:
    """Q8.5: a file opened earlier shows the memory as it is now, without the key."""
    environment = {"FIRST": "1", VARIABLE: ONE, "LAST": "2"}
    with subprocess.Popen(
        [sys.executable, "-c", WATCHED], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        with Path(f"/proc/{process.pid}/environ").open("rb") as opened_before:
            process.stdin.write("\n")
            process.stdin.flush()
            last = process.stdout.readline()
            shown = opened_before.read()
        process.stdin.write("\n")
        process.stdin.flush()
    assert (ONE.encode() in shown, b"FIRST=1" in shown, b"LAST=2" in shown, last) == (False, True, True, "2\n")


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
