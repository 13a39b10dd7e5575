"""Several server processes and one session, at a provider that takes each refresh token once and punishes reuse."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from jupyter_oidc.compose import Services
from jupyter_oidc.sessions.grant import SIGN_IN_KEY, Granted, SignInNeeded
from jupyter_oidc.sessions.machine import State
from jupyter_oidc.sessions.token_answers import RefreshReply, Tokens
from tests.support.certified_provider import CertifiedProvider, RegisteredClient
from tests.support.session_child import POINTS, hurry, services_of

CALLBACK = "http://localhost:1/jupyter-oidc/providers/corp/callback"
KEY = "a2V5LWZvci10ZXN0cy1vbmx5LTAxMjM0NTY3ODktYWI"
PROCESSES, REFRESHES = 8, 100
ROOT = Path(__file__).parents[2]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Jupyter's data folder of this test, for this process and its children."""
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "data"))
    return tmp_path


@pytest.fixture
def settings(provider: CertifiedProvider) -> dict[str, Any]:
    provider.register_client(RegisteredClient("jupyter", (CALLBACK,)))
    return {
        "issuer": provider.issuer,
        "client_id": "jupyter",
        "prompt": "consent",
        "allow_insecure_loopback": True,
    }


async def sign_in(provider: CertifiedProvider, settings: dict[str, Any]) -> None:
    """Sign in, store the session, and stop."""
    services = services_of(settings, KEY)
    session = services.sessions.of_provider("corp")
    _, ticket = await session.sign_ins.begin("user:test")
    pending = services.pending.use_ticket(ticket)
    url, binding = await session.sign_ins.authorization_url(pending, CALLBACK)
    last = await asyncio.to_thread(provider.browser().sign_in, url, "user1", "any", stop_at=CALLBACK)
    query = parse_qsl(urlsplit(last.headers["location"]).query)
    await session.sign_ins.callback(query, [binding])
    assert (await session.view.summary()).storage == "encrypted-file"
    await services.aclose()


