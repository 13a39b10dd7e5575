"""Completion of APIs, providers and paths: the text before the cursor, the lists of the server, and the limits."""

from __future__ import annotations

import time
from typing import Any

import pytest

import jupyter_oidc as oidc
from jupyter_oidc.kernel.completion import completions
from tests.unit.kernel.fake_server import GRANT_PATH, ORDERS, Answer, FakeServer, refusal

APIS = "jupyter-oidc/apis"
PROVIDERS = "jupyter-oidc/providers"
OPERATIONS = "jupyter-oidc/apis/orders/operations"
STOCK = {**ORDERS, "name": "stock", "has_operations": False, "example": None}


def operation(method: str, path: str, obstacle: str | None = None) -> dict[str, Any]:
    return {
        "id": None,
        "method": method,
        "path": path,
        "summary": None,
        "description": None,
        "tags": [],
        "deprecated": False,
        "obstacle": obstacle,
        "parameters": [],
        "body": None,
    }


LISTED = {
    "api": "orders",
    "document": {"title": "Orders", "version": "1.2.0", "openapi": "3.1.0"},
    "operations": [
        operation("GET", "/orders"),
        operation("GET", "/orders/{id}"),
        operation("POST", "/orders"),
        operation("DELETE", "/orders/{id}", "method"),
        operation("GET", "/secrets", "path"),
    ],
    "problems": [],
    "operations_more": 0,
}


@pytest.fixture
def server(kernel: FakeServer) -> FakeServer:
    known = [{"name": name, "issuer": "https://id.example.com", "state": "active"} for name in ("corp", "lab")]
    kernel.answers("GET", APIS, {"apis": [ORDERS, STOCK]})
    kernel.answers("GET", PROVIDERS, {"providers": known})
    kernel.answers("GET", OPERATIONS, LISTED)
    return kernel


@pytest.mark.parametrize(
    ("before", "typed", "offered"),
    [
        ('oidc.api("', "", ["orders", "stock"]),
        ("oidc.api('or", "or", ["orders"]),
        ('x = oidc.async_api( "st', "st", ["stock"]),
        ('oidc.auth("', "", ["orders", "stock"]),
        ('url, headers = oidc.endpoint("o', "o", ["orders"]),
        ('oidc.api(name="', "", ["orders", "stock"]),
        ('oidc.session("', "", ["corp", "lab"]),
        ('oidc.sign_in("l', "l", ["lab"]),
        ('oidc.sign_out(provider="', "", ["corp", "lab"]),
        ('oidc.sign_in("corp", api="', "", ["orders", "stock"]),
        ('oidc.sign_in(prompt="se', "se", ["select_account"]),
        ('oidc.api("orders").get("', "", ["items?limit=5", "orders", "orders/{id}"]),
        ('oidc.api("orders").get("/orders/', "/orders/", ["/orders/{id}"]),
        ('oidc.api("orders", timeout=5).post("', "", ["orders"]),
        ('oidc.api("orders").request("POST", "', "", ["orders"]),
        ('await oidc.async_api("orders").get("or', "or", ["orders", "orders/{id}"]),
        ('oidc.api("orders").delete("', "", []),
        ('oidc.api("stock").get("', "", []),
        ('oidc.api("nothing").get("', "", []),
    ],
)
def test_what_is_being_typed_is_completed_by_the_lists_of_the_server(
    server: FakeServer, before: str, typed: str, offered: list[str]
) -> None:
    assert completions(before, {"oidc": oidc}) == (typed, offered)


@pytest.mark.parametrize("make", [oidc.api, oidc.async_api])
def test_the_paths_of_a_client_in_a_variable_are_completed(server: FakeServer, make: Any) -> None:
    names = {"client": make("orders")}
    assert completions('client.get("orders/', names) == ("orders/", ["orders/{id}"])


@pytest.mark.parametrize(
    ("before", "names"),
    [
        ('other.api("', {"oidc": oidc, "other": object()}),
        ('oidc.api("', {}),
        ('api("', {}),
        ('api("', {"api": print}),
        ('oidc.api("orders").get("', {}),
        ('client.get("', {"client": {"orders": 1}}),
        ('a.client.get("', {"client": 1}),
        ('oidc.sign_in("corp", "', {"oidc": oidc}),
        ('oidc.api("orders", timeout="', {"oidc": oidc}),
        ("oidc.api(", {"oidc": oidc}),
        ('print("', {"oidc": oidc}),
        ("", {}),
    ],
)
def test_other_text_is_not_ours_and_asks_nobody(server: FakeServer, before: str, names: dict[str, Any]) -> None:
    assert completions(before, names) is None
    assert server.received == []


def test_a_function_that_was_imported_by_its_name_is_known(server: FakeServer) -> None:
    assert completions('api("or', {"api": oidc.api}) == ("or", ["orders"])


def test_a_second_completion_asks_no_more(server: FakeServer) -> None:
    for _ in range(3):
        completions('oidc.api("orders").get("', {"oidc": oidc})
    assert [len(server.asked("GET", path)) for path in (APIS, OPERATIONS)] == [1, 1]


def test_a_completion_only_reads_and_begins_no_sign_in(server: FakeServer) -> None:
    for before in ('oidc.sign_in("', 'oidc.api("', 'oidc.api("orders").post("'):
        completions(before, {"oidc": oidc})
    assert {(got.method, got.path) for got in server.received} == {
        ("POST", f"/{GRANT_PATH}"),
        ("GET", f"/{PROVIDERS}"),
        ("GET", f"/{APIS}"),
        ("GET", f"/{OPERATIONS}"),
    }


def test_a_server_that_is_slow_is_waited_for_a_second_and_the_list_is_there_later(server: FakeServer) -> None:
    server.answers("GET", APIS, Answer({"apis": [ORDERS]}, delay=2.0))
    begun = time.monotonic()
    assert completions('oidc.api("', {"oidc": oidc}) == ("", [])
    assert time.monotonic() - begun < 1.8
    time.sleep(1.5)
    assert completions('oidc.api("', {"oidc": oidc}) == ("", ["orders"])
    assert len(server.asked("GET", APIS)) == 1


@pytest.mark.parametrize("answer", [refusal("overloaded", 503), Answer(b"<html>", 404), {"apis": "none"}])
def test_a_failure_is_silent_and_is_not_repeated_at_once(
    server: FakeServer, capfd: pytest.CaptureFixture[str], answer: Any
) -> None:
    server.answers("GET", APIS, answer)
    assert [completions('oidc.api("', {"oidc": oidc}) for _ in range(3)] == [("", [])] * 3
    assert len(server.asked("GET", APIS)) == 1
    assert capfd.readouterr() == ("", "")


def test_a_process_without_a_server_completes_nothing() -> None:
    assert completions('oidc.api("', {"oidc": oidc}) == ("", [])


def test_a_path_that_could_move_the_cursor_is_not_offered(server: FakeServer) -> None:
    server.answers(
        "GET", OPERATIONS, {**LISTED, "operations": [operation("GET", "/a\u202eb"), operation("GET", "/ab")]}
    )
    assert completions('oidc.api("orders").get("a', {"oidc": oidc}) == ("a", ["ab"])
