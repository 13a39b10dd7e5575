"""``sign_in`` shows a link, waits for the browser, and ends cleanly in every case; and ``sign_out`` (DESIGN 4)."""

from __future__ import annotations

import json
import signal
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

import jupyter_oidc as oidc
from jupyter_oidc.kernel.errors import (
    ContractError,
    IdTokenRejected,
    OIDCError,
    ServerNotFound,
    SignInCancelled,
    SignInTimeout,
    UnknownFlow,
    UnknownProvider,
)
from tests.unit.kernel.fake_server import (
    CANCELLED,
    COMPLETED,
    FLOW,
    SIGNED_OUT,
    STARTED,
    SUMMARY,
    WAITING,
    Answer,
    FakeServer,
    refusal,
)

SESSION = "jupyter-oidc/providers/corp/session"
BEGIN = "jupyter-oidc/providers/corp/sign-in"
PROGRESS = f"jupyter-oidc/providers/corp/sign-in/{FLOW}"
SIGN_OUT = "jupyter-oidc/providers/corp/sign-out"


@pytest.fixture
def door(kernel: FakeServer) -> FakeServer:
    """Script a server where no user is signed in yet and a sign-in has been answered at the second look."""
    kernel.answers("GET", SESSION, SIGNED_OUT, SUMMARY)
    kernel.answers("POST", BEGIN, Answer(STARTED, 201))
    kernel.answers("GET", PROGRESS, WAITING, COMPLETED)
    kernel.answers("DELETE", PROGRESS, CANCELLED)
    return kernel


# -- the sign-in -------------------------------------------------------------------------------------------------


def test_a_finished_sign_in_returns_the_session(door: FakeServer) -> None:
    assert oidc.sign_in("corp").state == "active"


def test_the_link_to_open_is_printed_as_the_server_says_it(
    door: FakeServer, capsys: pytest.CaptureFixture[str]
) -> None:
    """Q10.1: Links in cells lead where browsers reach."""
    address = "https://hub.example.com/user/ada/jupyter-oidc/start/one-time-ticket"
    door.answers("POST", BEGIN, Answer({**STARTED, "start_address": address}, 201))
    oidc.sign_in("corp")
    assert f"To sign in at corp, open: {address}\n" in capsys.readouterr().err


def test_without_an_address_a_terminal_shows_what_to_open_where(
    door: FakeServer, capsys: pytest.CaptureFixture[str]
) -> None:
    """Q10.1: the output never shows the address at which the kernel reaches the server."""
    oidc.sign_in("corp")
    assert capsys.readouterr().err.startswith(
        "To sign in at corp, open this at the address of your JupyterLab, in its browser: "
        "/jupyter-oidc/start/one-time-ticket\n"
    )


def test_the_link_is_printed_once_however_long_it_takes(door: FakeServer, capsys: pytest.CaptureFixture[str]) -> None:
    door.answers("GET", PROGRESS, WAITING, WAITING, WAITING, COMPLETED)
    oidc.sign_in("corp")
    assert capsys.readouterr().err.count("one-time-ticket") == 1


def test_the_end_of_the_wait_is_printed(door: FakeServer, capsys: pytest.CaptureFixture[str]) -> None:
    oidc.sign_in("corp")
    assert "Signed in at corp as Ada Lovelace." in capsys.readouterr().err


def test_nothing_goes_to_standard_output(door: FakeServer, capsys: pytest.CaptureFixture[str]) -> None:
    oidc.sign_in("corp")
    assert capsys.readouterr().out == ""


def test_who_is_signed_in_is_not_asked_again(door: FakeServer) -> None:
    door.answers("GET", SESSION, SUMMARY)
    oidc.sign_in("corp")
    assert door.asked("POST", BEGIN) == []


def test_who_needs_a_stronger_sign_in_is_asked_for_the_api_that_wants_it(door: FakeServer) -> None:
    """C12: A demand for stronger sign-in is answered by name."""
    door.answers("GET", SESSION, SUMMARY)
    assert oidc.sign_in("corp", api="orders").state == "active"
    assert [json.loads(got.body) for got in door.asked("POST", BEGIN)] == [{"api": "orders"}]


