"""Provider metadata: section D, and the cache rules of D-10."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest

from jupyter_oidc.problems import DiscoveryFailed, IssuerMismatch
from jupyter_oidc.protocol.discovery import (
    Metadata,
    check_offered,
    discovery_call,
    is_secure_url,
    read_discovery_reply,
)
from jupyter_oidc.protocol.message import Call
from tests.unit.protocol.makers import ISSUER, METADATA, document, reply


@pytest.mark.parametrize(
    ("issuer", "url"),
    [
        ("https://id.example.com", "https://id.example.com/.well-known/openid-configuration"),
        ("https://id.example.com/", "https://id.example.com/.well-known/openid-configuration"),
        (
            "https://id.example.com:8443/t/a/",
            "https://id.example.com:8443/t/a/.well-known/openid-configuration",
        ),
        ("https://id.example.com//", "https://id.example.com//.well-known/openid-configuration"),
    ],
)
def test_one_terminating_slash_is_dropped_before_the_suffix(issuer: str, url: str) -> None:
    """D-2: The metadata are below the issuer's own address."""
    assert discovery_call(issuer) == Call("GET", url, max_redirects=3, endpoint="metadata")


def test_metadata_are_asked_for_where_the_settings_say() -> None:
    """Q1.9: Metadata and endpoints may be elsewhere."""
    where = "https://t.b2clogin.example/t/v2.0/.well-known/openid-configuration?p=B2C_1_in"
    assert discovery_call(ISSUER, where) == Call("GET", where, max_redirects=3, endpoint="metadata")


def test_an_endpoint_of_the_settings_takes_the_place_of_a_good_a_bad_or_no_one() -> None:
    """Q1.9: Metadata and endpoints may be elsewhere."""
    inside = {"token_endpoint": "https://in.example.com/token", "revocation_endpoint": "https://in.example.com/revoke"}
    bodies = (json.dumps(document()), with_member("token_endpoint"), with_member("token_endpoint", "/x", "/x"))
    for body in bodies:
        metadata = read_discovery_reply(ISSUER, reply(body), allow_loopback_http=False, endpoints=inside)
        assert (metadata.token_endpoint, metadata.revocation_endpoint) == tuple(inside.values())
        assert metadata.jwks_uri == "https://id.example.com/keys"


def test_an_endpoint_of_the_settings_is_held_to_the_same_rules() -> None:
    """Q1.9: Metadata and endpoints may be elsewhere. D-7: Endpoints are https."""
    with pytest.raises(DiscoveryFailed, match="token_endpoint is not an https URL"):
        read_discovery_reply(
            ISSUER, reply(document()), allow_loopback_http=True, endpoints={"token_endpoint": "http://in.example.com/t"}
        )


def test_a_full_document_becomes_metadata() -> None:
    """D-1 (endpoints come from the metadata); D-3, D-4: lists are sets, and unknown members are ignored."""
    body = document(
        revocation_endpoint="https://id.example.com/revoke",
        end_session_endpoint="https://id.example.com/logout",
        device_authorization_endpoint="https://id.example.com/device",
        token_endpoint_auth_methods_supported=["client_secret_post", "client_secret_basic"],
        code_challenge_methods_supported=["plain", "S256"],
        scopes_supported=["profile", "openid", "openid"],
        authorization_response_iss_parameter_supported=True,
        something_new={"a": [1]},
    )
    assert read_discovery_reply(ISSUER, reply(body), allow_loopback_http=False) == dataclasses.replace(
        METADATA,
        device_authorization_endpoint="https://id.example.com/device",
        token_endpoint_auth_methods=frozenset({"client_secret_basic", "client_secret_post"}),
        code_challenge_methods=frozenset({"S256", "plain"}),
        scopes_supported=frozenset({"openid", "profile"}),
        iss_parameter_supported=True,
        lifetime=3600.0,
    )


def test_a_minimal_document_advertises_nothing() -> None:
    """D-4, D-11: an absent list is not an empty one."""
    metadata = read_discovery_reply(ISSUER, reply(document()), allow_loopback_http=False)
    assert (metadata.code_challenge_methods, metadata.end_session_endpoint) == (None, None)


