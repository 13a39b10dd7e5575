"""Entitlements are found in claims of any shape, and a long list is cut to its limits."""

from __future__ import annotations

import json
from typing import Any

import pytest

from jupyter_oidc.sessions.entitlements import Entitlements, entitlements_of
from jupyter_oidc.web.views import summary_view
from tests.unit.sessions.fake_environment import FakeEnvironment

USUAL = ("roles", "groups", "permissions")
SCOPES = ("scope", "scp")


def found(claims: dict[str, Any], *paths: Any, scope_claims: tuple[str, ...] = SCOPES) -> tuple[str, ...]:
    return entitlements_of(claims, paths or USUAL, scope_claims).names


@pytest.mark.parametrize(
    ("claims", "names"),
    [
        ({"groups": "Domain Users"}, ("Domain Users",)),
        ({"roles": "no admin here"}, ("no admin here",)),
        ({"groups": ["Domain Users", "a b"]}, ("Domain Users", "a b")),
        ({"permissions": "read\tall"}, ("read\tall",)),
        ({"roles": ""}, ()),
        ({"roles": ["", "a", "a"]}, ("a",)),
    ],
)
def test_a_text_is_one_entitlement(claims: dict[str, Any], names: tuple[str, ...]) -> None:
    """Q2.1: a user whose only group is called 'no admin here' is no admin."""
    assert found(claims) == names


@pytest.mark.parametrize("path", ["scope", "scp", "token.scope", ("token", "scope")])
def test_a_claim_of_scopes_is_a_list_with_blanks_in_between(path: Any) -> None:
    """Q2.1; RFC 6749, 3.3: scopes are separated by spaces."""
    claims = dict.fromkeys(("scope", "scp"), "orders.read  orders.write")
    assert found({**claims, "token": {"scope": "orders.read orders.write"}}, path) == ("orders.read", "orders.write")


def test_the_settings_say_which_claims_are_scopes() -> None:
    """Q2.1: A text with blanks is one entitlement."""
    claims = {"permissions": "read write", "scope": "read write"}
    assert found(claims, "permissions", scope_claims=("permissions",)) == ("read", "write")
    assert found(claims, "scope", scope_claims=("permissions",)) == ("read write",)


@pytest.mark.parametrize(
    ("roles", "names"),
    [
        ({"admin": {"2011": "corp.example.com"}, "viewer": {}}, ("admin", "viewer")),
        ({"admin": True, "owner": False, "guest": None}, ("admin",)),
        ([{"name": "admin"}, {"name": "viewer", "value": "x"}], ("admin", "viewer")),
        ([{"value": "4711", "display": "Admins"}, "plain"], ("4711", "plain")),
        ([{"name": "", "value": "4711"}], ("4711",)),
        ([{"name": 7}, {}, None, 7, ["a"], True], ()),
        (7, ()),
        (True, ()),
    ],
)
def test_objects_stand_for_their_keys_or_their_names(roles: Any, names: tuple[str, ...]) -> None:
    """Q2.2: claims may be an object of roles or a list of objects; a role with a false value is not held."""
    assert found({"roles": roles}) == names


@pytest.mark.parametrize(
    ("claims", "path"),
    [
        ({"realm_access": {"roles": ["a"]}}, "realm_access.roles"),
        ({"https://example.com/roles": ["a"]}, "https://example.com/roles"),
        ({"urn:zitadel:iam:org:project:roles": {"a": {}}}, "urn:zitadel:iam:org:project:roles"),
        ({"resource_access": {"my.client": {"roles": ["a"]}}}, "resource_access.my.client.roles"),
        ({"https://example.com/claims": {"v1.2": {"roles": ["a"]}}}, "https://example.com/claims.v1.2.roles"),
        ({"a": {"b": {"c": ["no"]}}, "a.b": {"c": ["a"]}}, "a.b.c"),
        ({"a": {"b": {"c": ["a"]}}, "a.b": "no"}, "a.b.c"),
        ({"a.b": {"c": ["no"]}, "a": {"b.c": ["no"]}, "a.b.c": ["a"]}, "a.b.c"),
        ({"resource_access": {"my.client": {"roles": ["a"]}}}, ("resource_access", "my.client", "roles")),
        ({"a": {"b": ["a"]}, "a.b": ["no"]}, ("a", "b")),
        ({"a.b": ["a"]}, ("a.b",)),
    ],
)
def test_a_nested_claim_is_found_whatever_its_keys_are_called(claims: dict[str, Any], path: Any) -> None:
    """Q2.4: the longest key that leads to the end counts; a list of keys is followed to the letter."""
    assert found(claims, path) == ("a",)


