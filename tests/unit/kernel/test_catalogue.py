"""``oidc.apis()``, the card of a client, ``operations()`` and ``sessions()``: what they show, and what they ask for."""

from __future__ import annotations

import asyncio
import pickle
import time
from typing import Any

import pytest

import jupyter_oidc as oidc
from jupyter_oidc.kernel.catalogue import api_text
from jupyter_oidc.kernel.listing import Column, Listing
from tests.unit.kernel.fake_server import ORDERS, SIGNED_OUT, SUMMARY, Answer, FakeServer, refusal
from tests.unit.kernel.test_completion import LISTED, operation
from tests.unit.kernel.test_display import HOSTILE, Tags

APIS = "jupyter-oidc/apis"
PROVIDERS = "jupyter-oidc/providers"
OPERATIONS = "jupyter-oidc/apis/orders/operations"
EXAMPLE = "jupyter-oidc/apis/orders/operations/example"
STOCK = {
    **ORDERS,
    "name": "stock",
    "title": None,
    "description": None,
    "example": None,
    "docs_url": None,
    "readiness": "missing_entitlement",
    "missing": ["stock.read"],
    "methods": ["GET"],
    "path_prefixes": ["/items/", "/shelves/"],
    "has_operations": False,
}
OLD = {name: ORDERS[name] for name in ("name", "provider", "path", "methods", "callers", "state", "allowed", "missing")}


@pytest.fixture
def server(kernel: FakeServer) -> FakeServer:
    kernel.answers("GET", APIS, {"apis": [ORDERS, STOCK]})
    kernel.answers("GET", OPERATIONS, LISTED)
    return kernel


def asked(server: FakeServer) -> list[str]:
    """The paths of the requests that arrived, but for grants."""
    return [got.path for got in server.received if got.method == "GET"]


# -- apis --------------------------------------------------------------------------------------------------------


def test_the_apis_are_rows_by_number_and_by_name(server: FakeServer) -> None:
    apis: Any = oidc.apis()
    assert (len(apis), apis[0].name, apis["stock"].methods, [api.name for api in apis[:1]]) == (
        2,
        "orders",
        ["GET"],
        ["orders"],
    )
    assert "orders" in apis
    assert "oders" not in apis
    assert apis[1] in apis


def test_a_row_of_another_name_is_a_key_error_with_the_names_that_exist(server: FakeServer) -> None:
    with pytest.raises(KeyError, match=r"No API is called 'oders'\. Did you mean 'orders'\?"):
        oidc.apis()["oders"]


def test_the_table_is_aligned_text(server: FakeServer) -> None:
    assert repr(oidc.apis()).splitlines() == [
        "Name    Title               Status               Methods    Example",
        "------  ------------------  -------------------  ---------  -------------",
        "orders  Orders of the shop  Ready                GET, POST  items?limit=5",
        "stock                       Missing: stock.read  GET",
    ]


def test_the_provider_has_a_column_where_there_are_several(server: FakeServer) -> None:
    server.answers("GET", APIS, {"apis": [ORDERS, {**STOCK, "provider": "lab"}]})
    assert repr(oidc.apis()).splitlines()[0].split() == ["Name", "Title", "Provider", "Status", "Methods", "Example"]


def test_a_table_with_long_texts_is_eighty_columns_wide(server: FakeServer) -> None:
    long = {**ORDERS, "title": "Orders of the shop " * 4, "example": "items/" * 20}
    server.answers("GET", APIS, {"apis": [long, STOCK]})
    assert max(len(line) for line in repr(oidc.apis()).splitlines()) == 80


def test_wide_signs_stay_aligned(server: FakeServer) -> None:
    server.answers("GET", APIS, {"apis": [{**ORDERS, "title": "注文"}, {**STOCK, "title": "abcd"}]})
    lines = repr(oidc.apis()).splitlines()
    assert lines[2].index("Ready") + 2 == lines[3].index("Missing")


def test_a_server_without_apis_is_told_in_a_sentence(server: FakeServer) -> None:
    server.answers("GET", APIS, {"apis": []})
    assert repr(oidc.apis()) == "The Jupyter server opens no API. Ask your administrator to configure one."
    assert "<table" not in oidc.apis()._repr_html_()


