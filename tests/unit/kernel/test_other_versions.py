"""A kernel and a server of other versions: what is known works, what is not is named, and one warning says which is older.

The server is scripted with the fixtures of its version, and the helper talks to it through a real socket (ADR 48).
"""

from __future__ import annotations

import asyncio
import gc
import json
import socket
from collections.abc import Callable
from typing import Any

import httpx
import pytest

import jupyter_oidc as oidc
from jupyter_oidc.kernel.errors import (
    CallFailed,
    CallRefused,
    ContractError,
    NotSignedIn,
    OIDCError,
    UpstreamUnreachable,
)
from jupyter_oidc.kernel.version_warning import ContractVersionWarning
from tests.contract import fixtures
from tests.support.warned import warnings_of
from tests.unit.kernel.fake_server import GRANT_PATH, Answer, FakeServer, refusal

CORP = "jupyter-oidc/providers/corp"
FLOW = "flow-example0000000000"
PROGRESS = f"{CORP}/sign-in/{FLOW}"
ITEMS = "jupyter-oidc/api/orders/items"
HEAD_OF_NEWER = (
    "The Jupyter server has a jupyter_oidc that is newer than that of this kernel (contract 2 there, 1 here)."
)
HEAD_OF_OLDER = (
    "The Jupyter server has a jupyter_oidc that is older than that of this kernel (contract 0 there, 1 here)."
)


def added(name: str, shows: str = "added members") -> dict[str, Any]:
    """Return what a server of the next version replies."""
    (reply,) = [one["reply"] for one in fixtures.of_next_version() if (one["contract"], one["shows"]) == (name, shows)]
    return dict(reply)


def answer_all(server: FakeServer, version: int | None, replies: Callable[[str], dict[str, Any]]) -> None:
    """Let ``server`` answer every route of a kernel with ``replies`` of its contracts, and the number ``version``."""

    def answer(name: str, **changes: Any) -> Answer:
        return Answer({**replies(name), **changes}, contract=version)

    signed_out = answer("session.reply", state="signed-out", user=None)
    waiting = {"state": "waiting", "error": None, "flow": FLOW, "provider": "corp", "expires_in": 300}
    server.answers("POST", GRANT_PATH, answer("kernel-grant.reply"))
    server.answers("GET", "jupyter-oidc/providers", answer("providers.reply"))
    server.answers("GET", f"{CORP}/session", signed_out, answer("session.reply"))
    server.answers("POST", f"{CORP}/sign-in", answer("sign-in.reply", flow=FLOW))
    server.answers(
        "GET",
        PROGRESS,
        answer("sign-in-progress.reply", **waiting),
        answer("sign-in-progress.reply", **{**waiting, "state": "completed"}),
    )
    server.answers("DELETE", PROGRESS, answer("sign-in-progress.reply"))
    server.answers("POST", f"{CORP}/sign-out", answer("sign-out.reply"))
    server.answers("GET", "jupyter-oidc/apis", answer("apis.reply"))
    server.answers("GET", ITEMS, Answer(b"[1]", headers={"Content-Type": "application/json"}))


def caught(act: Callable[[], object]) -> list[str]:
    """Return the warnings about versions that ``act`` gives."""
    return [str(one.message) for one in warnings_of(ContractVersionWarning, act)]


def journey() -> None:
    """Sign in, look, call an API in two ways, sign out."""
    assert oidc.sign_in().state == "active"
    assert oidc.session().user is not None
    assert oidc.api("orders").get("items").json() == [1]
    assert httpx.get(oidc.endpoint("orders").base_url + "items", auth=oidc.auth("orders")).json() == [1]
    assert oidc.sign_out().local == "done"


# -- a newer server ----------------------------------------------------------------------------------------------


def test_everything_works_at_a_server_that_has_added_members_to_every_reply(kernel: FakeServer) -> None:
    answer_all(kernel, 1, added)
    assert caught(journey) == []