@pytest.mark.parametrize("path", ["a.b.c", ("a", "b", "c"), "a.b.c.d"])
@pytest.mark.parametrize("claims", [{}, {"a": 7}, {"a": {"b": ["c"]}}, {"a": None}, {"a.b": {}}])
def test_a_path_that_leads_nowhere_finds_nothing(claims: dict[str, Any], path: Any) -> None:
    """Q2.4: Claim names may contain dots and slashes."""
    assert found(claims, path) == ()


@pytest.mark.parametrize(
    "claims",
    [
        {"_claim_names": {"groups": "src1"}, "_claim_sources": {"src1": {"endpoint": "https://graph.example.com"}}},
        {"hasgroups": True},
        {"hasgroups": "true"},
        {"hasgroups": True, "roles": ["orders.read"]},
    ],
)
def test_groups_that_the_provider_did_not_list_are_unknown(claims: dict[str, Any]) -> None:
    """Q2.3; OpenID Connect Core 1.0, 5.6.2: ``_claim_names`` lists claims that are elsewhere."""
    held = entitlements_of(claims, USUAL, SCOPES)
    assert held.known is False
    assert held.missing(["orders.write"]) == ()


@pytest.mark.parametrize(
    "claims",
    [
        {"_claim_names": {"address": "src1"}},
        {"_claim_names": ["groups"]},
        {"_claim_names": {"groups": "src1"}, "groups": ["a"]},
        {"hasgroups": False},
        {"hasgroups": True, "groups": ["a"]},
        {},
    ],
)
def test_what_was_listed_or_never_there_is_known(claims: dict[str, Any]) -> None:
    """Q2.3: only a claim that the provider says it left out is unknown."""
    held = entitlements_of(claims, USUAL, SCOPES)
    assert held.known is True
    assert held.missing(["orders.write"]) == ("orders.write",)


def test_a_nested_claim_that_was_left_out_is_unknown_too() -> None:
    """Q2.3: the provider leaves out whole members of the document."""
    claims = {"_claim_names": {"realm_access": "src1"}}
    assert entitlements_of(claims, ("realm_access.roles",), SCOPES).known is False
    assert entitlements_of(claims, (("realm_access", "roles"),), SCOPES).known is False


async def test_an_api_stays_open_where_the_provider_did_not_list_groups() -> None:
    """Q2.3: the API itself decides."""
    fake_environment = FakeEnvironment()
    fake_environment.provider.userinfo |= {"_claim_names": {"groups": "src1"}, "_claim_sources": {"src1": {}}}
    await fake_environment.sign_in()
    summary = await fake_environment.service.view.summary()
    assert (summary.entitlements_known, summary.apis[0].allowed, summary.apis[0].missing) == (False, True, ())


async def test_a_summary_of_twenty_thousand_roles_is_small_and_says_how_many_more_there_are() -> None:
    """Q8.17: Thousands of roles do not swell the summary."""
    fake_environment = FakeEnvironment()
    fake_environment.provider.userinfo |= {"roles": [f"role-{number:05}" for number in range(20_000)]}
    await fake_environment.sign_in()
    summary = await fake_environment.service.view.summary()
    assert (len(summary.entitlements), summary.entitlements_more) == (200, 19_800)
    assert len(json.dumps(summary_view(summary, "none"))) < 8_000


async def test_a_role_that_an_api_requires_counts_and_is_shown_wherever_it_stands() -> None:
    """Q8.17: the limit applies to the display only."""
    fake_environment = FakeEnvironment()
    fake_environment.provider.userinfo |= {"roles": [f"role-{number:05}" for number in range(20_000)] + ["orders.read"]}
    await fake_environment.sign_in()
    summary = await fake_environment.service.view.summary()
    assert (summary.apis[0].allowed, summary.entitlements[-1]) == (True, "orders.read")


async def test_a_role_that_is_missing_among_very_many_is_still_missing() -> None:
    """Q8.17: the provider listed all roles, so the missing one is known."""
    fake_environment = FakeEnvironment()
    fake_environment.provider.userinfo |= {"roles": [f"role-{number:05}" for number in range(20_000)]}
    await fake_environment.sign_in()
    assert (await fake_environment.service.view.summary()).apis[0].missing == ("orders.read",)


@pytest.mark.parametrize(("name", "shown"), [("x" * 1_024, 15), ("\N{GRINNING FACE}" * 1_024, 1)])
def test_few_entitlements_that_are_very_long_are_limited_by_their_bytes(name: str, shown: int) -> None:
    """Q8.17: the limit is 16 KiB of JSON, in which a character may take twelve bytes."""
    held = Entitlements(tuple(f"{name}{number:02}" for number in range(40)))
    kept = held.within(count=200, size=16_384)
    assert (len(kept.names), kept.more) == (shown, 40 - shown)


def test_the_order_of_the_provider_is_kept() -> None:
    """Q8.17: required entitlements are chosen first, and keep their place in the list."""
    held = Entitlements(("a", "b", "c", "d"))
    assert held.within(count=2, size=100, first=("d",)) == Entitlements(("a", "d"), more=2)