@pytest.mark.parametrize(
    ("configured", "named", "words"),
    [
        (ISSUER, ISSUER + "/", "the slash at the end"),
        (ISSUER + "/", ISSUER, "the slash at the end"),
        (ISSUER, "http://id.example.com", "one begins with http and the other with https"),
        (ISSUER, "https://ID.example.com", "upper and lower case"),
        ("https://login.example.com/a/v2.0", "https://login.example.com/{tenantid}/v2.0", "a placeholder"),
        (ISSUER, "https://evil.example", "different names"),
    ],
)
def test_a_document_of_another_issuer_is_refused(configured: str, named: str, words: str) -> None:
    """D-5, A22: the comparison is byte for byte, and the error names the kind of difference."""
    with pytest.raises(IssuerMismatch, match=words):
        read_discovery_reply(configured, reply(document(issuer=named)), allow_loopback_http=False)


def test_an_issuer_mismatch_does_not_quote_the_peer() -> None:
    """The text of the error is ours."""
    with pytest.raises(IssuerMismatch) as caught:
        read_discovery_reply(ISSUER, reply(document(issuer="https://evil.example")), allow_loopback_http=False)
    assert "evil" not in caught.value.message


@pytest.mark.parametrize("status", [201, 204, 301, 404, 500])
def test_metadata_with_another_status_than_200_is_refused(status: int) -> None:
    """D-3: Only a JSON object with status 200 is metadata."""
    with pytest.raises(DiscoveryFailed) as caught:
        read_discovery_reply(ISSUER, reply(document(), status=status), allow_loopback_http=False)
    assert caught.value.detail == "discovery.status"


@pytest.mark.parametrize(
    "body",
    [
        b"<html>hotspot</html>",
        b"",
        b"[]",
        b"null",
        b'"text"',
        b'{"a": NaN}',
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"a":' * 100_000,
    ],
    ids=[
        "html",
        "empty",
        "array",
        "null",
        "text",
        "nan",
        "not utf-8",
        "bomb",
        "object bomb",
    ],
)
def test_a_body_that_is_no_json_object_is_refused(body: bytes) -> None:
    """D-3: Only a JSON object with status 200 is metadata."""
    with pytest.raises(DiscoveryFailed) as caught:
        read_discovery_reply(ISSUER, reply(body), allow_loopback_http=False)
    assert caught.value.detail == "discovery.format"


@pytest.mark.parametrize("member", ["issuer", "authorization_endpoint", "token_endpoint", "jwks_uri"])
@pytest.mark.parametrize("value", [None, 7, [], ""])
def test_a_required_member_that_is_missing_or_no_text_is_refused(member: str, value: object) -> None:
    """D-4: Issuer, keys and two endpoints must be there."""
    with pytest.raises((DiscoveryFailed, IssuerMismatch)) as caught:
        read_discovery_reply(ISSUER, reply(document(**{member: value})), allow_loopback_http=False)
    assert caught.value.detail == f"discovery.{member}"


GOOD: dict[str, tuple[str, object]] = {
    "issuer": ("issuer", ISSUER),
    "authorization_endpoint": ("authorization_endpoint", "https://id.example.com/authorize"),
    "token_endpoint": ("token_endpoint", "https://id.example.com/token"),
    "jwks_uri": ("jwks_uri", "https://id.example.com/keys"),
    "userinfo_endpoint": ("userinfo_endpoint", "https://id.example.com/userinfo"),
    "revocation_endpoint": ("revocation_endpoint", "https://id.example.com/revoke"),
    "end_session_endpoint": ("end_session_endpoint", "https://id.example.com/logout"),
    "device_authorization_endpoint": ("device_authorization_endpoint", "https://id.example.com/device"),
    "pushed_authorization_request_endpoint": ("pushed_authorization_request_endpoint", "https://id.example.com/par"),
    "registration_endpoint": ("registration_endpoint", "https://id.example.com/register"),
    "requires_pushed_requests": ("require_pushed_authorization_requests", True),
    "token_endpoint_auth_methods": ("token_endpoint_auth_methods_supported", ["client_secret_basic"]),
    "token_endpoint_auth_signing_algs": ("token_endpoint_auth_signing_alg_values_supported", ["ES256"]),
    "code_challenge_methods": ("code_challenge_methods_supported", ["S256"]),
    "scopes_supported": ("scopes_supported", ["openid"]),
    "grant_types": ("grant_types_supported", ["authorization_code"]),
    "dpop_signing_algs": ("dpop_signing_alg_values_supported", ["ES256"]),
    "response_types": ("response_types_supported", ["code"]),
    "response_modes": ("response_modes_supported", ["query"]),
    "prompt_values": ("prompt_values_supported", ["none"]),
    "id_token_signing_algs": ("id_token_signing_alg_values_supported", ["RS256"]),
    "userinfo_signing_algs": ("userinfo_signing_alg_values_supported", ["RS256"]),
    "requires_signed_requests": ("require_signed_request_object", True),
    "certificate_bound_tokens": ("tls_client_certificate_bound_access_tokens", True),
    "iss_parameter_supported": ("authorization_response_iss_parameter_supported", True),
}
"""Each member of the metadata: its name in the document, and a good value."""