def test_a_newer_server_is_told_once_and_calls_go_on(kernel: FakeServer) -> None:
    answer_all(kernel, 2, added)
    (told,) = caught(journey)
    assert told == (
        f"{HEAD_OF_NEWER} Calls go on, but what is new there is not understood here. Install the jupyter_oidc of the "
        "server in the environment of this kernel, then restart the kernel."
    )


def test_the_warning_points_to_the_line_that_made_the_call(kernel: FakeServer) -> None:
    answer_all(kernel, 2, added)

    def call() -> None:
        oidc.session()

    (warning,) = warnings_of(ContractVersionWarning, call)
    assert warning.filename == __file__


def test_a_socket_that_is_collected_meanwhile_is_not_taken_for_the_warning(kernel: FakeServer) -> None:
    """A collection can come at any line, and reports an open socket there."""
    answer_all(kernel, 2, added)
    left: list[object] = [socket.socket()]
    left.append(left)
    del left

    def call() -> None:
        gc.collect()
        oidc.session()

    (warning,) = warnings_of(ContractVersionWarning, call)
    assert warning.filename == __file__


def test_a_call_of_an_api_alone_tells_of_a_newer_server_too(kernel: FakeServer) -> None:
    answer_all(kernel, 2, added)

    async def call() -> None:
        assert (await oidc.async_api("orders").get("items")).json() == [1]

    assert len(caught(lambda: asyncio.run(call()))) == 1


def test_a_member_that_is_not_listed_is_shown_nowhere(kernel: FakeServer) -> None:
    """Whatever a server sends by mistake, a cell prints what the contract lists."""
    answer_all(kernel, 1, added)
    kernel.answers("GET", f"{CORP}/session", {**added("session.reply"), "access_token": "at-1234567890"})
    session = oidc.session()
    assert "at-1234567890" not in repr(session) + session._repr_html_() + str(vars(type(session))) + str(
        session._summary
    )


@pytest.mark.parametrize(
    ("member", "said"),
    [
        (
            "state",
            'State not known at corp as Example User. The server calls it "added-later". Calls may work;',
        ),
        ("sharing", "This server may be shared: whose kernels call APIs as you is not known here."),
        ("storage", "Signed in at corp as Example User."),
    ],
)
def test_an_added_word_of_a_session_is_other_and_kept(kernel: FakeServer, member: str, said: str) -> None:
    kernel.answers("GET", f"{CORP}/session", added("session.reply", f"{member} with an added word"))
    session = oidc.session("corp")
    assert (getattr(session, member), session.unknown_words) == ("other", {member: "added-later"})
    assert said in repr(session)
    assert "added-later" in session._repr_html_() or member != "state"


def test_an_added_word_of_an_api_is_shown_with_it(kernel: FakeServer) -> None:
    kernel.answers("GET", f"{CORP}/session", added("session.reply", "apis.0.readiness with an added word"))
    session = oidc.session("corp")
    assert (session.apis[0].readiness, session.apis[0].unknown_words) == ("other", {"readiness": "added-later"})
    assert "Whether a call works is not known here (added-later)" in session._repr_html_()


def test_a_session_in_a_state_of_a_newer_server_is_not_signed_in_again(kernel: FakeServer) -> None:
    kernel.answers("GET", f"{CORP}/session", added("session.reply", "state with an added word"))
    assert oidc.sign_in("corp").state == "other"
    assert kernel.asked("POST", f"{CORP}/sign-in") == []


def test_an_added_step_of_a_sign_out_is_named(kernel: FakeServer) -> None:
    kernel.answers("POST", f"{CORP}/sign-out", added("sign-out.reply", "revoked with an added word"))
    assert 'Signed out here. The server calls it "added-later".' in repr(oidc.sign_out("corp"))


def test_a_word_moves_no_cursor(kernel: FakeServer) -> None:
    reply = {**added("session.reply"), "state": "x\x1b[2J\n<b>"}
    kernel.answers("GET", f"{CORP}/session", reply)
    session = oidc.session("corp")
    assert "\x1b" not in repr(session)
    assert "\n" not in repr(session)
    assert "<b>" not in session._repr_html_().replace("<b>State not known", "")