def test_an_api_that_is_not_for_kernels_is_not_ready(server: FakeServer) -> None:
    server.answers("GET", APIS, {"apis": [{**ORDERS, "callers": ["browser"]}]})
    (api,) = oidc.apis()
    assert (api.ready, api.status) == (False, "Not open to notebooks")


def test_the_table_of_a_notebook_has_headings_and_links_to_https_only(server: FakeServer) -> None:
    plain_http = {**STOCK, "docs_url": "http://docs.example.com/stock"}
    server.answers("GET", APIS, {"apis": [ORDERS, plain_http]})
    html = oidc.apis()._repr_html_()
    seen = Tags(html)
    assert {"table", "caption", "thead", "tbody", "th"} <= seen.seen
    assert sorted({pair for pair in seen.attributes if pair[0] == "scope"}) == [("scope", "col"), ("scope", "row")]
    assert [value for name, value in seen.attributes if name == "href"] == ["https://docs.example.com/orders"]
    assert "http://docs.example.com/stock" in html


@pytest.mark.parametrize("member", ["title", "description", "example", "docs_url"])
def test_no_text_of_the_settings_becomes_a_tag(server: FakeServer, member: str) -> None:
    value = f"https://docs.example.com/{HOSTILE}" if member == "docs_url" else HOSTILE
    server.answers("GET", APIS, {"apis": [{**ORDERS, member: value}]})
    apis = oidc.apis()
    for html in (apis._repr_html_(), apis[0]._repr_html_()):
        assert not {"script", "img"} & Tags(html).seen


def test_no_text_of_the_settings_moves_the_cursor(server: FakeServer) -> None:
    server.answers("GET", APIS, {"apis": [{**ORDERS, "title": "a\x1b[2Jb\u202ec", "description": "x\ny"}]})
    shown = repr(oidc.apis()) + repr(oidc.apis()[0])
    assert [sign for sign in shown if not sign.isprintable() and sign != "\n"] == []


def test_the_list_of_an_older_server_has_what_it_says(server: FakeServer) -> None:
    server.answers("GET", APIS, {"apis": [OLD]})
    (api,) = oidc.apis()
    assert (api.title, api.example, api.path_prefixes, api.has_operations) == (None, None, [], False)
    assert repr(api).splitlines() == [
        "orders",
        "  status    Whether a call works is not known here",
        "  provider  corp",
        f"  through   {server.url}jupyter-oidc/api/orders/",
        "  methods   GET, POST",
        '  call      oidc.api("orders").get("")',
    ]


def test_each_call_of_apis_asks_anew(server: FakeServer) -> None:
    oidc.apis()
    oidc.apis()
    assert len(server.asked("GET", APIS)) == 2


# -- a client ----------------------------------------------------------------------------------------------------


def test_a_client_shows_its_api(server: FakeServer) -> None:
    assert repr(oidc.api("orders")).splitlines() == [
        "orders: Orders of the shop",
        "  about       Every order, and what was refunded.",
        "  status      Ready",
        "  provider    corp",
        "  address     https://api.example.com/v1/",
        f"  through     {server.url}jupyter-oidc/api/orders/",
        "  methods     GET, POST",
        "  paths       all",
        '  call        oidc.api("orders").get("items?limit=5")',
        '  operations  oidc.api("orders").operations()',
        "  docs        https://docs.example.com/orders",
    ]


def test_the_card_of_a_client_in_a_notebook_has_the_same(server: FakeServer) -> None:
    html = oidc.api("orders")._repr_html_() or ""
    seen = Tags(html)
    assert [value for name, value in seen.attributes if name == "href"] == ["https://docs.example.com/orders"]
    for part in ("Orders of the shop", "Ready", "GET, POST", "items?limit=5"):
        assert part in html


def test_an_asynchronous_client_shows_the_same(server: FakeServer) -> None:
    assert repr(oidc.async_api("orders")) == repr(oidc.api("orders"))


def test_showing_a_client_asks_nobody(server: FakeServer) -> None:
    client = oidc.api("orders")
    server.received.clear()
    assert (repr(client), client._repr_html_()) != ("", "")
    assert server.received == []