RARELY_USED = {"registration_endpoint"}
"""Members that no sign-in uses: an unusable one is not worth a remark of doctor."""

OF_OURS = {"unusable", "lifetime"}
DECIDES = ("authorization_endpoint", "token_endpoint", "jwks_uri", "userinfo_endpoint")
MAY_BE_MISSING = sorted(set(GOOD) - {"issuer", *DECIDES})
WRONG: dict[str, object] = {
    "a number": 7,
    "a list with null": ["a", None],
    "an object": {"a": 1},
    "true in quotes": "true",
    "a relative address": "/x",
    "plain http": "http://id.example.com/x",
    "another scheme": "ftp://id.example.com/x",
    "a fragment": "https://id.example.com/x#f",
    "half a surrogate": "https://id.example.com/\ud800",
    "a list of numbers": [1],
}
"""Wrong values for every member, except that a text is wrong only for those members that are no address here."""


def with_member(member: str, *values: object) -> str:
    """Return the text of a document with ``member`` as often as there are ``values``."""
    rest = json.dumps({name: value for name, value in document().items() if name != member})
    return "{" + "".join(f"{json.dumps(member)}: {json.dumps(value)}, " for value in values) + rest[1:]


ALIASES = {
    "token_endpoint": "https://mtls.example.com/token",
    "userinfo_endpoint": "https://mtls.example.com/me",
    "pushed_authorization_request_endpoint": "https://mtls.example.com/par",
    "revocation_endpoint": "https://mtls.example.com/revoke",
    "device_authorization_endpoint": "https://mtls.example.com/device",
    "authorization_endpoint": "https://evil.example.com/authorize",
    "jwks_uri": "https://evil.example.com/keys",
    "issuer": "https://evil.example.com",
}


def aliased(value: object, **options: Any) -> Metadata:
    body = document(mtls_endpoint_aliases=value)
    return read_discovery_reply(ISSUER, reply(body), allow_loopback_http=False, **options)


def test_a_client_with_a_certificate_calls_the_endpoints_that_ask_for_it() -> None:
    """RFC 8705, 5: aliases are for the client's own calls, never for a browser's address, the keys or the issuer."""
    metadata = aliased(ALIASES, mutual_tls=True)
    called = ("token_endpoint", "userinfo_endpoint", "revocation_endpoint", "device_authorization_endpoint")
    for name in (*called, "pushed_authorization_request_endpoint"):
        assert getattr(metadata, name) == ALIASES[name]
    assert (metadata.issuer, metadata.authorization_endpoint) == (ISSUER, "https://id.example.com/authorize")
    assert metadata.jwks_uri == "https://id.example.com/keys"


def test_a_client_without_a_certificate_calls_the_others() -> None:
    """RFC 8705, 5: aliases are for mutual TLS only."""
    assert aliased(ALIASES) == aliased(None)


@pytest.mark.parametrize("value", [7, [], "https://mtls.example.com", {"token_endpoint": ""}, {"token_endpoint": None}])
def test_aliases_that_name_nothing_change_nothing(value: object) -> None:
    """Q1.4, RFC 8705, 5: the client calls an endpoint without an alias at its own address."""
    assert aliased(value, mutual_tls=True) == aliased(None)


@pytest.mark.parametrize("alias", ["http://mtls.example.com/token", "/token", 7])
def test_an_alias_is_judged_as_its_endpoint_is(alias: object) -> None:
    """D-7: no credential goes to an address that is not https."""
    with pytest.raises(DiscoveryFailed, match="token_endpoint"):
        aliased({"token_endpoint": alias}, mutual_tls=True)


def test_an_endpoint_of_the_settings_takes_the_place_of_an_alias() -> None:
    """Q1.9: Metadata and endpoints may be elsewhere."""
    ours = {"token_endpoint": "https://inside.example.com/token"}
    assert aliased(ALIASES, mutual_tls=True, endpoints=ours).token_endpoint == "https://inside.example.com/token"


