"""Every code of the contract has an exception, which tells the user the fault, the action and the link."""

from __future__ import annotations

import pytest

import jupyter_oidc
from jupyter_oidc import contract
from jupyter_oidc.kernel import errors
from jupyter_oidc.kernel.errors import BY_CODE, LOCAL, NotSignedIn, OIDCError, UpstreamTimeout, of_reply
from tests.unit.kernel.fake_server import FakeServer, refusal

CODES = contract.schema("error")["properties"]["code"]["enum"]
LAB = "http://localhost:8888/lab"
BODY = {
    "code": "not_signed_in",
    "message": "You are not signed in.",
    "action": "Sign in.",
    "retryable": False,
    "request_id": "req-12345678",
    "reason": "You are not signed in.",
}
LINKED = {**BODY, "link": LAB}


def test_the_exceptions_are_those_of_the_contract() -> None:
    assert sorted(BY_CODE) == sorted(CODES)


@pytest.mark.parametrize("code", CODES)
def test_an_exception_is_named_after_its_code(code: str) -> None:
    assert BY_CODE[code].__name__ == "".join(word.capitalize() for word in code.split("_"))


@pytest.mark.parametrize("code", CODES)
def test_every_code_becomes_its_exception(code: str) -> None:
    assert of_reply({**BODY, "code": code}).code == code


def test_no_code_of_our_own_is_one_of_the_contract() -> None:
    assert {kind.code for kind in LOCAL} & set(CODES) == set()


def test_the_codes_of_our_own_are_these() -> None:
    assert sorted(kind.code for kind in LOCAL) == [
        "call_failed",
        "call_refused",
        "contract_broken",
        "not_a_kernel",
        "provider_unclear",
        "server_not_found",
        "sign_in_timeout",
    ]


@pytest.mark.parametrize("kind", [*BY_CODE.values(), *LOCAL], ids=lambda kind: kind.__name__)
def test_every_exception_can_be_caught_by_its_name_in_the_package(kind: type[OIDCError]) -> None:
    assert getattr(jupyter_oidc, kind.__name__) is kind


@pytest.mark.parametrize("kind", [*BY_CODE.values(), *LOCAL], ids=lambda kind: kind.__name__)
def test_every_exception_is_an_oidc_error(kind: type[OIDCError]) -> None:
    assert issubclass(kind, OIDCError)


@pytest.mark.parametrize("name", ["ClassVar", "_NeedsSignIn", "BY_CODE", "Novelty", "escape"])
def test_what_is_no_exception_is_not_found_in_the_package(name: str) -> None:
    with pytest.raises(AttributeError, match="has no attribute"):
        getattr(jupyter_oidc, name)


def test_the_text_of_an_error_is_message_and_action() -> None:
    assert str(OIDCError("It broke.", action="Try again.")) == "It broke. Try again."


def test_the_text_of_an_error_ends_with_its_link() -> None:
    assert str(OIDCError("It broke.", action="Open", link=LAB)) == "It broke. Open http://localhost:8888/lab"


@pytest.mark.parametrize("code", ["not_signed_in", "session_expired", "step_up_required"])
def test_who_has_to_sign_in_gets_the_link_that_the_server_names(code: str) -> None:
    """Q10.1: the server knows where browsers reach it; the address that this process uses may work for no other."""
    assert of_reply({**LINKED, "code": code}).link == LAB
    assert of_reply({**BODY, "code": code}).link is None


def test_without_an_address_the_words_lead_to_the_panel() -> None:
    """Q10.1: Links in cells lead where browsers reach."""
    assert str(of_reply(BODY)) == (
        "You are not signed in. Sign in. Run oidc.sign_in(), or open the sign-in panel in JupyterLab."
    )


def test_who_has_to_sign_in_is_told_how_in_a_notebook() -> None:
    assert str(of_reply(LINKED)) == (
        "You are not signed in. Sign in. Run oidc.sign_in() or open JupyterLab: http://localhost:8888/lab"
    )


def test_who_needs_a_stronger_sign_in_is_told_what_the_server_says() -> None:
    """C12: `sign_in()` alone does not ask a signed-in user again; the server's sentence names the API."""
    body = {**LINKED, "code": "step_up_required", "action": "Run oidc.sign_in(api='orders')."}
    assert str(of_reply(body)) == (
        "You are not signed in. Run oidc.sign_in(api='orders'). JupyterLab: http://localhost:8888/lab"
    )


@pytest.mark.parametrize("code", CODES)
def test_every_code_reaches_the_caller_of_an_api_with_what_to_do(fake_server: FakeServer, code: str) -> None:
    fake_server.answers("GET", "jupyter-oidc/api/orders/items", refusal(code, 503, link=LAB))
    with fake_server.client(patience=0) as client, pytest.raises(BY_CODE[code]) as raised:
        client.get("items")
    error = raised.value
    linked = code in ("not_signed_in", "session_expired", "step_up_required")
    assert (error.code, error.message, error.request_id) == (code, "It did not work.", "req-12345678")
    assert error.action.startswith("Try something else.")
    assert error.link == (LAB if linked else None)


def test_who_cannot_help_it_by_signing_in_gets_no_link() -> None:
    assert of_reply({**LINKED, "code": "upstream_timeout"}).link is None


def test_the_text_of_an_error_holds_no_markup_of_ours() -> None:
    assert "<" not in str(of_reply(BODY))


def test_a_notebook_shows_four_lines_instead_of_a_traceback() -> None:
    assert of_reply(LINKED)._render_traceback_() == [
        "NotSignedIn: You are not signed in.",
        "Sign in. Run oidc.sign_in() or open JupyterLab:",
        "http://localhost:8888/lab",
        "(not_signed_in, request req-12345678)",
    ]


def test_an_error_without_request_shows_no_empty_lines() -> None:
    assert UpstreamTimeout("Too slow.")._render_traceback_() == ["UpstreamTimeout: Too slow."]


def test_a_notebook_shows_the_link_as_one_to_click() -> None:
    assert '<a href="http://localhost:8888/lab" target="_blank" rel="noopener">' in of_reply(LINKED)._repr_html_()


HOSTILE = '<script>alert("1")</script>'


@pytest.mark.parametrize(
    "error",
    [
        pytest.param(NotSignedIn(HOSTILE), id="message"),
        pytest.param(NotSignedIn("m", action=HOSTILE), id="action"),
        pytest.param(NotSignedIn("m", link='http://h/"><script>'), id="link"),
    ],
)
def test_markup_in_an_error_is_shown_not_run(error: NotSignedIn) -> None:
    assert "<script" not in error._repr_html_()


def test_a_quote_does_not_leave_the_attribute_of_the_link() -> None:
    html = NotSignedIn("m", link='http://h/" onclick="x')._repr_html_()
    assert 'href="http://h/&quot; onclick=&quot;x"' in html


def test_the_exceptions_of_the_module_are_all_listed() -> None:
    kinds = {kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, OIDCError)}
    assert kinds - {*BY_CODE.values(), *LOCAL} == {OIDCError, errors._NeedsSignIn}


def test_what_a_server_says_moves_no_cursor() -> None:
    """A code or a text of another version is printed as it is, but for control characters."""
    error = of_reply({**BODY, "code": "new\x1b[2J", "message": "one\ntwo", "link": "https://a.example/\x1b[2J"}, 400)
    assert "\x1b" not in "".join(error._render_traceback_()) + str(error)
    assert error.link is None
