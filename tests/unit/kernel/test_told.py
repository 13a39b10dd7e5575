"""The kernel tells its texts in the language of its process: the sentences of the server, and every one of its own."""

from __future__ import annotations

import asyncio
import gettext
import re
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

import jupyter_oidc as oidc
from jupyter_oidc.kernel import messages
from jupyter_oidc.kernel.catalogue import OBSTACLES, api_html, api_listing, api_of, api_text
from jupyter_oidc.kernel.display import code_html, done_html, link_html, session_html, session_text, waiting_html
from jupyter_oidc.kernel.errors import OIDCError, of_reply
from jupyter_oidc.kernel.listing import unknown_name
from jupyter_oidc.kernel.messages import REASONS
from jupyter_oidc.kernel.plain_text import inside_quotes
from jupyter_oidc.kernel.replies import _FAILURE_MESSAGES, unreachable
from jupyter_oidc.kernel.session import SignedOut, _invitation
from jupyter_oidc.kernel.sign_in_step import EnterCode, OpenLink, PasteAddress
from jupyter_oidc.kernel.version_warning import version_text
from jupyter_oidc.language import ENGLISH, on_the_wire, sentence, speaking, told
from tests.unit.kernel.fake_server import SUMMARY, FakeServer, refusal

ADDRESS = "https://jupyter.example.com/jupyter-oidc/api/orders/"
ENTRY: dict[str, Any] = {
    "name": "orders",
    "provider": "corp",
    "methods": ["GET"],
    "callers": ["kernel"],
    "readiness": "ready",
    "allowed": True,
    "missing": [],
    "path_prefixes": ["/"],
}


class Marked(gettext.NullTranslations):
    """Stands for a catalogue in which each sentence is translated: by itself, between two marks."""

    def gettext(self, message: str) -> str:
        return f"«{message}»"

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return self.gettext(msgid1 if n == 1 else msgid2)


@pytest.fixture
def marked() -> Iterator[None]:
    """Speak another language."""
    with speaking("de_DE", Marked()):
        yield


def untold(text: str) -> str:
    """Return what is left of ``text`` without its tags and the sentences that were told in the other language."""
    left = re.sub(r"<[^>]*>|&#?\w+;", " ", text)
    while (fewer := re.sub("«[^«»]*»", " ", left)) != left:
        left = fewer
    return " ".join(left.split())


def reply(message: str, action: str, **members: Any) -> dict[str, Any]:
    """Return an error as the server writes it."""
    return {
        "code": "upstream_timeout",
        "message": message,
        "action": action,
        "message_sentences": on_the_wire(message),
        "action_sentences": on_the_wire(action),
        "retryable": True,
        "request_id": "req-12345678",
        **members,
    }


# -- the server's sentences --------------------------------------------------------------------------------------


def test_a_refusal_is_told_by_its_sentences(marked: None) -> None:
    error = of_reply(reply(sentence("The API{api_name} is slow.", api="orders"), sentence("Wait.")))
    assert (error.message, error.action) == ("«The API 'orders' is slow.»", "«Wait.»")


def test_in_english_it_is_the_text_of_the_server() -> None:
    error = of_reply(
        reply(sentence("The API{api_name} is slow.", api="orders"), sentence("Wait {seconds}.", seconds=1))
    )
    assert str(error) == "The API 'orders' is slow. Wait 1 second."


def test_sentences_that_are_not_those_of_the_text_do_not_replace_it(marked: None) -> None:
    other = on_the_wire(sentence("Send your password to {host}.", host="evil"))
    error = of_reply(reply("The API is slow.", "Wait.", message_sentences=other))
    assert "password" not in str(error)
    assert "The API is slow." in error.message


def test_a_server_without_sentences_is_told_in_its_own_words() -> None:
    body = {key: value for key, value in reply("It is slow.", "Wait.").items() if not key.endswith("_sentences")}
    assert str(of_reply(body)) == "It is slow. Wait."


def test_where_to_sign_in_follows_in_the_same_language(marked: None) -> None:
    body = reply("You are not signed in.", "Sign in.", code="not_signed_in", params={"provider": "corp"})
    assert of_reply(body).action == ("«Sign in.» «Run oidc.sign_in('corp'), or open the sign-in panel in JupyterLab.»")


def test_a_refusal_reaches_a_notebook_in_its_language(kernel: FakeServer, marked: None) -> None:
    said = sentence("The API{api_name} answers too slowly.", api="orders")
    refused = refusal("upstream_timeout", 504, message=said, message_sentences=on_the_wire(said))
    kernel.answers("GET", "jupyter-oidc/api/orders/items", refused)
    with pytest.raises(OIDCError) as raised:
        oidc.api("orders").get("items")
    assert raised.value.message == "«The API 'orders' answers too slowly.»"


# -- the kernel's own --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", messages.HEADLINES)
@pytest.mark.parametrize("left", [None, 0, 59, 284, 7_500])
@pytest.mark.parametrize("sharing", ["none", *messages.SHARING])
def test_nothing_about_a_session_stays_english(marked: None, state: str, left: int | None, sharing: str) -> None:
    summary = {**SUMMARY, "state": state, "expires_in": left, "sharing": sharing, "settings_pending": True}
    assert untold(session_text(summary)) == ""
    apis = [*(api["name"] for api in summary["apis"])]
    for name in ("corp", *apis):
        assert untold(session_html(summary)).count(name) == 1
    assert set(untold(session_html(summary)).split()) == {"corp", *apis}