def test_the_status_of_a_client_says_how_old_it_is(server: FakeServer) -> None:
    client = oidc.api("orders")
    time.sleep(2.1)
    assert "  status      Ready, 2 s ago" in repr(client).splitlines()


def test_a_status_of_more_than_a_minute_ago_is_not_shown(server: FakeServer) -> None:
    (api,) = [api for api in oidc.apis() if api.name == "orders"]
    assert ("status" in api_text(api, 60.0), "status" in api_text(api, 60.5)) == (True, False)


def test_a_status_of_before_a_sign_out_is_not_shown(server: FakeServer) -> None:
    done = {"local": "done", "revoked": "done", "end_session_url": None, "end_session_address": None}
    server.answers("POST", f"{PROVIDERS}/corp/sign-out", done)
    client = oidc.api("orders")
    oidc.sign_out("corp")
    assert "status" not in repr(client)
    assert "Orders of the shop" in repr(client)


def test_a_client_of_which_nothing_is_known_shows_its_name_and_address(kernel: FakeServer) -> None:
    client = oidc.api("orders")
    assert repr(client) == f"orders\n  address  {kernel.url}jupyter-oidc/api/orders/"
    assert "orders" in (client._repr_html_() or "")


def test_a_client_shows_no_grant(server: FakeServer) -> None:
    client = oidc.api("orders")
    client.get("items")
    shown = repr(client) + (client._repr_html_() or "") + repr(oidc.apis())
    assert [grant for grant in server.issued if grant in shown] == []


def test_a_client_of_no_api_shows_its_address(kernel: FakeServer) -> None:
    assert repr(kernel.client()) == f"OIDCClient('{kernel.url}jupyter-oidc/api/orders/')"


# -- did you mean ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("make", [oidc.api, oidc.async_api, oidc.auth, oidc.endpoint])
def test_a_mistyped_api_is_refused_at_once_with_the_name_that_is_like_it(server: FakeServer, make: Any) -> None:
    with pytest.raises(oidc.errors.UnknownApi) as refused:
        make("oders")
    assert str(refused.value) == (
        "No API is called 'oders'. Did you mean 'orders'? Use one of the APIs that this server has: 'orders', 'stock'. "
        "Run oidc.apis() to see them."
    )
    assert (refused.value.api, refused.value.names) == ("oders", ["orders", "stock"])


def test_a_name_like_no_other_gets_the_list(server: FakeServer) -> None:
    with pytest.raises(oidc.errors.UnknownApi, match=r"No API is called 'xyz'\. Use one of the APIs that"):
        oidc.api("xyz")


def test_a_hundred_clients_cost_one_list(server: FakeServer) -> None:
    for _ in range(50):
        oidc.api("orders")
        oidc.async_api("stock")
    assert asked(server) == [f"/{APIS}"]


def test_a_name_that_is_not_on_the_list_is_looked_for_once_more(server: FakeServer) -> None:
    oidc.api("orders")
    server.answers("GET", APIS, {"apis": [ORDERS, STOCK, {**STOCK, "name": "bills"}]})
    assert oidc.api("bills").api_name == "bills"
    assert len(server.asked("GET", APIS)) == 2


def test_a_mistyped_name_costs_one_list_each_time(server: FakeServer) -> None:
    for _ in range(2):
        with pytest.raises(oidc.errors.UnknownApi):
            oidc.api("oders")
    assert len(server.asked("GET", APIS)) == 2


@pytest.mark.parametrize("answer", [refusal("overloaded", 503), Answer(b"", 404), {"apis": 1}])
def test_a_list_that_cannot_be_had_refuses_no_name(server: FakeServer, answer: Any) -> None:
    server.answers("GET", APIS, answer)
    assert oidc.api("oders").api_name == "oders"


def test_many_names_are_counted(server: FakeServer) -> None:
    server.answers("GET", APIS, {"apis": [{**ORDERS, "name": f"api-{number}"} for number in range(12)]})
    with pytest.raises(oidc.errors.UnknownApi) as refused:
        oidc.api("zzz")
    assert "'api-8', 'api-9' and 2 more." in str(refused.value)
    assert len(refused.value.names) == 12


