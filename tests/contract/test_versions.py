"""A reader takes what it knows of a reply of an older or a newer server; a server takes the requests of older clients (ADR 48).

The fixtures of a version are never changed: what they hold is promised to those who have that version.
"""

from __future__ import annotations

import copy
import hashlib
import re
from pathlib import Path
from typing import Any

import pytest

from jupyter_oidc import contract
from jupyter_oidc.contract import ContractBroken
from jupyter_oidc.contract.announcement import Announcement
from jupyter_oidc.contract.announcement import read as read_announcement
from jupyter_oidc.contract.reader import read, reader_schema, word_in
from jupyter_oidc.contract.version import CONTRACT_VERSION, server_age, version_in
from tests.contract import fixtures

REPLIES = [name for name in contract.names() if not name.endswith(".request")]
SOURCES = Path(__file__).parents[2] / "labextension-stub" / "src"

FROZEN = {
    0: "9b3f3e71594a7d98",
    1: "1c126be2e78dc5ea",
}
"""The digest of each version's files."""

ADDED_CONTRACTS = {
    "1/grant-leases.reply.json": "77cea7632073cdf8",
    "1/grant.reply.json": "61da95e356c7e03b",
    "1/grants.reply.json": "c53a69c199cfa0bf",
    "1/operation-example.reply.json": "6034a4ef51ea7820",
    "1/operations.reply.json": "9ffa579bf7dd2cca",
}
"""The digests of files of contracts that came after the number of their version: a client from before knows none of them."""

ADDED_CODES = {"broker_unavailable", "no_operations", "openapi_invalid"}
ADDED_WORDS = {"error": ADDED_CODES, "session.reply": {"database"}, "sign-in-progress.reply": ADDED_CODES}
"""Words that came after the number of this version; ``next.json`` shows what a client from before reads of such a word."""


def each_reply(version: int) -> list[Any]:
    """Every reply of ``version`` as a parameter."""
    return [
        pytest.param(name, reply, id=f"{name}-{shows}")
        for name, shown in fixtures.replies(version).items()
        for shows, reply in shown.items()
    ]


def each_request(version: int) -> list[Any]:
    """Every request of ``version`` as a parameter."""
    return [
        pytest.param(name, request, id=f"{name}-{shows}")
        for name, shown in fixtures.requests(version).items()
        for shows, request in shown.items()
    ]


def digest(version: int) -> str:
    """The digest of the files of ``version``."""
    total = hashlib.sha256()
    for file in sorted((fixtures.FOLDER / str(version)).glob("*.json")):
        if f"{version}/{file.name}" not in ADDED_CONTRACTS:
            total.update(f"{file.name}\n".encode() + file.read_bytes())
    return total.hexdigest()[:16]


@pytest.mark.parametrize("version", fixtures.VERSIONS)
def test_the_files_of_a_version_are_never_changed(version: int) -> None:
    """Clients of that version are installed; a change here would hide that they cannot be served any more."""
    assert digest(version) == FROZEN[version]


@pytest.mark.parametrize("file", ADDED_CONTRACTS)
def test_the_file_of_an_added_contract_is_never_changed(file: str) -> None:
    assert hashlib.sha256((fixtures.FOLDER / file).read_bytes()).hexdigest()[:16] == ADDED_CONTRACTS[file]


def test_there_are_fixtures_for_every_version_up_to_this_one() -> None:
    assert tuple(range(CONTRACT_VERSION + 1)) == fixtures.VERSIONS


@pytest.mark.parametrize(("name", "reply"), each_reply(0))
def test_a_reply_of_before_there_was_a_number_is_still_read(name: str, reply: dict[str, Any]) -> None:
    """0.1.0 sent no ``readiness``, ``sharing``, ``settings_pending``, and one ``ready`` that is not known any more."""
    told = read(name, copy.deepcopy(reply))
    assert fixtures.members_of(told) >= fixtures.members_of(reply) - {"/apis/*/ready"}


def test_what_an_older_server_does_not_send_is_filled_in_without_a_promise() -> None:
    (reply,) = fixtures.replies_of(0, "session.reply")
    told = read("session.reply", reply)
    assert (told["settings_pending"], told["sharing"], told["entitlements_more"]) == (False, "none", 0)
    assert [api["readiness"] for api in told["apis"]] == ["other"]
    assert "unknown_words" not in told["apis"][0]


@pytest.mark.parametrize(("name", "reply"), each_reply(1))
def test_a_reply_of_version_1_is_read_whole(name: str, reply: dict[str, Any]) -> None:
    """A member or a word that went, or means something else, would have to be version 2; an added member is filled in."""
    assert fixtures.common_part(read(name, copy.deepcopy(reply)), reply) == reply


def test_every_word_of_version_1_has_a_reply() -> None:
    """The positive control: fixtures that lack a word could not notice that it went."""
    for name in REPLIES:
        words = set(re.findall(r"'([a-z][a-z_-]*)'", str(list(_enumerations(contract.schema(name))))))
        shown = {shows.split(" ")[-1] for shows in fixtures.replies(1)[name]}
        assert words <= shown | ADDED_WORDS.get(name, set()), f"{name}: {words - shown}"


def _enumerations(part: Any) -> Any:
    """Every enumeration of a schema."""
    if isinstance(part, dict):
        if "enum" in part:
            yield part["enum"]
        for one in part.values():
            yield from _enumerations(one)
    elif isinstance(part, list):
        for one in part:
            yield from _enumerations(one)


