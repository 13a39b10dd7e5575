"""A request as a value: what it shows, and how its parts are read."""

from __future__ import annotations

import pytest

from jupyter_oidc.problems import BodyTooLarge, CsrfFailed, RequestInvalid
from jupyter_oidc.web.request import Headers, Request, envelope, form_of, parameter, seconds_to_wait
from tests.unit.web.fakes import USER

JSON = Headers([("content-type", "application/json; charset=utf-8")])


def of(body: bytes | None = b"", query: str = "", headers: Headers = JSON) -> Request:
    return Request("POST", "/x", USER, query=query, headers=headers, body=body)


def test_a_request_shows_no_query_header_argument_or_body() -> None:
    request = Request("GET", "/x", USER, ("ticket",), "code=hidden", Headers([("Cookie", "a=hidden")]), b"hidden")
    assert "hidden" not in repr(request)
    assert "ticket" not in repr(request)
    assert "hidden" not in repr(request.headers)


def test_the_name_of_a_header_has_no_case_and_repeated_ones_are_joined() -> None:
    headers = Headers([("Accept", "a"), ("ACCEPT", "b"), ("Origin", "o")])
    assert (headers.get("accept"), headers.get_all("accept"), headers.get("oRiGiN")) == ("a,b", ("a", "b"), "o")
    assert ("origin" in headers, "cookie" in headers, headers.get("cookie"), len(headers)) == (True, False, None, 2)


def test_an_empty_body_counts_as_an_empty_object() -> None:
    assert envelope(of(headers=Headers()), "sign-in.request") == {}


def test_a_body_beyond_the_limit_is_refused_where_it_is_read() -> None:
    with pytest.raises(BodyTooLarge):
        envelope(of(None), "sign-in.request")
    with pytest.raises(BodyTooLarge):
        form_of(of(None, headers=Headers([("Content-Type", "application/x-www-form-urlencoded")])))
    assert form_of(of(None)) is None


@pytest.mark.parametrize("kind", ["", "text/plain", "application/x-www-form-urlencoded", "text/plain;application/json"])
def test_a_body_that_a_form_of_another_site_could_send_is_refused(kind: str) -> None:
    """C32: such a request needs no preflight."""
    with pytest.raises(CsrfFailed):
        envelope(of(b"{}", headers=Headers([("Content-Type", kind)])), "sign-in.request")


@pytest.mark.parametrize(
    "body", [b"{", b"[]", b"\xff", b'{"a": 1}', b'{"api": 1e400}', b'{"api": NaN}', b"1" * 19, b"[" * 30_000]
)
def test_a_malformed_envelope_is_refused(body: bytes) -> None:
    with pytest.raises(RequestInvalid):
        envelope(of(body), "sign-in.request")


def test_the_last_parameter_of_a_name_counts() -> None:
    assert parameter(of(query="flow=a&flow=%20b+&x="), "flow", "") == "b"
    assert (parameter(of(query="x="), "flow", "none"), parameter(of(), "flow", "none")) == ("none", "none")


def test_a_parameter_that_is_no_utf8_is_refused() -> None:
    with pytest.raises(RequestInvalid):
        parameter(of(query="flow=%ff"), "flow", "")


@pytest.mark.parametrize("text", ["soon", "61", "-1", "nan", "inf", ""])
def test_a_wait_is_a_number_of_seconds_within_a_minute(text: str) -> None:
    with pytest.raises(RequestInvalid):
        seconds_to_wait(of(query=f"wait={text}"))
    assert (seconds_to_wait(of(query="wait=9.5")), seconds_to_wait(of())) == (9.5, 0.0)
