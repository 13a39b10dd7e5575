"""Revocation and the provider's logout page: RFC 7009, L-2 to L-6, fault D1."""

from __future__ import annotations

import dataclasses

import pytest

from jupyter_oidc.protocol.logout import logout_request, read_revocation_reply, revocation_call
from jupyter_oidc.protocol.message import BasicCredentials, Call
from jupyter_oidc.protocol.token import Client
from jupyter_oidc.secret import Secret
from tests.unit.protocol.makers import METADATA, reply

BARE = dataclasses.replace(METADATA, revocation_endpoint=None, end_session_endpoint=None)


def test_a_revocation_names_the_token_its_kind_and_the_client() -> None:
    """RFC 7009, 2.1; T-3, T-4: the client authenticates as at the token endpoint."""
    client = Client("jupyter", "client_secret_basic", Secret("s"))
    assert revocation_call(METADATA, client, Secret("r1"), "refresh_token") == Call(
        "POST",
        "https://id.example.com/revoke",
        form=(("token", Secret("r1")), ("token_type_hint", "refresh_token")),
        basic=BasicCredentials("jupyter", Secret("s")),
        endpoint="revocation",
    )


def test_without_an_endpoint_nothing_is_revoked() -> None:
    """H-3: Only named endpoints are contacted. D1: Sign-out succeeds here even if the provider fails."""
    assert revocation_call(BARE, Client("jupyter", "none"), Secret("r1"), "refresh_token") is None


@pytest.mark.parametrize(
    ("status", "media", "body", "gone"),
    [
        (200, "", b"", True),
        (200, "application/json", b"{}", True),
        (200, "text/html; charset=utf-8", b"", True),
        (200, "text/html; charset=utf-8", b"<title>Log in to the network</title>", False),
        (204, "", b"", False),
        (302, "", b"", False),
        (400, "application/json", b"{}", False),
        (503, "", b"", False),
    ],
)
def test_only_status_200_of_the_endpoint_itself_means_gone(status: int, media: str, body: bytes, *, gone: bool) -> None:
    """RFC 7009, 2.2; D1: an empty body with any media type is an answer of the endpoint, a page is not."""
    assert read_revocation_reply(reply(body, status=status, media=media)) is gone


def test_the_logout_page_gets_the_client_and_the_way_back_and_no_id_token() -> None:
    """L-2, L-3, D5: no page ever holds a token."""
    request = logout_request(
        METADATA, client_id="jupyter", post_logout_redirect_uri="https://hub.example.com/out", state="s 1"
    )
    assert request is not None
    assert request.url == (
        "https://id.example.com/logout?client_id=jupyter"
        "&post_logout_redirect_uri=https%3A%2F%2Fhub.example.com%2Fout&state=s+1"
    )


def test_the_query_of_the_logout_page_is_kept() -> None:
    """L-5: The sign-out page's own query is kept."""
    metadata = dataclasses.replace(METADATA, end_session_endpoint="https://id.example.com/logout?ui=dark")
    request = logout_request(metadata, client_id="jupyter", post_logout_redirect_uri=None, state=None)
    assert request is not None
    assert request.url == "https://id.example.com/logout?ui=dark&client_id=jupyter"


def test_without_a_logout_page_there_is_no_url() -> None:
    """L-6: Sign-out works without the provider."""
    assert logout_request(BARE, client_id="jupyter", post_logout_redirect_uri=None, state=None) is None


@pytest.mark.parametrize(
    ("allowed", "offered"),
    [
        ((), True),
        (("https://id.example.com",), True),
        (("https://ID.example.com:443/",), True),
        (("https://login.example.com",), False),
        (("https://id.example.com:8443",), False),
        (("https://login.example.com", "https://id.example.com"), True),
    ],
)
def test_the_logout_page_is_left_out_if_its_origin_is_not_among_the_allowed(
    allowed: tuple[str, ...], offered: bool
) -> None:
    request = logout_request(
        METADATA, client_id="jupyter", post_logout_redirect_uri=None, state=None, allowed_origins=allowed
    )
    assert (request is not None) is offered


def test_a_page_of_the_providers_own_gets_its_own_parameter() -> None:
    """D5: the metadata have no ``end_session_endpoint``, and the page has another name for the address to return to."""
    request = logout_request(
        BARE,
        client_id="jupyter",
        post_logout_redirect_uri="https://jupyter.example.com/signed-out",
        state=None,
        configured="https://pool.example.com/logout",
        redirect_parameter="logout_uri",
    )
    assert request is not None
    assert request.url == (
        "https://pool.example.com/logout?client_id=jupyter&logout_uri=https%3A%2F%2Fjupyter.example.com%2Fsigned-out"
    )


def test_a_page_of_the_providers_own_is_not_offered_without_an_address_to_return_to() -> None:
    """D5: the page insists on such an address."""
    request = logout_request(
        BARE,
        client_id="jupyter",
        post_logout_redirect_uri=None,
        state=None,
        configured="https://pool.example.com/logout",
        redirect_parameter="logout_uri",
    )
    assert request is None


def test_a_form_may_lead_to_the_page_and_back_and_where_the_settings_say() -> None:
    """Q9.8: a browser checks a form's redirects too, so the policy names the way back, and no other address."""
    request = logout_request(
        METADATA,
        client_id="jupyter",
        post_logout_redirect_uri="https://Hub.example.com:8443/out?x=1",
        state="s",
        allowed_origins=("https://id.example.com/", "https://upstream.example.com"),
    )
    assert request is not None
    assert request.takes_form
    assert request.origins == (
        "https://id.example.com",
        "https://hub.example.com:8443",
        "https://upstream.example.com",
    )


@pytest.mark.parametrize(
    "endpoint",
    ["https://id.example.com;script-src/logout", "https://id.example.com,x/logout", "https://id.exämple.com/logout"],
)
def test_a_host_that_a_policy_cannot_name_gets_no_form(endpoint: str) -> None:
    """Q9.8: a semicolon in a host name would begin another directive of the page's policy."""
    request = logout_request(BARE, client_id="jupyter", post_logout_redirect_uri=None, state=None, configured=endpoint)
    assert request is not None
    assert not request.takes_form


def test_a_page_that_is_not_the_standards_gets_no_form() -> None:
    """Q9.8, D5: Cognito's page takes GET and knows no ``id_token_hint``."""
    request = logout_request(
        BARE,
        client_id="jupyter",
        post_logout_redirect_uri="https://jupyter.example.com/signed-out",
        state=None,
        configured="https://pool.example.com/logout",
        redirect_parameter="logout_uri",
    )
    assert request is not None
    assert not request.takes_form


def test_a_request_without_a_way_back_carries_no_state() -> None:
    """Q9.8, RP-Initiated Logout 1.0, 2: state belongs to post_logout_redirect_uri."""
    request = logout_request(METADATA, client_id="jupyter", post_logout_redirect_uri=None, state="s")
    assert request is not None
    assert request.fields == (("client_id", "jupyter"),)