def test_a_very_long_name_is_cut_in_the_sentence(server: FakeServer) -> None:
    with pytest.raises(oidc.errors.UnknownApi) as refused:
        oidc.api("x" * 100_000)
    assert len(str(refused.value)) < 300


@pytest.mark.parametrize(
    ("call", "typed"), [(oidc.session, "session"), (oidc.sign_in, "sign_in"), (oidc.sign_out, "sign_out")]
)
def test_where_there_are_several_providers_the_sentence_shows_what_to_type(
    kernel: FakeServer, call: Any, typed: str
) -> None:
    kernel.answers("GET", PROVIDERS, {"providers": [provider("corp"), provider("lab")]})
    with pytest.raises(oidc.errors.ProviderUnclear) as unclear:
        call()
    assert str(unclear.value) == (
        f"Several providers are configured. Name one of: 'corp', 'lab'. For example: oidc.{typed}(\"corp\")."
    )


# -- operations --------------------------------------------------------------------------------------------------


def described(method: str, path: str, **members: Any) -> dict[str, Any]:
    return {**operation(method, path), **members}


REFUNDS = {
    **LISTED,
    "operations": [
        described("GET", "/orders", id="listOrders", summary="List orders", tags=["orders"]),
        described("POST", "/orders/{id}/refund", id="refund", summary="Refund an order", obstacle="method"),
        described(
            "GET",
            "/orders/{id}",
            summary="One order",
            description="With its refunds.",
            deprecated=True,
            parameters=[
                {"name": "id", "in": "path", "required": True, "type": "integer", "description": None},
            ],
            body={"media_type": "application/json", "required": True},
        ),
    ],
    "problems": [{"where": "#/paths/~1orders/get", "message": "The reference leads nowhere."}],
    "operations_more": 3,
}


def test_the_operations_are_a_table(server: FakeServer) -> None:
    server.answers("GET", OPERATIONS, REFUNDS)
    assert repr(oidc.api("orders").operations()).splitlines() == [
        "Method  Path                 Summary                 Obstacle",
        "------  -------------------  ----------------------  ---------------------------",
        "GET     /orders              List orders",
        "POST    /orders/{id}/refund  Refund an order         The settings do not open t…",
        "GET     /orders/{id}         One order (deprecated)",
        "#/paths/~1orders/get: The reference leads nowhere.",
        "The document has 3 more, which the server does not list.",
    ]


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("refund", ["/orders/{id}/refund", "/orders/{id}"]),
        ("REFUND post", ["/orders/{id}/refund"]),
        ("get orders", ["/orders", "/orders/{id}"]),
        ("nothing", []),
        ("", ["/orders", "/orders/{id}/refund", "/orders/{id}"]),
    ],
)
def test_the_operations_are_found_by_words(server: FakeServer, search: str, found: list[str]) -> None:
    server.answers("GET", OPERATIONS, REFUNDS)
    assert [one.path for one in oidc.api("orders").operations(search)] == found


def test_a_search_that_finds_nothing_says_so(server: FakeServer) -> None:
    assert repr(oidc.api("orders").operations("zebra")) == "No operation has 'zebra' in it."


def test_an_operation_has_its_parameters_and_body(server: FakeServer) -> None:
    server.answers("GET", OPERATIONS, REFUNDS)
    one = oidc.api("orders").operations()["GET /orders/{id}"]
    assert [(part.name, part.where, part.required, part.type) for part in one.parameters] == [
        ("id", "path", True, "integer")
    ]
    assert one.body is not None
    assert (one.body.media_type, one.body.required) == ("application/json", True)


def test_an_operation_is_found_by_its_id(server: FakeServer) -> None:
    server.answers("GET", OPERATIONS, REFUNDS)
    assert oidc.api("orders").operations()["refund"].path == "/orders/{id}/refund"