@pytest.mark.parametrize(
    ("name", "reply", "known"),
    [
        pytest.param(one["contract"], one["reply"], one["read"], id=f"{one['contract']}-{one['shows']}")
        for one in fixtures.of_next_version()
    ],
)
def test_of_a_reply_of_a_newer_server_what_is_known_is_read(
    name: str, reply: dict[str, Any], known: dict[str, Any]
) -> None:
    """Also the front end's tests read these files: both readers come to the same."""
    with pytest.raises(ContractBroken):
        contract.check(name, reply)
    assert read(name, reply) == known


@pytest.mark.parametrize("name", REPLIES)
def test_a_member_that_came_later_has_a_default(name: str) -> None:
    """Otherwise a server that does not send it yet could not be read."""
    oldest = read(name, fixtures.replies(1)[name]["without what is optional"])
    assert read(name, oldest) == oldest


@pytest.mark.parametrize(("name", "request_"), each_request(1))
def test_the_server_takes_every_request_of_version_1(name: str, request_: dict[str, Any]) -> None:
    assert contract.check(name, request_) == request_


@pytest.mark.parametrize(("name", "request_"), each_request(0))
def test_the_server_takes_every_request_of_0_1_0(name: str, request_: dict[str, Any]) -> None:
    assert contract.check(name, request_) == request_


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"sequence": "7"}, "data.sequence"),
        ({"state": 7}, "data.state"),
        ({"state": None}, "data.state"),
        ({"apis": {}}, "data.apis"),
        ({"user": {"sub": 7}}, "data.user"),
        ({"signed_in_at": "yesterday"}, "data.signed_in_at"),
        ({"entitlements": None}, "data.entitlements"),
    ],
)
def test_a_known_member_of_another_type_is_no_reply(change: dict[str, Any], where: str) -> None:
    """Tolerance ends where a meaning would have to be guessed."""
    reply = fixtures.replies_of(1, "session.reply")[0]
    with pytest.raises(ContractBroken) as broken:
        read("session.reply", {**reply, **change})
    assert broken.value.where.startswith(where)


@pytest.mark.parametrize("name", REPLIES)
def test_a_member_that_every_version_sends_must_be_there(name: str) -> None:
    for reply in fixtures.replies_of(1, name)[:1]:
        listed = contract.schema(name)
        needed = [one for one in listed["required"] if "default" not in listed["properties"][one]]
        for member in needed:
            with pytest.raises(ContractBroken):
                read(name, {key: part for key, part in reply.items() if key != member})


@pytest.mark.parametrize("message", [None, [], "text", 7, True, 1.5, [[]], {}])
def test_something_that_is_no_reply_is_refused(message: object) -> None:
    with pytest.raises(ContractBroken):
        read("session.reply", message)


def test_a_server_cannot_write_the_member_in_which_a_reader_keeps_words() -> None:
    reply = fixtures.replies_of(1, "session.reply")[0]
    told = read("session.reply", {**reply, "unknown_words": {"state": "<script>"}})
    assert "unknown_words" not in told


def test_a_long_word_is_cut() -> None:
    reply = {**fixtures.replies_of(1, "session.reply")[0], "state": "x" * 1000}
    assert word_in(read("session.reply", reply), "state") == "x" * 64


def test_a_word_that_is_called_other_is_unknown_like_any() -> None:
    reply = {**fixtures.replies_of(1, "session.reply")[0], "state": "other"}
    assert read("session.reply", reply)["unknown_words"] == {"state": "other"}


def test_reading_changes_nothing_of_what_was_received() -> None:
    reply = fixtures.of_next_version()[0]["reply"]
    before = copy.deepcopy(reply)
    read(fixtures.of_next_version()[0]["contract"], reply)
    assert reply == before


def test_what_a_reader_returns_is_closed_too() -> None:
    """A member that no schema lists goes nowhere, not even to a display (law 8)."""
    assert reader_schema(contract.schema("session.reply"))["additionalProperties"] is False


@pytest.mark.parametrize(
    ("header", "version", "age"),
    [
        ("1", 1, "same"),
        ("2", 2, "newer"),
        ("10", 10, "newer"),
        (None, 0, "older"),
        ("", 0, "older"),
        ("one", 0, "older"),
        ("1.5", 0, "older"),
        ("9" * 5000, 0, "older"),
        ("\u0661", 0, "older"),
    ],
)
def test_a_number_says_which_side_is_older(header: str | None, version: int, age: str) -> None:
    assert (version_in(header), server_age(version_in(header))) == (version, age)


def test_page_and_kernel_read_the_same_version() -> None:
    written = (SOURCES / "contractversion.ts").read_text(encoding="utf-8")
    assert re.findall(r"CONTRACT_VERSION = (\d+)", written) == [str(CONTRACT_VERSION)]


def test_an_announcement_of_a_newer_server_is_read(tmp_path: Path) -> None:
    """A kernel finds its server by that file."""
    announced = Announcement("http://localhost:8888/", None, None, False, "here", 7, "pid:[1]")
    file = tmp_path / "jupyter-oidc-x.json"
    file.write_text(announced.text().replace("{", '{"broker": "unix:/run/x.sock",', 1), encoding="utf-8")
    assert read_announcement(file) == announced