def test_a_prompt_is_passed_on(door: FakeServer) -> None:
    """Q10.3: A page may sign in silently, once."""
    oidc.sign_in("corp", prompt="none")
    assert [json.loads(got.body) for got in door.asked("POST", BEGIN)] == [{"prompt": "none"}]


@pytest.mark.parametrize(("prompt", "begun"), [("none", 0), ("login", 1), ("select_account", 1), ("consent", 1)])
def test_somebody_who_is_in_is_asked_again_only_by_a_prompt_that_asks(
    door: FakeServer, prompt: str, begun: int
) -> None:
    """Q10.3: the user may choose another account, or give the password once more; ``none`` has nothing to ask."""
    door.answers("GET", SESSION, SUMMARY)
    oidc.sign_in("corp", prompt=prompt)
    assert len(door.asked("POST", BEGIN)) == begun


def test_hint_languages_and_levels_are_passed_on_as_lists(door: FakeServer) -> None:
    door.answers("GET", SESSION, SUMMARY)
    oidc.sign_in("corp", login_hint="bob@example.com", ui_locales="de fr", acr_values=["gold"])
    assert [json.loads(got.body) for got in door.asked("POST", BEGIN)] == [
        {"login_hint": "bob@example.com", "ui_locales": ["de", "fr"], "acr_values": ["gold"]}
    ]


@pytest.mark.parametrize(
    ("wishes", "begun"),
    [
        ({"login_hint": "Ada@example.com"}, 0),
        ({"login_hint": "ada"}, 0),
        ({"login_hint": "bob@example.com"}, 1),
        ({"ui_locales": "de"}, 0),
        ({"acr_values": "gold"}, 1),
        ({"acr_values": ""}, 0),
    ],
)
def test_who_is_signed_in_is_asked_again_for_another_person_or_a_level(
    door: FakeServer, wishes: dict[str, Any], begun: int
) -> None:
    door.answers("GET", SESSION, SUMMARY)
    oidc.sign_in("corp", timeout=5, **wishes)
    assert len(door.asked("POST", BEGIN)) == begun


def test_the_provider_of_an_api_need_not_be_named(door: FakeServer) -> None:
    providers = [{"name": name, "issuer": "https://op.example", "state": "active"} for name in ("other", "corp")]
    door.answers("GET", "jupyter-oidc/providers", {"providers": providers})
    door.answers("GET", "jupyter-oidc/providers/other/session", {**SIGNED_OUT, "provider": "other", "apis": []})
    door.answers("GET", SESSION, SUMMARY)
    oidc.sign_in(api="orders")
    assert len(door.asked("POST", BEGIN)) == 1


def test_who_can_still_call_is_not_asked_again_although_the_provider_is_out_of_reach(door: FakeServer) -> None:
    """Q6.1: a sign-in would fail now, and the calls of this cell would not."""
    door.answers("GET", SESSION, {**SUMMARY, "state": "refresh-failed"})
    assert oidc.sign_in("corp").state == "refresh-failed"
    assert door.asked("POST", BEGIN) == []


def test_a_token_that_ended_while_refreshes_fail_is_signed_in_anew(door: FakeServer) -> None:
    """Q6.1: calls would fail; the provider's answer shows whether a sign-in helps."""
    door.answers("GET", SESSION, {**SUMMARY, "state": "refresh-failed", "expires_in": 0}, SUMMARY)
    oidc.sign_in("corp")
    assert len(door.asked("POST", BEGIN)) == 1


def test_a_session_that_could_not_be_refreshed_is_signed_in_anew(door: FakeServer) -> None:
    """Q6.1: A session without refresh token ends on time."""
    ended = {**SIGNED_OUT, "state": "signed-out-expired", "reason": "not_refreshable"}
    door.answers("GET", SESSION, ended, SUMMARY)
    assert oidc.sign_in("corp").state == "active"
    assert len(door.asked("POST", BEGIN)) == 1


def test_a_session_whose_token_for_an_api_has_ended_is_signed_in_anew(door: FakeServer) -> None:
    """Q6.1: no refresh brings a new ID token, so calls to that API would fail."""
    expired = [{"name": "orders", "readiness": "expired", "allowed": True, "missing": []}]
    door.answers("GET", SESSION, {**SUMMARY, "apis": expired}, SUMMARY)
    oidc.sign_in("corp")
    assert len(door.asked("POST", BEGIN)) == 1