def start(settings: dict[str, Any], refreshes: int, *, dies: str = "") -> subprocess.Popen[str]:
    child = subprocess.Popen(
        [sys.executable, "-m", "tests.support.session_child"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    assert child.stdin is not None
    child.stdin.write(json.dumps({"provider": settings, "key": KEY, "refreshes": refreshes, "dies": dies}) + "\n")
    child.stdin.flush()
    return child


def told(child: subprocess.Popen[str]) -> dict[str, Any]:
    out, err = child.communicate(timeout=170)
    assert child.returncode == 0, err
    answer: dict[str, Any] = json.loads(out)
    return answer


def test_eight_processes_refresh_a_hundred_times_each_and_no_token_is_spent_twice(
    home: Path, provider: CertifiedProvider, settings: dict[str, Any]
) -> None:
    """B10: no `invalid_grant`, and the token in the store at the end is the provider's current one."""
    asyncio.run(sign_in(provider, settings))
    before = provider.record()
    children = [start(settings, REFRESHES) for _ in range(PROCESSES)]
    answers = [told(child) for child in children]
    assert {answer["state"] for answer in answers} == {"active"}
    assert sum(answer["outcomes"].get("Granted", 0) for answer in answers) == PROCESSES * REFRESHES
    after = provider.record()
    assert after.token_errors.get("invalid_grant", 0) == before.token_errors.get("invalid_grant", 0)
    assert after.grants_revoked == before.grants_revoked
    assert told(start(settings, 1))["state"] == "active", "what is stored is the provider's current token"


@pytest.mark.parametrize("point", POINTS)
def test_a_server_killed_at_any_point_of_a_refresh_leaves_a_session_or_a_reason(
    home: Path, provider: CertifiedProvider, settings: dict[str, Any], point: str
) -> None:
    """B14: after `kill -9` the next start is signed in, or cleanly expired with a reason, after one attempt."""
    asyncio.run(sign_in(provider, settings))
    victim = start(settings, 1, dies=point)
    victim.communicate(timeout=60)
    assert victim.returncode != 0, "it was to die"
    before = provider.record().token_requests.get("refresh_token", 0)  # NOTE: none, where this test runs first
    answer = told(start(settings, 1))
    attempts = provider.record().token_requests["refresh_token"] - before
    if point in ("marked", "stored", "settled"):
        assert (answer["state"], answer["outcomes"]) == ("active", {"Granted": 1})
    elif point == "answered":
        assert (answer["state"], answer["reason"]) == ("signed-out-expired", "rotation_lost")
        assert attempts == 1
    else:
        assert answer["state"] == "active" or answer["reason"] == "rotation_lost"
    again = told(start(settings, 1))
    assert again["state"] in ("active", "signed-out"), "and never a loop"


async def two_servers(provider: CertifiedProvider, settings: dict[str, Any]) -> tuple[Services, Services]:
    """Two servers that have restored the same stored session."""
    await sign_in(provider, settings)
    one, other = services_of(settings, KEY), services_of(settings, KEY)
    for services in (one, other):
        session = services.sessions.of_provider("corp")
        assert (await session.view.summary()).state is State.ACTIVE
        assert isinstance(await session.tokens.bearer(SIGN_IN_KEY), Granted)
        hurry(services)
    return one, other


async def test_a_token_that_another_server_has_rotated_is_adopted(
    home: Path, provider: CertifiedProvider, settings: dict[str, Any]
) -> None:
    """B2: no session ends, and no token is spent twice."""
    before = provider.record()
    one, other = await two_servers(provider, settings)
    for services in (one, other, one, one, other):
        hurry(services)
        assert isinstance(await services.sessions.of_provider("corp").tokens.refresh(), Granted)
    after = provider.record()
    assert after.token_errors.get("invalid_grant", 0) == before.token_errors.get("invalid_grant", 0)
    await one.aclose()
    await other.aclose()


async def test_a_sign_out_revokes_what_another_server_has_rotated_and_is_noticed_there(
    home: Path, provider: CertifiedProvider, settings: dict[str, Any]
) -> None:
    """D1, D7, B31: the newest token is taken back, the other server says so, and nothing comes back."""
    one, other = await two_servers(provider, settings)
    assert isinstance(await other.sessions.of_provider("corp").tokens.refresh(), Granted)
    assert (await one.sessions.of_provider("corp").sign_outs.sign_out()).revoked == "done"
    hurry(other)
    session = other.sessions.of_provider("corp")
    assert await session.tokens.refresh() == SignInNeeded("not_signed_in")
    summary = await session.view.summary()
    assert (summary.state, summary.reason) == (State.SIGNED_OUT, "signed_out_elsewhere")
    await one.aclose()
    await other.aclose()
    third = services_of(settings, KEY)
    assert (await third.sessions.of_provider("corp").view.summary()).state is State.SIGNED_OUT
    await third.aclose()


async def test_a_stolen_and_spent_refresh_token_ends_the_session_with_a_reason(
    home: Path, provider: CertifiedProvider, settings: dict[str, Any]
) -> None:
    """B1, B14: the provider notices the reuse and ends the whole grant; no server hammers it afterwards."""
    one, other = await two_servers(provider, settings)
    thief = one.sessions.of_provider("corp")
    stolen = other.sessions.of_provider("corp").current.data.refresh_token
    assert thief.current.live is not None
    thief.current.live.data = replace(thief.current.live.data, refresh_token=stolen)
    assert stolen is not None
    spent = await thief._oidc_client.send_refresh(stolen, SIGN_IN_KEY)
    assert isinstance(spent, RefreshReply)
    answer = await thief._oidc_client.judge_refresh(
        spent, SIGN_IN_KEY, subject=thief.current.data.subject, previous=None
    )
    assert isinstance(answer, Tokens)  # and the thief keeps the tokens
    before = provider.record().token_requests.get("refresh_token", 0)  # NOTE: none, where this test runs first
    victim = other.sessions.of_provider("corp")
    assert await victim.tokens.refresh() == SignInNeeded("session_expired")
    assert (await victim.view.summary()).reason == "session_ended_by_provider"
    assert await victim.tokens.refresh() == SignInNeeded("session_expired")
    assert provider.record().token_requests["refresh_token"] - before == 1
    await one.aclose()
    await other.aclose()