def test_an_operation_has_a_cell_and_a_command_from_the_server(server: FakeServer) -> None:
    server.answers("GET", OPERATIONS, REFUNDS)
    reply = {"api": "orders", "method": "POST", "path": "/orders/{id}/refund", "cell": "print(1)", "curl": "curl x"}
    server.answers("GET", EXAMPLE, reply)
    one = oidc.api("orders").operations("refund")[0]
    assert (one.cell, one.curl) == ("print(1)", "curl x")
    assert {got.query for got in server.asked("GET", EXAMPLE)} == {"method=POST&path=%2Forders%2F%7Bid%7D%2Frefund"}


def test_showing_operations_asks_for_no_example(server: FakeServer) -> None:
    server.answers("GET", OPERATIONS, REFUNDS)
    found = oidc.api("orders").operations()
    assert (repr(found), found._repr_html_(), repr(found[0])) != ("", "", "")
    assert server.asked("GET", EXAMPLE) == []


def test_an_operation_can_be_sent_to_another_process(server: FakeServer) -> None:
    one = oidc.api("orders").operations()[0]
    assert pickle.loads(pickle.dumps(one)) == one


def test_a_word_of_a_newer_server_for_an_obstacle_is_shown(server: FakeServer) -> None:
    server.answers("GET", OPERATIONS, {**LISTED, "operations": [described("GET", "/x", obstacle="moon")]})
    assert oidc.api("orders").operations()[0].obstacle_text == "Not open (moon)"


def test_an_asynchronous_client_has_operations_too(server: FakeServer) -> None:
    async def found() -> list[str]:
        return [one.path for one in await oidc.async_api("orders").operations("post")]

    assert asyncio.run(found()) == ["/orders"]


def test_an_api_without_a_document_is_an_error_with_its_sentence(server: FakeServer) -> None:
    server.answers("GET", "jupyter-oidc/apis/stock/operations", refusal("no_operations", 404))
    with pytest.raises(oidc.errors.NoOperations, match="It did not work"):
        oidc.api("stock").operations()


def test_a_client_of_no_api_has_no_operations(kernel: FakeServer) -> None:
    with pytest.raises(TypeError, match=r"Only a client that oidc\.api\(\)"):
        kernel.client().operations()


@pytest.mark.parametrize("member", ["summary", "path"])
def test_no_text_of_a_document_becomes_a_tag(server: FakeServer, member: str) -> None:
    hostile = described("GET", "/x") | {member: f"/{HOSTILE}"}
    server.answers("GET", OPERATIONS, {**LISTED, "operations": [hostile]})
    assert not {"script", "img"} & Tags(oidc.api("orders").operations()._repr_html_()).seen


# -- sessions ----------------------------------------------------------------------------------------------------


def provider(name: str) -> dict[str, str]:
    return {"name": name, "issuer": "https://id.example.com", "state": "active"}


def test_the_sessions_of_all_providers_are_a_table(kernel: FakeServer) -> None:
    kernel.answers("GET", PROVIDERS, {"providers": [provider("corp"), provider("lab")]})
    kernel.answers("GET", f"{PROVIDERS}/corp/session", SUMMARY)
    kernel.answers("GET", f"{PROVIDERS}/lab/session", {**SIGNED_OUT, "provider": "lab"})
    sessions = oidc.sessions()
    assert (sessions["lab"].state, sessions[0].provider) == ("signed-out", "corp")
    assert repr(sessions).splitlines() == [
        "Provider  State          Person        Time                  Type",
        "--------  -------------  ------------  --------------------  -------------------",
        "corp      Signed in      Ada Lovelace  Renewed by itself, …",
        'lab       Not signed in                                      oidc.sign_in("lab")',
    ]
    assert "ada@example.com" not in repr(sessions) + sessions._repr_html_()


def test_without_a_provider_sessions_say_whom_to_ask(kernel: FakeServer) -> None:
    kernel.answers("GET", PROVIDERS, {"providers": []})
    assert repr(oidc.sessions()) == (
        "No provider is configured on this server. Ask your administrator to configure one."
    )


# -- the table itself --------------------------------------------------------------------------------------------


def test_names_are_offered_for_an_index() -> None:
    rows = Listing(["a", "b"], [Column("Name", str)], name=str, what="row", caption="", empty="")
    assert rows._ipython_key_completions_() == ["a", "b"]