def test_the_progress_is_asked_for_with_a_wait(door: FakeServer) -> None:
    oidc.sign_in("corp")
    assert door.asked("GET", PROGRESS)[0].query == "wait=2"


def test_a_server_that_answers_at_once_is_not_asked_without_pause(door: FakeServer) -> None:
    door.answers("GET", PROGRESS, WAITING)
    with pytest.raises(SignInTimeout):
        oidc.sign_in("corp", timeout=1)
    assert len(door.asked("GET", PROGRESS)) <= 6


def test_a_finished_sign_in_is_not_cancelled(door: FakeServer) -> None:
    oidc.sign_in("corp")
    assert door.asked("DELETE", PROGRESS) == []


def test_every_call_carries_the_grant(door: FakeServer) -> None:
    oidc.sign_in("corp")
    assert {got.bearer for got in door.received[1:]} == {"Bearer jog.grant-number-000001"}


def test_a_provider_that_gives_a_code_is_shown_with_it(door: FakeServer, capsys: pytest.CaptureFixture[str]) -> None:
    device = {
        "user_code": "WDJB-MJHT",
        "verification_uri": "https://id.example.com/d",
        "verification_uri_complete": None,
    }
    door.answers("POST", BEGIN, {**STARTED, "strategy": "device", "start_url": None, "device": device})
    oidc.sign_in("corp")
    assert "open: https://id.example.com/d and enter the code WDJB-MJHT\n" in capsys.readouterr().err


@pytest.mark.parametrize(
    "started",
    [
        pytest.param({"start_url": None}, id="nowhere"),
        pytest.param({"start_url": "@evil.example.com/"}, id="another-host"),
        pytest.param({"start_url": ":1@evil.example.com/"}, id="another-host-by-port"),
        pytest.param({"start_url": "/a\x1b[2J"}, id="terminal-command"),
        pytest.param({"start_url": "//evil.example.com/"}, id="another-host-by-slashes"),
        pytest.param({"start_url": "/\\evil.example.com/"}, id="another-host-by-backslash"),
        pytest.param({"start_address": "javascript:alert(1)"}, id="script-as-address"),
        pytest.param({"start_address": "https://hub.example.com/\x1b[2J"}, id="terminal-command-in-an-address"),
        pytest.param(
            {
                "start_url": None,
                "device": {"user_code": "A", "verification_uri": "javascript:x", "verification_uri_complete": None},
            },
            id="script",
        ),
    ],
)
def test_a_link_that_leads_elsewhere_is_not_shown(
    door: FakeServer, capsys: pytest.CaptureFixture[str], started: dict[str, Any]
) -> None:
    door.answers("POST", BEGIN, {**STARTED, **started})
    with pytest.raises(ContractError):
        oidc.sign_in("corp")
    assert capsys.readouterr().err == ""


# -- timeouts, refusals and Ctrl-C -------------------------------------------------------------------------------


def test_a_sign_in_that_nobody_finishes_ends_after_the_timeout(door: FakeServer) -> None:
    door.answers("GET", PROGRESS, WAITING)
    with pytest.raises(SignInTimeout, match=r"within 1 seconds\. Run oidc\.sign_in\(\) again"):
        oidc.sign_in("corp", timeout=1)


def test_a_sign_in_that_timed_out_is_cancelled(door: FakeServer) -> None:
    door.answers("GET", PROGRESS, WAITING)
    with pytest.raises(SignInTimeout):
        oidc.sign_in("corp", timeout=0.1)
    assert len(door.asked("DELETE", PROGRESS)) == 1


@pytest.mark.parametrize("timeout", [0, -5])
def test_a_timeout_of_nothing_does_not_wait(door: FakeServer, timeout: int) -> None:
    with pytest.raises(SignInTimeout):
        oidc.sign_in("corp", timeout=timeout)
    assert door.asked("GET", PROGRESS) == []


