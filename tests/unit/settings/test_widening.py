"""Some changes of settings widen a session; a running session follows only those that do not (ADR 30)."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_oidc.settings import Api, Provider, SecretRef
from jupyter_oidc.settings.widening import widens, without_widening

ORDERS = Api("orders", "corp", "https://orders.example/v1/")
CORP = Provider("corp", "https://id.example", "jupyter", apis=(ORDERS,))
SECRET = SecretRef("env", "SECRET")


def corp(**changes: Any) -> Provider:
    return replace(CORP, **changes)


def orders(**changes: Any) -> Provider:
    return corp(apis=(replace(ORDERS, **changes),))


@pytest.mark.parametrize(
    ("before", "after", "names"),
    [
        (CORP, corp(ca_bundle="/own.pem"), ("ca_bundle",)),
        (corp(ca_bundle="/a.pem"), corp(ca_bundle="/b.pem"), ("ca_bundle",)),
        (CORP, corp(egress_proxy="http://own.example:1"), ("egress_proxy",)),
        (corp(egress_proxy="http://proxy.example:1"), CORP, ("egress_proxy",)),
        (CORP, corp(client_certificate="/own.pem"), ("client_certificate",)),
        (CORP, corp(client_secret=SECRET), ("client_secret",)),
        (CORP, corp(scopes=(*CORP.scopes, "admin")), ("scopes",)),
        (CORP, corp(userinfo_required=False), ("userinfo_required",)),
        (CORP, corp(allow_insecure_loopback=True), ("allow_insecure_loopback",)),
        (CORP, corp(http_timeout=60.0), ("http_timeout",)),
        (corp(max_age=60), CORP, ("max_age",)),
        (corp(prompt="login"), CORP, ("prompt",)),
        (corp(allowed_sign_out_origins=("https://id.example",)), CORP, ("allowed_sign_out_origins",)),
        (CORP, corp(allowed_sign_out_origins=("https://own.example",)), ("allowed_sign_out_origins",)),
        (
            corp(allowed_sign_out_origins=("https://id.example",)),
            corp(allowed_sign_out_origins=("https://id.example", "https://own.example")),
            ("allowed_sign_out_origins",),
        ),
        (corp(sign_out_method="none"), corp(sign_out_method="link"), ("sign_out_method",)),
        (corp(sign_out_method="link"), CORP, ("sign_out_method",)),
        (corp(dpop_bound_access_tokens=True), CORP, ("dpop_bound_access_tokens",)),
        (CORP, corp(apis=(ORDERS, replace(ORDERS, name="loot"))), ("apis.loot",)),
        (CORP, orders(base_url="https://own.example/"), ("apis.orders.base_url",)),
        (CORP, orders(bearer_token_source="id_token"), ("apis.orders.bearer_token_source",)),
        (CORP, orders(methods=("GET", "DELETE")), ("apis.orders.methods",)),
        (orders(path_prefixes=("/a/",)), orders(path_prefixes=("/a/", "/b/")), ("apis.orders.path_prefixes",)),
        (orders(path_prefixes=("/a",)), orders(path_prefixes=("/ab",)), ("apis.orders.path_prefixes",)),
        (orders(callers=("browser",)), CORP, ("apis.orders.callers",)),
        (CORP, orders(openapi="/openapi.json"), ("apis.orders.openapi",)),
        (orders(openapi="/openapi.json"), orders(openapi="/admin.json"), ("apis.orders.openapi",)),
        (CORP, orders(request_headers=frozenset({"x-own"})), ("apis.orders.request_headers",)),
        (CORP, orders(reply_headers=frozenset({"x-own"})), ("apis.orders.reply_headers",)),
        (CORP, orders(timeout_idle=86_400.0), ("apis.orders.timeout_idle",)),
        (orders(max_request_bytes=5), CORP, ("apis.orders.max_request_bytes",)),
        (CORP, orders(max_in_flight=101), ("apis.orders.max_in_flight",)),
        (CORP, orders(allow_private_network=True), ("apis.orders.allow_private_network",)),
        (CORP, orders(audience="https://other.example"), ("apis.orders.audience",)),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, tuple) else "",
)
def test_what_opens_more_or_something_else_waits(before: Provider, after: Provider, names: tuple[str, ...]) -> None:
    """Q8.1: wider hosts, authorities, proxies, certificates, headers, methods, paths, callers, tokens, limits wait."""
    assert widens(before, after) == names
    assert without_widening(before, after) == before


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (CORP, corp(apis=())),
        (orders(openapi="/openapi.json"), CORP),
        (CORP, orders(title="T", description="D", example="items", docs_url="https://docs.example/")),
        (CORP, corp(scopes=("openid",))),
        (CORP, corp(entitlement_claims=("groups",))),
        (CORP, corp(max_age=60)),
        (CORP, corp(prompt="login")),
        (CORP, corp(clock_skew=5.0)),
        (CORP, corp(sign_out_method="link")),
        (CORP, corp(sign_out_method="none")),
        (corp(allowed_sign_out_origins=("https://a", "https://b")), corp(allowed_sign_out_origins=("https://a",))),
        (corp(ca_bundle="/a.pem"), CORP),
        (corp(trusted_audiences=("a",)), CORP),
        (CORP, orders(methods=("GET",))),
        (CORP, orders(path_prefixes=("/a/",))),
        (orders(path_prefixes=("/a",)), orders(path_prefixes=("/a/b",))),
        (CORP, orders(callers=("browser",))),
        (CORP, orders(requires=("orders.read",))),
        (CORP, orders(max_request_bytes=5)),
        (CORP, orders(timeout_header=1.0)),
        (orders(allow_private_network=True), CORP),
    ],
)
def test_what_only_narrows_is_followed_at_once(before: Provider, after: Provider) -> None:
    """Q8.1: Wider settings wait for the next sign-in."""
    assert widens(before, after) == ()
    assert without_widening(before, after) == after


def test_a_change_that_does_both_is_split() -> None:
    """Q8.1: fewer methods apply at once; the other host waits, and with it the paths, which mean others there."""
    after = orders(methods=("GET",), base_url="https://own.example/", path_prefixes=("/a/",))
    assert widens(CORP, after) == ("apis.orders.base_url", "apis.orders.path_prefixes")
    assert without_widening(CORP, after) == orders(methods=("GET",))


VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.sampled_from([0, 1, 5.0, "a", "https://a.example/"]),
    st.sampled_from([(), ("a",), ("a", "b"), frozenset({"x"})]),
)


@given(st.sampled_from([one.name for one in fields(Provider) if one.name not in ("apis", "name")]), VALUES)
def test_what_is_followed_never_widens(name: str, value: Any) -> None:
    """Q8.1: for any change of a field, a running session follows nothing that opens more than before."""
    before = getattr(CORP, name)
    if before is not None and type(before) is not type(value):
        return
    now = without_widening(CORP, corp(**{name: value}))
    assert widens(CORP, now) == ()
    assert getattr(now, name) in (before, value)