def test_a_way_to_sign_in_of_a_newer_server_is_refused_and_cancelled(kernel: FakeServer) -> None:
    """Nothing is shown of it: what it asks of the person, and what it warns of, is not known here."""
    answer_all(kernel, 1, added)
    kernel.answers("POST", f"{CORP}/sign-in", {**added("sign-in.reply", "strategy with an added word"), "flow": FLOW})
    with pytest.raises(ContractError) as raised:
        oidc.sign_in("corp")
    assert str(raised.value) == (
        "The server wants to sign you in, in a way that the jupyter_oidc of this environment does not know. "
        "Sign in from JupyterLab, or install the jupyter_oidc of the server here."
    )
    assert len(kernel.asked("DELETE", PROGRESS)) == 1


def test_a_sign_in_in_a_state_of_a_newer_server_is_waited_for(kernel: FakeServer) -> None:
    answer_all(kernel, 1, added)
    waiting = {**added("sign-in-progress.reply", "state with an added word"), "error": None, "expires_in": 300}
    done = {**waiting, "state": "completed"}
    kernel.answers("GET", PROGRESS, waiting, waiting, done)
    assert oidc.sign_in("corp").state == "active"


def test_a_sign_in_that_ends_in_a_state_of_a_newer_server_says_why(kernel: FakeServer) -> None:
    answer_all(kernel, 1, added)
    ended = added("sign-in-progress.reply", "error.code with an added word")
    kernel.answers("GET", PROGRESS, {**ended, "state": "vetoed"})
    with pytest.raises(CallFailed, match="The sign-in was cancelled") as raised:
        oidc.sign_in("corp")
    assert raised.value.code == "added-later"


@pytest.mark.parametrize(
    ("status", "kind"),
    [(400, CallRefused), (401, CallRefused), (451, CallRefused), (500, CallFailed), (503, CallFailed)],
)
def test_an_added_code_is_the_error_of_its_status_with_message_and_action(
    kernel: FakeServer, status: int, kind: type[OIDCError]
) -> None:
    told = refusal("added_later", status, retryable=True, link="https://jupyter.example.com/lab")
    kernel.answers("GET", ITEMS, told)
    with pytest.raises(OIDCError) as raised:
        oidc.api("orders").get("items")
    error = raised.value
    assert (type(error), error.code, error.retryable, error.link) == (
        kind,
        "added_later",
        True,
        "https://jupyter.example.com/lab",
    )
    where, *told_lines = error._render_traceback_()
    assert 'oidc.api("orders").get("items")' in where
    assert told_lines == [
        f"{kind.__name__}: It did not work.",
        "Try something else.",
        "https://jupyter.example.com/lab",
        "(added_later, request req-12345678)",
    ]


def test_an_added_code_reaches_other_libraries_too(kernel: FakeServer) -> None:
    answer_all(kernel, 1, added)
    kernel.answers("GET", ITEMS, refusal("added_later", 403))
    address = oidc.endpoint("orders").base_url + "items"
    with pytest.raises(CallRefused, match="It did not work"):
        httpx.get(address, auth=oidc.auth("orders"))


def test_an_error_with_added_members_is_the_one_it_was(kernel: FakeServer) -> None:
    kernel.answers("GET", ITEMS, refusal("upstream_unreachable", 502, added_later={"deep": [1]}))
    with pytest.raises(UpstreamUnreachable):
        oidc.api("orders").get("items")


def test_a_grant_that_a_newer_server_refuses_says_that_it_is_newer(kernel: FakeServer) -> None:
    kernel.answers(
        "POST", GRANT_PATH, Answer(refusal("added_later", 401).body, 401, {"X-OIDC-Error": "added_later"}, 0, 2)
    )

    def refused() -> None:
        with pytest.raises(CallRefused):
            oidc.session("corp")

    assert [told.startswith(HEAD_OF_NEWER) for told in caught(refused)] == [True]


# -- an older server ---------------------------------------------------------------------------------------------