def test_a_server_that_cannot_cancel_does_not_hide_the_timeout(door: FakeServer) -> None:
    door.answers("GET", PROGRESS, WAITING)
    door.answers("DELETE", PROGRESS, refusal("unknown_flow", 404))
    with pytest.raises(SignInTimeout):
        oidc.sign_in("corp", timeout=0.1)


def interrupted(call: Callable[[], object], *, after: float) -> None:
    """Make ``call`` and press Ctrl-C after ``after`` seconds."""
    pressed = threading.Timer(after, signal.pthread_kill, [threading.main_thread().ident, signal.SIGINT])
    # NOTE: a process that was started in the background ignores Ctrl-C until it says otherwise.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    pressed.start()
    try:
        call()
    finally:
        pressed.cancel()
        pressed.join()
        signal.signal(signal.SIGINT, before)


@pytest.fixture
def slow(door: FakeServer) -> FakeServer:
    """As ``door``, but the browser is never finished, and a look takes far longer than an interruption."""
    door.answers("GET", PROGRESS, Answer(WAITING, delay=8.0))
    return door


def test_ctrl_c_is_an_interrupt_to_the_caller(slow: FakeServer) -> None:
    with pytest.raises(KeyboardInterrupt):
        interrupted(lambda: oidc.sign_in("corp"), after=0.5)


def test_ctrl_c_does_not_wait_for_the_look_under_way(slow: FakeServer) -> None:
    begun = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        interrupted(lambda: oidc.sign_in("corp"), after=0.3)
    assert time.monotonic() - begun < 7, "the look takes eight seconds"


def test_ctrl_c_cancels_the_sign_in(slow: FakeServer) -> None:
    with pytest.raises(KeyboardInterrupt):
        interrupted(lambda: oidc.sign_in("corp"), after=0.5)
    assert len(slow.asked("DELETE", PROGRESS)) == 1


def test_ctrl_c_leaves_no_thread_of_ours(slow: FakeServer) -> None:
    before = threading.active_count()
    with pytest.raises(KeyboardInterrupt):
        interrupted(lambda: oidc.sign_in("corp"), after=0.5)
    time.sleep(0.1)
    own = [thread for thread in threading.enumerate() if "process_request_thread" not in thread.name]
    assert len(own) <= before


def test_ctrl_c_remains_an_interrupt_if_the_cancel_fails(slow: FakeServer) -> None:
    slow.answers("DELETE", PROGRESS, Answer(b"<html>", 502))
    with pytest.raises(KeyboardInterrupt):
        interrupted(lambda: oidc.sign_in("corp"), after=0.5)


def test_after_ctrl_c_one_can_sign_in_again(slow: FakeServer) -> None:
    with pytest.raises(KeyboardInterrupt):
        interrupted(lambda: oidc.sign_in("corp"), after=0.5)
    slow.answers("GET", SESSION, SIGNED_OUT, SUMMARY)
    slow.answers("GET", PROGRESS, COMPLETED)
    assert oidc.sign_in("corp").state == "active"


@pytest.mark.parametrize(
    ("progress", "kind"),
    [
        pytest.param({"state": "cancelled"}, SignInCancelled, id="cancelled"),
        pytest.param({"state": "expired"}, UnknownFlow, id="expired"),
        pytest.param({"state": "failed", "error": refusal("id_token_rejected").body}, IdTokenRejected, id="failed"),
    ],
)
def test_a_sign_in_that_fails_is_the_exception_of_its_reason(
    door: FakeServer, progress: dict[str, Any], kind: type[OIDCError]
) -> None:
    door.answers("GET", PROGRESS, {**WAITING, **progress})
    with pytest.raises(kind):
        oidc.sign_in("corp")


def test_an_exception_of_a_sign_in_says_what_to_do(door: FakeServer) -> None:
    door.answers("GET", PROGRESS, {**WAITING, "state": "expired"})
    with pytest.raises(UnknownFlow, match=r"Run oidc\.sign_in\(\) again\."):
        oidc.sign_in("corp")


def test_an_unknown_provider_is_told_apart(door: FakeServer) -> None:
    door.answers("GET", "jupyter-oidc/providers/nowhere/session", refusal("unknown_provider", 404))
    with pytest.raises(UnknownProvider):
        oidc.sign_in("nowhere")


