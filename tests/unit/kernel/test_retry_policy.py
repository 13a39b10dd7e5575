"""The retry policy decides from one request and one answer, without waiting."""

from __future__ import annotations

import httpx
import pytest

from jupyter_oidc.kernel.find import Server
from jupyter_oidc.kernel.grant import GrantAuth
from jupyter_oidc.kernel.retry_policy import MAX_RETRIES, Pause, RetryState
from tests.unit.kernel.fake_server import KERNEL

URL = "http://127.0.0.1:8888/jupyter-oidc/api/orders/items"
NOON = 1_800_000_000.0
"""2027-01-15T08:00:00Z in seconds since 1970."""


def retries(patience: float = 60.0, chance: float = 0.0) -> RetryState:
    """Make a policy whose random part adds nothing, unless a test says so."""
    grants = GrantAuth(Server("http://127.0.0.1:8888/"), KERNEL)
    return RetryState(grants, patience, now=lambda: NOON, chance=lambda: chance)


def exchange(
    status: int, method: str = "GET", *, sent: dict[str, str] | None = None, url: str = URL, **headers: str
) -> tuple[httpx.Request, httpx.Response]:
    request = httpx.Request(method, url, headers=sent)
    named = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return request, httpx.Response(status, headers=named, request=request)


def seconds(pause: Pause | None) -> float | None:
    return None if pause is None else pause.seconds


@pytest.mark.parametrize(
    ("told", "waited"),
    [
        ("7", 7.0),
        ("0", 0.25),
        ("60", 60.0),
        ("Fri, 15 Jan 2027 08:00:09 GMT", 9.0),
        ("Fri, 15 Jan 2027 08:00:09 -0000", 9.0),
        ("Wed, 21 Oct 2026 07:28:00 GMT", 0.25),
        ("61", None),
        ("999999999", None),
        ("Fri, 15 Jan 2027 08:01:01 GMT", None),
    ],
)
@pytest.mark.parametrize("status", [429, 503])
def test_the_pause_is_what_the_peer_names(status: int, told: str, waited: float | None) -> None:
    """RFC 9110, 10.2.3: the pause is in seconds or a date; beyond ``patience``, the caller gets the answer."""
    assert seconds(retries().after(*exchange(status, Retry_After=told))) == waited


@pytest.mark.parametrize("told", ["", "soon", "-1", "1.5", "²", "٣", "9" * 5000, "Fri, 99 Jan 2027 08:00:09 GMT"])
def test_a_time_that_cannot_be_read_counts_as_none(told: str) -> None:
    assert retries().after(*exchange(503, Retry_After=told)) is None
    assert seconds(retries().after(*exchange(429, Retry_After=told))) == 0.25


def test_a_503_without_a_time_is_left_to_the_caller() -> None:
    assert retries().after(*exchange(503)) is None


def test_pauses_without_a_time_double_and_stay_within_patience() -> None:
    asked = retries(patience=1000)
    found = [seconds(asked.after(*exchange(429))) for _ in range(MAX_RETRIES + 1)]
    assert found == [0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 8.0, 8.0, None]


def test_all_pauses_of_a_call_together_stay_within_patience() -> None:
    asked = retries(patience=2.0)
    assert [seconds(asked.after(*exchange(429))) for _ in range(4)] == [0.25, 0.5, 1.0, None]


@pytest.mark.parametrize(("chance", "waited"), [(0.0, 5.0), (0.5, 5.125), (1.0, 5.25)])
def test_kernels_that_were_told_the_same_time_do_not_come_back_at_once_together(chance: float, waited: float) -> None:
    assert seconds(retries(chance=chance).after(*exchange(429, Retry_After="5"))) == waited


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "PUT", "DELETE"])
def test_a_call_that_may_happen_twice_is_made_again(method: str) -> None:
    """RFC 9110, 9.2.2: the method is idempotent."""
    assert retries().after(*exchange(429, method, Retry_After="1")) is not None


@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_a_call_that_may_happen_once_only_is_made_once(method: str) -> None:
    assert retries().after(*exchange(429, method, Retry_After="1")) is None


def test_a_call_with_an_idempotency_key_may_happen_twice() -> None:
    assert retries().after(*exchange(429, "POST", sent={"Idempotency-Key": "k"}, Retry_After="1")) is not None


@pytest.mark.parametrize("status", [200, 301, 400, 401, 403, 404, 408, 500, 502, 504])
def test_other_answers_are_the_callers(status: int) -> None:
    assert retries().after(*exchange(status, Retry_After="1")) is None


@pytest.mark.parametrize(
    ("code", "why"),
    [("idp_unavailable", "The provider cannot be reached."), ("overloaded", "The Jupyter server is busy.")],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_refusal_that_came_before_the_api_is_waited_out_for_every_method(method: str, code: str, why: str) -> None:
    pause = retries().after(*exchange(503, method, X_OIDC_Error=code, Retry_After="3"))
    assert pause is not None
    assert (pause.seconds, pause.why) == (3.0, why)


@pytest.mark.parametrize("code", ["storage_unavailable", "upstream_timeout", "upstream_unreachable", "not_signed_in"])
def test_a_refusal_that_does_not_pass_by_itself_or_came_later_is_not_repeated(code: str) -> None:
    assert retries().after(*exchange(503, X_OIDC_Error=code, Retry_After="3")) is None


def test_an_error_of_ours_from_elsewhere_is_an_answer_like_any_other() -> None:
    elsewhere = exchange(503, "POST", url="http://127.0.0.1:9999/x", X_OIDC_Error="overloaded", Retry_After="3")
    assert retries().after(*elsewhere) is None


def test_a_refreshed_token_earns_one_repetition_at_once() -> None:
    asked = retries(patience=0)
    found = [seconds(asked.after(*exchange(401, "POST", X_OIDC_Retryable="true"))) for _ in range(2)]
    assert found == [0.0, None]


def test_a_refused_grant_and_a_refreshed_token_earn_one_repetition_each() -> None:
    asked = retries()
    refused = exchange(401, X_OIDC_Error="grant_invalid")
    refreshed = exchange(401, X_OIDC_Retryable="true")
    assert [seconds(asked.after(*one)) for one in (refused, refreshed, refused, refreshed)] == [0.0, 0.0, None, None]


@pytest.mark.parametrize("value", ["false", "", "True"])
def test_only_the_word_true_asks_for_repetition(value: str) -> None:
    assert retries().after(*exchange(401, X_OIDC_Retryable=value)) is None
