"""Cards of a session, a sign-in and a sign-out use plain words and no script, and no person's name breaks one."""

from __future__ import annotations

import html.parser
import re
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from jupyter_oidc import contract
from jupyter_oidc.kernel.display import (
    Notice,
    code_html,
    done_html,
    ended_html,
    link_html,
    session_html,
    session_text,
)
from jupyter_oidc.kernel.messages import HEADLINES
from jupyter_oidc.kernel.plain_text import plain
from jupyter_oidc.kernel.session import SignedOut
from jupyter_oidc.kernel.session_card import dated_html
from tests.unit.kernel.fake_server import SIGNED_OUT, SUMMARY

HOSTILE = '"><script>alert(1)</script><img src=x onerror=alert(1)>'


class Tags(html.parser.HTMLParser):
    """Collect the tags and attributes that a browser would see; fail on a tag that is not closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: set[str] = set()
        self.attributes: list[tuple[str, str | None]] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)
        self.attributes += attrs
        if tag != "br":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def named(name: str | None) -> dict[str, Any]:
    return {**SUMMARY, "user": {**SUMMARY["user"], "name": name}}


ALL_CARDS = [
    pytest.param(done_html(named(HOSTILE), "2026-11-23 14:02 UTC"), id="done"),
    pytest.param(session_html(named(HOSTILE)), id="name"),
    pytest.param(session_html({**SUMMARY, "user": {**SUMMARY["user"], "name": None, "username": HOSTILE}}), id="user"),
    pytest.param(session_html({**SUMMARY, "provider": HOSTILE}), id="provider"),
    pytest.param(
        session_html(
            {
                **SUMMARY,
                "apis": [{"name": HOSTILE, "readiness": "missing_entitlement", "allowed": False, "missing": [HOSTILE]}],
            }
        ),
        id="apis",
    ),
    pytest.param(link_html("http://h/" + HOSTILE, HOSTILE, 10), id="link"),
    pytest.param(code_html("http://h/" + HOSTILE, HOSTILE, 10, code=HOSTILE, filled_in=True), id="code"),
    pytest.param(ended_html(HOSTILE), id="ended"),
    pytest.param(SignedOut("done", "done", "https://h/" + HOSTILE)._repr_html_(), id="sign-out"),
]


@pytest.mark.parametrize("card", ALL_CARDS)
def test_a_card_holds_no_tags_but_ours(card: str) -> None:
    assert Tags(card).seen <= {"div", "b", "span", "a", "code"}


@pytest.mark.parametrize("card", ALL_CARDS)
def test_a_card_holds_no_attributes_but_ours(card: str) -> None:
    assert {name for name, _ in Tags(card).attributes} <= {
        *("style", "role", "aria-hidden", "aria-label", "href", "target", "rel"),
    }


@pytest.mark.parametrize("card", ALL_CARDS)
def test_a_card_loads_nothing(card: str) -> None:
    assert re.search(r"url\(|@import|<link|src\s*=\s*[^x]", card) is None


@pytest.mark.parametrize("state", HEADLINES)
def test_every_state_has_a_card_of_well_formed_html(state: str) -> None:
    assert "div" in Tags(session_html({**SUMMARY, "state": state})).seen


@pytest.mark.parametrize("state", HEADLINES)
def test_every_state_has_a_line_of_text(state: str) -> None:
    headline, comma, rest = HEADLINES[state].partition(",")
    said = session_text({**SUMMARY, "state": state})
    assert said.startswith(f"{headline} at corp as Ada Lovelace{comma}{rest}.")


def test_the_states_are_those_of_the_contract() -> None:
    assert list(HEADLINES) == [*contract.schema("session.reply")["properties"]["state"]["enum"], "other"]


def test_a_card_is_coloured_by_jupyterlab() -> None:
    """The variable comes first, so that dark themes work; the fallback is for other front ends."""
    assert "color:var(--jp-ui-font-color1, inherit)" in session_html(SUMMARY)


def test_a_card_says_its_state_to_a_screen_reader() -> None:
    assert '<div role="status"' in session_html(SUMMARY)


def test_a_card_shows_who_is_signed_in() -> None:
    assert "<b>Signed in as Ada Lovelace</b>" in session_html(SUMMARY)


def test_a_card_shows_no_mail_address() -> None:
    assert "ada@example.com" not in session_html(SUMMARY)


def test_a_line_shows_no_mail_address() -> None:
    assert "ada@example.com" not in session_text(SUMMARY)


def test_a_person_without_a_name_is_called_by_the_user_name() -> None:
    assert session_text(named(None)).startswith("Signed in at corp as ada.")


def test_a_person_without_any_name_is_not_called() -> None:
    user = {**SUMMARY["user"], "name": None, "username": None}
    assert session_text({**SUMMARY, "user": user}).startswith("Signed in at corp.")


def test_nobody_is_told_how_to_sign_in() -> None:
    assert session_text(SIGNED_OUT) == "Not signed in at corp. Run oidc.sign_in() to sign in."


def test_a_session_that_is_refreshed_says_so() -> None:
    assert session_text(SUMMARY).endswith("Renewed by itself, within 4 minutes.")


def test_a_session_that_cannot_be_refreshed_says_when_it_ends() -> None:
    assert session_text({**SUMMARY, "refreshable": False}).endswith("Ends in 4 minutes, and cannot be renewed.")


def test_a_session_of_unknown_length_says_so() -> None:
    assert session_text({**SUMMARY, "expires_in": None}) == (
        "Signed in at corp as Ada Lovelace. The provider does not say how long it lasts."
    )


def test_a_session_that_has_ended_says_why_and_what_to_do() -> None:
    ended = {**SIGNED_OUT, "state": "signed-out-expired", "reason": "session_ended_by_provider"}
    assert session_text(ended) == (
        "The session has ended at corp. The provider ended it. Run oidc.sign_in() to sign in again."
    )
    assert all(said in session_html(ended) for said in ("The provider ended it.", "Run oidc.sign_in()"))


def test_a_session_whose_refresh_waits_says_until_when_calls_work() -> None:
    assert session_text({**SUMMARY, "state": "refresh-failed", "reason": "idp_unavailable"}) == (
        "Signed in at corp as Ada Lovelace, provider unreachable. The provider cannot be reached. "
        "Calls work for another 4 minutes. Calls still work; it is tried again by itself."
    )


def test_a_missing_permission_is_named() -> None:
    apis = [{"name": "orders", "readiness": "missing_entitlement", "allowed": False, "missing": ["orders.read"]}]
    assert "Missing: orders.read" in session_html({**SUMMARY, "apis": apis})


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        pytest.param("Ada\nSigned out", "Ada\N{REPLACEMENT CHARACTER}Signed out", id="line-end"),
        pytest.param("Ada\x1b[2J", "Ada\N{REPLACEMENT CHARACTER}[2J", id="terminal-command"),
        pytest.param("Ada\N{RIGHT-TO-LEFT OVERRIDE}", "Ada\N{REPLACEMENT CHARACTER}", id="turned-around"),
        pytest.param("Ada\x00", "Ada\N{REPLACEMENT CHARACTER}", id="nul"),
        pytest.param("Rien\N{NO-BREAK SPACE}: oui", "Rien\N{NO-BREAK SPACE}: oui", id="french"),
        pytest.param("東京\N{IDEOGRAPHIC SPACE}都", "東京\N{IDEOGRAPHIC SPACE}都", id="japanese"),
        pytest.param("می\N{ZERO WIDTH NON-JOINER}روم", "می\N{ZERO WIDTH NON-JOINER}روم", id="persian"),
        pytest.param("Åsa Ødegård 李", "Åsa Ødegård 李", id="other-letters"),
    ],
)
def test_a_name_cannot_steer_a_terminal(name: str, shown: str) -> None:
    assert plain(name) == shown


def test_a_hostile_name_stays_on_its_line_of_text() -> None:
    assert session_text(named("Ada\nSession ended\x1b[2J")).isprintable()


def test_a_hostile_name_is_text_in_a_line() -> None:
    assert f"as {HOSTILE}." in session_text(named(HOSTILE))


def test_an_invitation_links_to_the_sign_in_page_in_a_new_tab() -> None:
    link = '<a style="{}" href="http://h/start?a=1&amp;b=2" target="_blank" rel="noopener noreferrer">'
    assert re.sub('style="[^"]*" href', 'style="{}" href', link_html("http://h/start?a=1&b=2", "corp", 10)).count(link)


def test_an_invitation_says_how_long_it_is_good_for() -> None:
    assert "Waiting for you; 2 min 05 s left." in link_html("http://h/", "corp", 125.9)


def test_an_invitation_shows_the_code_to_enter() -> None:
    html = code_html("http://h/", "corp", 10, code="WDJB-MJHT", filled_in=False)
    assert ("Enter this code on the page:" in html, ">WDJB-MJHT</code>" in html) == (True, True)
    assert "Never enter a code that somebody else sent you." in html


@pytest.mark.parametrize(
    ("revoked", "told"),
    [
        ("done", "Signed out here. The provider revoked the session."),
        ("failed", "Signed out here. The provider could not be told yet; this is tried again in the background."),
        ("not-supported", "Signed out here. The provider offers no revocation."),
        ("nothing-to-revoke", "Signed out here. There was nothing to revoke."),
    ],
)
def test_a_sign_out_tells_what_the_provider_did(revoked: str, told: str) -> None:
    assert repr(SignedOut("done", revoked, None)) == told


def test_a_sign_out_tells_every_word_of_the_contract() -> None:
    words = contract.schema("sign-out.reply")["properties"]["revoked"]["enum"]
    assert [repr(SignedOut("done", word, None)).startswith("Signed out here. ") for word in words] == [True] * 4


def test_a_sign_out_names_the_page_that_ends_the_rest() -> None:
    told = repr(SignedOut("done", "done", "https://id.example.com/end"))
    assert told.endswith("To end the provider's own session, open https://id.example.com/end")


def test_a_sign_out_links_to_the_page_that_ends_the_rest() -> None:
    card = SignedOut("done", "done", "https://id.example.com/end?a=1&b=2")._repr_html_()
    assert '<a href="https://id.example.com/end?a=1&amp;b=2" target="_blank" rel="noopener noreferrer">' in card


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "data:text/html,x", "//other/x", "/\\other", " javascript:x", None]
)
def test_a_sign_out_links_to_nothing_but_web_pages(url: str | None) -> None:
    assert "href" not in SignedOut("done", "done", url)._repr_html_()


def test_a_page_of_the_servers_own_is_said_to_be_good_for_a_minute() -> None:
    """Q9.8: the link is good once, and the card says for how long."""
    path, whole = (
        "/jupyter-oidc/providers/corp/sign-out/x",
        "http://localhost:8888/jupyter-oidc/providers/corp/sign-out/x",
    )
    told = SignedOut("done", "done", path, whole)
    assert repr(told).endswith(f"To end the provider's own session within a minute, open {whole}")
    assert (f'href="{whole}"' in told._repr_html_(), "good for a minute" in told._repr_html_()) == (True, True)
    assert "a minute" not in SignedOut("done", "done", "https://id.example.com/end")._repr_html_()


def test_a_server_that_does_not_know_its_address_gives_a_path() -> None:
    """Q9.8: the page that shows the path completes it, as with the start of a sign-in."""
    told = SignedOut("done", "done", "/jupyter-oidc/providers/corp/sign-out/x", None)
    assert repr(told).endswith(
        "open this at the address of your JupyterLab, in its browser: /jupyter-oidc/providers/corp/sign-out/x"
    )
    assert 'href="/jupyter-oidc/providers/corp/sign-out/x"' in told._repr_html_()


def test_outside_a_notebook_a_notice_is_a_line_on_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    Notice().show("<b>card</b>", "a line")
    assert capsys.readouterr() == ("", "a line\n")


def test_outside_a_notebook_the_same_line_is_not_printed_again(capsys: pytest.CaptureFixture[str]) -> None:
    notice = Notice()
    for text in ("one", "one", "", "two"):
        notice.show("<b>card</b>", text)
    assert capsys.readouterr().err == "one\ntwo\n"


def test_a_card_says_that_entitlements_are_unknown_and_nothing_of_a_long_list() -> None:
    """Q2.3: the card reports no entitlement as missing that the provider did not list."""
    assert "Entitlements: unknown: the provider did not list them" in session_html(
        {**SUMMARY, "entitlements_known": False}
    )
    assert "Entitlements" not in session_html(SUMMARY)


def test_an_api_is_ticked_only_where_the_server_calls_it_ready() -> None:
    """Q5.8: after a sign-out, no API is ticked."""
    for word, said, mark in (("ready", "Ready", "&#10003;"), ("sign_in_needed", "Sign in first", "&#8211;")):
        apis = [{"name": "orders", "readiness": word, "allowed": True, "missing": []}]
        card = session_html({**SUMMARY, "apis": apis})
        assert (said in card, mark in card) == (True, True)


def test_the_line_after_a_sign_in_says_when_it_was() -> None:
    assert "<b>Signed in as Ada Lovelace</b>" in done_html(SUMMARY, "2026-11-23 14:02 UTC")
    assert ">2026-11-23 14:02 UTC</span>" in done_html(SUMMARY, "2026-11-23 14:02 UTC")


@pytest.mark.parametrize(
    ("user", "shown"),
    [
        ({"name": None, "username": "ada@example.com"}, "<b>Signed in</b>"),
        ({"name": "ada@example.com", "username": "ada"}, "<b>Signed in as ada</b>"),
    ],
)
def test_a_name_that_is_an_e_mail_address_is_left_out(user: dict[str, Any], shown: str) -> None:
    card = session_html({**SUMMARY, "user": {**SUMMARY["user"], **user}})
    assert (shown in card, "@" in card) == (True, False)


def test_a_card_says_as_of_when_it_was_true() -> None:
    moment = datetime(2026, 11, 23, 15, 2, tzinfo=timezone(timedelta(hours=1)))
    assert ">As of 2026-11-23 14:02 UTC.</div>" in dated_html(SUMMARY, moment)