def test_a_provider_name_cannot_leave_its_place_in_the_path(door: FakeServer) -> None:
    with pytest.raises(ContractError):
        oidc.session("../corp?x=")
    assert door.received[-1].path == "/jupyter-oidc/providers/..%2Fcorp%3Fx%3D/session"


# -- answers that make no sense ----------------------------------------------------------------------------------

MALFORMED = [
    pytest.param(Answer(b"<html>Log in</html>"), id="html"),
    pytest.param(Answer(b""), id="empty"),
    pytest.param(Answer(b"", 302, {"Location": "/login"}), id="login-page"),
    pytest.param(Answer(b"{}", 404), id="no-extension"),
    pytest.param(Answer(b"null"), id="null"),
    pytest.param(Answer(b"\xff"), id="not-text"),
    pytest.param(Answer(b"[" * 200_000), id="deep"),
    pytest.param(Answer(b'{"expires_in": ' + b"9" * 5000 + b"}"), id="long-number"),
    pytest.param(Answer(b"not gzip", 200, {"Content-Encoding": "gzip"}), id="not-gzip"),
]


@pytest.mark.parametrize("answer", MALFORMED)
@pytest.mark.parametrize(("method", "path"), [("GET", SESSION), ("POST", BEGIN), ("GET", PROGRESS)])
def test_a_malformed_answer_is_an_error_that_says_what_to_do(
    door: FakeServer, method: str, path: str, answer: Answer
) -> None:
    door.answers(method, path, answer)
    with pytest.raises(OIDCError) as caught:
        oidc.sign_in("corp", timeout=5)
    assert caught.value.action != ""


@pytest.mark.parametrize("answer", MALFORMED)
def test_a_malformed_session_is_no_session(door: FakeServer, answer: Answer) -> None:
    door.answers("GET", SESSION, answer)
    with pytest.raises((ContractError, ServerNotFound)):
        oidc.session("corp")


@pytest.mark.parametrize("answer", MALFORMED[:8])
def test_the_advice_for_a_malformed_answer_is_to_install_the_same_version(door: FakeServer, answer: Answer) -> None:
    door.answers("GET", SESSION, answer)
    with pytest.raises(ContractError, match="Install the same version of jupyter_oidc in the kernel and in the server"):
        oidc.session("corp")


def test_an_endless_answer_is_not_read_to_its_end(door: FakeServer) -> None:
    door.answers("GET", SESSION, Answer(json.dumps(SUMMARY).encode() + b" " * 50_000_000))
    with pytest.raises(ContractError):
        oidc.session("corp")


def test_a_connection_cut_in_the_middle_is_a_server_that_does_not_answer(door: FakeServer) -> None:
    door.answers("GET", SESSION, Answer(b"{", 200, {"Content-Length": "900", "Connection": "close"}))
    with pytest.raises(ServerNotFound, match="does not answer"):
        oidc.session("corp")


def test_a_broken_progress_cancels_the_sign_in(door: FakeServer) -> None:
    door.answers("GET", PROGRESS, Answer(b"<html>"))
    with pytest.raises(ContractError):
        oidc.sign_in("corp")
    assert len(door.asked("DELETE", PROGRESS)) == 1


# -- the sign-out ------------------------------------------------------------------------------------------------


def test_a_sign_out_tells_each_step(kernel: FakeServer) -> None:
    kernel.answers(
        "POST",
        SIGN_OUT,
        {
            "local": "done",
            "revoked": "failed",
            "end_session_url": "https://id/end",
            "end_session_address": "https://id/end",
        },
    )
    told = oidc.sign_out("corp")
    assert (told.local, told.revoked, told.end_session_url) == ("done", "failed", "https://id/end")


def test_a_sign_out_with_an_unknown_step_says_which(kernel: FakeServer) -> None:
    kernel.answers(
        "POST", SIGN_OUT, {"local": "done", "revoked": "perhaps", "end_session_url": None, "end_session_address": None}
    )
    told = oidc.sign_out("corp")
    assert (told.revoked, told.unknown_words) == ("other", {"revoked": "perhaps"})
    assert repr(told) == 'Signed out here. The server calls it "perhaps".'
