"""A real kernel of a real server looks for APIs and operations: tables, completion, a mistyped name, a cell that runs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from jupyter_oidc.demo.running_kernel import CellRun
from tests.interop.person import Person, at_work
from tests.support.certified_provider import CertifiedProvider
from tests.support.documents import ORDERS
from tests.support.upstream import Upstream

IMPORT = "import jupyter_oidc as oidc"
COMPLETE = "print(sorted(get_ipython().kernel.do_complete({0!r}, len({0!r}))['matches']))"
READ = "_ = oidc.api('orders').operations()"
"""Read the operations once: a completion waits for a second only, and the first read starts a process."""


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("openapi") / "orders.json"
    path.write_text(json.dumps(ORDERS), encoding="utf-8")
    return f"file:{path}"


@pytest.fixture(scope="module")
def api() -> Iterator[Upstream]:
    with Upstream() as upstream:
        yield upstream


@pytest.fixture(scope="module")
def person(
    tmp_path_factory: pytest.TempPathFactory, provider: CertifiedProvider, api: Upstream, document: str
) -> Iterator[Person]:
    orders: dict[str, Any] = {
        "base_url": api.url,
        "methods": ["GET", "POST"],
        "title": "Orders of the shop",
        "example": "orders/1",
        "docs_url": "https://docs.example.com/orders",
        "openapi": document,
    }
    stock = {"base_url": api.url, "methods": ["GET"], "path_prefixes": ["/shelves/"]}
    folder = tmp_path_factory.mktemp("catalogue")
    with at_work(folder, provider, api, changes={"apis": {"orders": orders, "stock": stock}}) as person:
        yield person


def ran(cells: list[CellRun]) -> list[str]:
    """The output of each cell, none of which failed."""
    assert [cell.error for cell in cells] == [None] * len(cells), cells
    return [cell.text.strip() for cell in cells]


def test_before_a_sign_in_names_complete_and_no_sign_in_begins(person: Person) -> None:
    names, providers, paths, table, state = ran(
        person.run(
            f"{IMPORT}\n" + COMPLETE.format('oidc.api("'),
            COMPLETE.format('oidc.sign_in("'),
            f"{READ}\n" + COMPLETE.format('oidc.api("orders").get("orders/'),
            "print(oidc.apis())",
            "print(oidc.session().state)",
        )
    )
    assert (names, providers, paths) == ("['orders', 'stock']", "['corp']", "['orders/1', 'orders/{id}']")
    assert table.splitlines() == [
        "Name    Title               Status         Methods    Example",
        "------  ------------------  -------------  ---------  --------",
        "orders  Orders of the shop  Sign in first  GET, POST  orders/1",
        "stock                       Sign in first  GET",
    ]
    assert state == "signed-out"


def test_a_mistyped_api_is_told_in_the_cell_that_names_it(person: Person) -> None:
    (cell,) = person.run(f"{IMPORT}\noidc.api('oders')")
    assert cell.error == "UnknownApi"
    (said,) = ran(
        person.run(f"{IMPORT}\ntry:\n    oidc.api('oders')\nexcept oidc.errors.UnknownApi as error:\n    print(error)")
    )
    assert said == (
        "No API is called 'oders'. Did you mean 'orders'? Use one of the APIs that this server has: 'orders', 'stock'. "
        "Run oidc.apis() to see them."
    )


@pytest.mark.parametrize("call", ["session", "sign_in", "sign_out"])
def test_a_mistyped_provider_is_told_by_the_server(person: Person, call: str) -> None:
    (cell,) = person.run(f"{IMPORT}\noidc.{call}('crop')")
    assert cell.error == "UnknownProvider"
    (said,) = ran(
        person.run(
            f"{IMPORT}\ntry:\n    oidc.{call}('crop')\nexcept oidc.errors.UnknownProvider as error:\n    print(error)"
        )
    )
    assert said.startswith("No provider is called 'crop'. Did you mean 'corp'?")


def test_an_operation_is_found_by_a_word_and_its_cell_runs(person: Person, api: Upstream) -> None:
    page = person.sign_in()
    assert "You are signed in" in page.text, page.text
    found, paths, shown, command = ran(
        person.run(
            f"{IMPORT}\nclient = oidc.api('orders')\nprint([(one.method, one.path) for one in client.operations('get')])",
            COMPLETE.format('client.get("ord'),
            "_ = oidc.apis(); print(client)",
            "print(client.operations('get')[0].curl)",
        )
    )
    assert (found, paths) == ("[('GET', '/orders/{id}')]", "['orders/1', 'orders/{id}']")
    assert shown.splitlines()[:2] == ["orders: Orders of the shop", "  status      Ready"]
    assert "Authorization" in command or "TOKEN" in command
    api.seen.clear()
    (code,) = ran(person.run(f"{IMPORT}\nprint(oidc.api('orders').operations('get')[0].cell)"))
    ran(person.run(code))
    assert [(seen.method, seen.path.startswith("/v1/orders/")) for seen in api.seen] == [("GET", True)]