def test_the_table_names_every_member_of_the_metadata() -> None:
    """Q1.4: the tests below cover a member that is added later, or this test fails."""
    assert set(GOOD) | OF_OURS == {field.name for field in dataclasses.fields(Metadata)}


@pytest.mark.parametrize("name", GOOD)
def test_a_good_member_is_read(name: str) -> None:
    """Q1.4: every value of the table is good."""
    member, value = GOOD[name]
    metadata = read_discovery_reply(ISSUER, reply(with_member(member, value)), allow_loopback_http=False)
    assert getattr(metadata, name) == (frozenset(value) if isinstance(value, list) else value)
    assert metadata.unusable == ()


@pytest.mark.parametrize("wrong", WRONG)
@pytest.mark.parametrize("name", MAY_BE_MISSING)
def test_a_member_that_decides_nothing_counts_as_not_there_if_it_cannot_be_used(name: str, wrong: str) -> None:
    """Q1.4, D-4, D-7, A24: the metadata keep its name for doctor."""
    member, _ = GOOD[name]
    body = with_member(member, WRONG[wrong])
    metadata = read_discovery_reply(ISSUER, reply(body), allow_loopback_http=True)
    absent = read_discovery_reply(ISSUER, reply(with_member(member)), allow_loopback_http=True)
    assert dataclasses.replace(metadata, unusable=()) == absent
    assert [one for one, _ in metadata.unusable] == ([] if name in RARELY_USED else [member])


@pytest.mark.parametrize("name", MAY_BE_MISSING)
@pytest.mark.parametrize("value", [None, ""], ids=["null", "blank"])
def test_a_blank_member_that_decides_nothing_counts_as_not_there(name: str, value: object) -> None:
    """Q1.4: An unusable capability counts as not advertised."""
    member, _ = GOOD[name]
    metadata = read_discovery_reply(ISSUER, reply(with_member(member, value)), allow_loopback_http=False)
    absent = read_discovery_reply(ISSUER, reply(with_member(member)), allow_loopback_http=False)
    assert dataclasses.replace(metadata, unusable=()) == absent


@pytest.mark.parametrize("name", MAY_BE_MISSING)
def test_a_doubled_member_that_decides_nothing_counts_as_not_there(name: str) -> None:
    """Q1.4: the reader cannot know which of the two values is meant, even if both are good."""
    member, value = GOOD[name]
    metadata = read_discovery_reply(ISSUER, reply(with_member(member, value, value)), allow_loopback_http=False)
    absent = read_discovery_reply(ISSUER, reply(with_member(member)), allow_loopback_http=False)
    assert dataclasses.replace(metadata, unusable=()) == absent
    assert metadata.unusable == (() if name in RARELY_USED else ((member, "is there twice"),))


@pytest.mark.parametrize("wrong", WRONG)
@pytest.mark.parametrize("member", DECIDES)
def test_an_endpoint_of_every_sign_in_is_judged_to_the_letter(member: str, wrong: str) -> None:
    """Q1.4, D-7, A24: the refusal names the member and nothing else."""
    with pytest.raises(DiscoveryFailed) as caught:
        read_discovery_reply(ISSUER, reply(with_member(member, WRONG[wrong])), allow_loopback_http=True)
    assert caught.value.detail == f"discovery.{member}"
    assert member in caught.value.message


@pytest.mark.parametrize("member", ["issuer", *DECIDES])
def test_a_doubled_member_that_decides_is_refused_by_name(member: str) -> None:
    """Q1.4: the refusal holds even if both values are the same."""
    _, value = GOOD[member]
    with pytest.raises(DiscoveryFailed, match=f"{member} is there twice") as caught:
        read_discovery_reply(ISSUER, reply(with_member(member, value, value)), allow_loopback_http=False)
    assert caught.value.detail == f"discovery.{member}"


@pytest.mark.parametrize(
    "more",
    ['"x": 1, "x": 2', '"x": {"y": 1, "y": 2}', '"x": "\\ud800"', '"": null', '"__proto__": []'],
    ids=["doubled", "doubled inside", "surrogate", "no name", "odd name"],
)
def test_a_member_that_nobody_reads_may_be_anything(more: str) -> None:
    """Q1.4: An unusable capability counts as not advertised.

    D-3: Only a JSON object with status 200 is metadata.
    """
    body = json.dumps(document())[:-1] + f", {more}}}"
    assert read_discovery_reply(ISSUER, reply(body), allow_loopback_http=False).unusable == ()