def oldest(name: str) -> dict[str, Any]:
    """Return what a server of version 1 replies, without all that is optional."""
    return dict(fixtures.replies(1)[name]["without what is optional"])


def unnumbered(name: str) -> dict[str, Any]:
    """Return what 0.1.0 replied."""
    return dict(fixtures.replies_of(0, name)[0])


def test_everything_works_at_a_server_that_sends_nothing_that_is_optional(kernel: FakeServer) -> None:
    answer_all(kernel, 1, oldest)
    assert caught(journey) == []


def test_a_server_of_before_there_was_a_number_is_told_once_and_calls_go_on(kernel: FakeServer) -> None:
    answer_all(kernel, None, unnumbered)
    (told,) = caught(journey)
    assert told == (
        f"{HEAD_OF_OLDER} Calls go on, but what is new here does not work there. Update jupyter_oidc in the environment "
        "of the server, then restart the server."
    )


def test_what_0_1_0_did_not_say_is_not_made_up(kernel: FakeServer) -> None:
    answer_all(kernel, None, unnumbered)
    kernel.answers("GET", f"{CORP}/session", Answer(unnumbered("session.reply"), contract=None))
    with pytest.warns(ContractVersionWarning):
        session = oidc.session()
    assert (session.apis[0].readiness, session.apis[0].unknown_words) == ("other", {})
    assert "Whether a call works is not known here" in session._repr_html_()


def test_a_server_without_the_extension_is_not_called_old(kernel: FakeServer) -> None:
    kernel.answers("POST", GRANT_PATH, Answer(b"<html>", 404))

    def call() -> None:
        with pytest.raises(OIDCError):
            oidc.session("corp")

    assert caught(call) == []


def test_an_answer_of_an_api_says_nothing_about_the_server(kernel: FakeServer) -> None:
    """An API, or what is in front of it, may send any header."""
    kernel.answers("GET", ITEMS, Answer(b"[]", headers={"X-OIDC-Contract": "99"}))
    assert caught(lambda: oidc.api("orders").get("items")) == []


def test_the_same_version_is_not_worth_a_word(kernel: FakeServer) -> None:
    answer_all(kernel, 1, oldest)
    assert caught(oidc.session) == []


def test_a_refusal_of_the_same_version_is_as_before(kernel: FakeServer) -> None:
    kernel.answers("GET", f"{CORP}/session", refusal("not_signed_in"))
    with pytest.raises(NotSignedIn):
        oidc.session("corp")


# -- requests ----------------------------------------------------------------------------------------------------


def test_a_request_that_version_1_can_express_is_sent_as_version_1_sends_it(kernel: FakeServer) -> None:
    """An older server refuses what it does not know, so nothing is added to a plain request."""
    answer_all(kernel, 1, oldest)
    oidc.sign_in("corp")
    oidc.sign_out("corp")
    kernel.answers("GET", f"{CORP}/session", oldest("session.reply"))
    wishes: tuple[dict[str, Any], ...] = ({"api": "orders"}, {"prompt": "login"})
    for wish in wishes:
        kernel.answers(
            "GET", PROGRESS, {**fixtures.replies(1)["sign-in-progress.reply"]["state completed"], "flow": FLOW}
        )
        wished: dict[str, Any] = {**wish}
        oidc.sign_in("corp", **wished)
    sent = {
        "sign-in.request": [json.loads(one.body) for one in kernel.asked("POST", f"{CORP}/sign-in")],
        "sign-out.request": [json.loads(one.body) for one in kernel.asked("POST", f"{CORP}/sign-out")],
        "kernel-grant.request": [json.loads(one.body) for one in kernel.asked("POST", GRANT_PATH)],
    }
    version_1 = fixtures.requests(1)
    assert sent["sign-in.request"] == [
        version_1["sign-in.request"][shows]
        for shows in ("a plain sign-in", "by a notebook, for an API", "by a notebook, with a prompt")
    ]
    assert sent["sign-out.request"] == [version_1["sign-out.request"]["now"]]
    assert [set(one) for one in sent["kernel-grant.request"]] == [set(version_1["kernel-grant.request"]["a proof"])]