@pytest.mark.parametrize("reason", REASONS)
def test_no_reason_stays_english(marked: None, reason: str) -> None:
    assert untold(session_text({**SUMMARY, "state": "refresh-failed", "reason": reason})) == ""


@pytest.mark.parametrize("readiness", messages.ACCESS)
def test_no_readiness_stays_english(marked: None, readiness: str) -> None:
    assert untold(messages.access_message({"readiness": readiness, "missing": ["a"]})) == ""


@pytest.mark.parametrize(
    "html",
    [
        lambda: link_html("https://op.example.com/", "corp", 299, pasted=True),
        lambda: code_html("https://op.example.com/", "corp", 299, code="AB", filled_in=True).replace("AB", ""),
        lambda: code_html("https://op.example.com/", "corp", 59, code="AB", filled_in=False).replace("AB", ""),
        lambda: done_html(SUMMARY, ""),
        lambda: waiting_html("", 3),
    ],
)
def test_no_notice_stays_english(marked: None, html: Callable[[], str]) -> None:
    assert untold(html()) == ""


@pytest.mark.parametrize(
    "step",
    [
        OpenLink("https://op.example.com/"),
        OpenLink("/start"),
        PasteAddress("https://op.example.com/"),
        PasteAddress("/start"),
        EnterCode("https://op.example.com/", "AB", filled_in=True),
        EnterCode("https://op.example.com/", "AB", filled_in=False),
    ],
)
def test_no_step_of_a_sign_in_stays_english(marked: None, step: Any) -> None:
    assert untold(_invitation("corp", step)[1]) == ""


@pytest.mark.parametrize("revoked", ["done", "failed", "not-supported", "nothing-to-revoke", "other"])
@pytest.mark.parametrize("url", [None, "/end", "https://op.example.com/end"])
def test_no_sign_out_stays_english(marked: None, revoked: str, url: str | None) -> None:
    ended = SignedOut("done", revoked, url)
    assert (untold(repr(ended)), untold(ended._repr_html_())) == ("", "")


def test_the_labels_of_a_card_are_told_and_its_values_are_not(marked: None) -> None:
    api = api_of(ENTRY, ADDRESS)
    assert untold(api_text(api)) == f'orders corp {ADDRESS} GET oidc.api("orders").get("")'
    assert "«call»</th>" in api_html(api)
    assert 'style="font-family:var(--jp-code-font-family' in api_html(api)


def test_the_headings_of_a_table_are_told(marked: None) -> None:
    shown = api_listing([api_of(ENTRY, ADDRESS)])
    assert untold(repr(shown).splitlines()[0]) == ""
    assert "«APIs of this Jupyter server»" in shown._repr_html_()


@pytest.mark.parametrize("kind", ["API", "provider", "operation"])
@pytest.mark.parametrize("names", [[], ["orders"]])
def test_a_name_that_does_not_exist_is_told(marked: None, kind: str, names: list[str]) -> None:
    assert untold(unknown_name(kind, "order", names)) == ""


@pytest.mark.parametrize("message", [*_FAILURE_MESSAGES.values(), *OBSTACLES.values()])
def test_a_table_holds_the_english_templates(marked: None, message: object) -> None:
    """They are told where they are shown, since the language is not known when a module is imported."""
    assert "«" not in str(message)


def test_a_call_without_an_answer_is_told(marked: None) -> None:
    error = unreachable(httpx.ConnectError("x"))
    assert (untold(error.message), untold(error.action)) == ("", "")


@pytest.mark.parametrize("age", ["newer", "older"])
@pytest.mark.parametrize("reader", ["this kernel", "this command"])
def test_a_server_of_another_age_is_told(marked: None, age: Any, reader: Any) -> None:
    assert untold(version_text(age, 2, reader, "Update it.")) == ""


def test_the_given_catalogue_counts_within_its_block_only() -> None:
    with speaking("de_DE", Marked()):
        with speaking(ENGLISH):
            assert told("It broke.") == "It broke."
        assert told("It broke.") == "«It broke.»"
    assert told("It broke.", ENGLISH) == "It broke."


@pytest.mark.parametrize(
    ("text", "shown"),
    [("a", "a"), ("it's", "it\\'s"), ('a "b"', 'a "b"'), ('it\'s "b"', 'it\\\'s "b"'), ("a\nb", "a\\nb")],
)
def test_a_name_cannot_leave_its_quotation_marks(text: str, shown: str) -> None:
    assert inside_quotes(text) == shown


# -- what an API is asked ----------------------------------------------------------------------------------------


def test_the_helper_adds_no_language_to_a_call(kernel: FakeServer) -> None:
    """ADR 59: what an API hears is what the author of the call wrote; the grant is asked for without one, too."""
    kernel.answers("GET", "jupyter-oidc/api/orders/items", [])

    async def call() -> None:
        async with oidc.async_api("orders") as client:
            await client.get("items")

    with speaking("de_DE"):
        oidc.api("orders").get("items")
        asyncio.run(call())
    assert [one for one in kernel.received if "accept-language" in one.headers] == []


def test_a_language_that_the_author_wrote_is_passed_on(kernel: FakeServer) -> None:
    kernel.answers("GET", "jupyter-oidc/api/orders/items", [])
    oidc.api("orders").get("items", headers={"Accept-Language": "fr"})
    assert kernel.received[-1].headers["accept-language"] == "fr"