def test_a_byte_order_mark_is_ignored() -> None:
    """Q1.4; RFC 8259, 8.1: a reader may ignore the mark."""
    body = b"\xef\xbb\xbf" + json.dumps(document()).encode()
    assert read_discovery_reply(ISSUER, reply(body), allow_loopback_http=False).issuer == ISSUER


def test_a_member_that_cannot_be_used_is_named_to_who_wants_to_use_it() -> None:
    """Q1.4: a sign-in by code meets a provider whose endpoint for it has no https."""
    body = document(device_authorization_endpoint="http://id.example.com/device")
    metadata = read_discovery_reply(ISSUER, reply(body), allow_loopback_http=False)
    with pytest.raises(DiscoveryFailed, match="device_authorization_endpoint is not an https URL"):
        check_offered(metadata, "device_authorization_endpoint")
    check_offered(metadata, "revocation_endpoint")


@pytest.mark.parametrize("value", [None, ""], ids=["null", "blank"])
def test_metadata_may_name_no_userinfo_endpoint(value: object) -> None:
    """Q1.1: Azure AD B2C and others have no such endpoint; absent and blank are the same."""
    for body in (with_member("userinfo_endpoint", value), with_member("userinfo_endpoint")):
        metadata = read_discovery_reply(ISSUER, reply(body), allow_loopback_http=False)
        assert (metadata.userinfo_endpoint, metadata.unusable) == (None, ())


def test_an_optional_member_that_is_null_counts_as_absent() -> None:
    """D-4: some providers write every member they know."""
    body = {**document(), "revocation_endpoint": None, "scopes_supported": None}
    assert read_discovery_reply(ISSUER, reply(body), allow_loopback_http=False).revocation_endpoint is None


@pytest.mark.parametrize(
    ("headers", "lifetime"),
    [
        ({}, 3600.0),
        ({"cache-control": "public, max-age=60"}, 60.0),
        ({"cache-control": "max-age=86400"}, 3600.0),
        ({"cache-control": "max-age=600, max-age=60"}, 60.0),
        ({"cache-control": "Max-Age=600", "age": "500"}, 100.0),
        ({"cache-control": "max-age=60", "age": "500"}, 0.0),
        ({"cache-control": "no-store"}, 0.0),
        ({"cache-control": "max-age=600, no-cache"}, 0.0),
        ({"cache-control": "max-age=soon"}, 0.0),
        ({"expires": "Mon, 23 Nov 2026 09:10:00 GMT", "date": "Mon, 23 Nov 2026 09:00:00 GMT"}, 600.0),
        ({"expires": "0"}, 0.0),
    ],
)
def test_metadata_lives_as_long_as_the_provider_allows_and_at_most_an_hour(
    headers: dict[str, str], lifetime: float
) -> None:
    """D-10: Metadata are kept for an hour at most."""
    answer = reply(document(), headers=headers)
    assert read_discovery_reply(ISSUER, answer, allow_loopback_http=False).lifetime == lifetime


@pytest.mark.parametrize(
    ("url", "strict", "developer"),
    [
        ("https://id.example.com/a?b=c", True, True),
        ("https://[::1]:8443/a", True, True),
        ("http://127.0.0.1:8080/a", False, True),
        ("http://127.9.9.9/a", False, True),
        ("http://[::1]/a", False, True),
        ("http://localhost/a", False, True),
        ("http://localhost.example.com/a", False, False),
        ("http://id.example.com/a", False, False),
        ("https://user@id.example.com/a", False, False),
        ("https://id.example.com\\@evil/a", False, False),
        ("https://id.example.com/a b", False, False),
        ("https://id.example.com/\n", False, False),
        ("https://id.example.com:99999/", False, False),
        ("https://id.example.com:0/", False, False),
        ("https://id.example.com\\a", False, False),
        ("https://[::1/", False, False),
        ("https:///a", False, False),
        ("https:id.example.com", False, False),
        ("//id.example.com/a", False, False),
        ("https://b\u00fccher.example/", False, False),
        ("javascript:alert(1)", False, False),
        ("", False, False),
    ],
)
def test_only_https_and_allowed_loopback_http_are_secure(url: str, *, strict: bool, developer: bool) -> None:
    """D-7: Endpoints are https. A24: Endpoints without TLS are not used."""
    verdicts = (is_secure_url(url, allow_loopback_http=False), is_secure_url(url, allow_loopback_http=True))
    assert verdicts == (strict, developer)
