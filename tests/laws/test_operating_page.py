"""Law: the page about operating a broker names limits, counters, tables and columns as the code has them.

Proof that the law can fail: a page with another number, or another counter, is caught.
"""

from __future__ import annotations

import re

from prometheus_client import REGISTRY, generate_latest

from jupyter_oidc import compose
from jupyter_oidc.adapters.storage.database import postgres, schema
from jupyter_oidc.adapters.telemetry import metrics
from jupyter_oidc.broker import accounts, deleted_users, exchange, hub_api, listener, running
from jupyter_oidc.sessions import lifetimes, pending
from jupyter_oidc.web import request
from tests.laws.source import ROOT

PAGE = (ROOT / "docs" / "how-to" / "operate-the-broker.md").read_text(encoding="utf-8")
LIMITS = {
    "connections of callers": (listener._OWN_FILES, listener.MAX_CONNECTIONS),
    "requests of one account at once": (listener.MAX_CONNECTIONS_OF_PEER,),
    "accounts in memory": (accounts.MAX_ACCOUNTS, accounts.IDLE_SECONDS),
    "calls to providers that one account makes at once": (compose.MAX_PROVIDER_CALLS,),
    "connections to one provider": (compose.MAX_PROVIDER_CONNECTIONS,),
    "connections to the database": (
        postgres.MAX_CONNECTIONS + postgres.MAX_TURNS,
        postgres.MAX_CONNECTIONS,
        postgres.MAX_TURNS,
    ),
    "sign-ins of one account under way": (
        pending.MAX_PENDING,
        lifetimes.SIGN_IN_LIFETIME_SECONDS / 60,
    ),
    "a line of a request's head, and its lines": (running.MAX_HEADER_BYTES, running.MAX_HEADERS),
    "the body of a request that is no call of an API": (request.MAX_BODY_BYTES, exchange.BODY_TIMEOUT_SECONDS),
    "an answer of the Hub about a token": (hub_api.IDENTITY_SECONDS,),
    "the users of the Hub": (deleted_users.LOOK_SECONDS,),
}


def limits(page: str) -> dict[str, tuple[float, ...]]:
    table = page.partition("## What it can hold")[2]
    rows = re.findall(r"^\| ([^|]+) \| ([^|]+) \|$", table, re.MULTILINE)
    return {
        name: tuple(float(number.replace(",", "")) for number in re.findall(r"\d[\d,]*\b", text)) for name, text in rows
    }


def counters(page: str) -> set[str]:
    return set(re.findall(r"`(jupyter_oidc_\w+_total|process_\w+)`", page))


def test_its_limits_are_those_of_the_code() -> None:
    assert limits(PAGE) == LIMITS
    assert limits(PAGE.replace("20,000", "10,000")) != LIMITS
    assert (listener._SHARE_OF_PEER, listener.shares_of(10_256).most) == (8, 5_000), "an eighth, and half"


def test_its_counters_exist() -> None:
    known = {metrics.CALLS, metrics.BYTES, metrics.SESSIONS, metrics.CALL_REFUSALS, metrics.REFUSALS}
    ours = {f"{name}_total" for name in known}
    process = set(re.findall(r"^# TYPE (process_\w+)", generate_latest(REGISTRY).decode(), re.MULTILINE))
    assert ours <= counters(PAGE)
    assert counters(PAGE) - ours <= process or not process  # NOTE: there are none of a process but on Linux
    assert counters(PAGE.replace("jupyter_oidc_calls_total", "jupyter_oidc_all_total")) - ours - process != set()


def test_its_tables_and_columns_exist() -> None:
    made = "".join(schema.POSTGRESQL)
    for name in re.findall(r"`(oidc_\w+)`|FROM (oidc_\w+)", PAGE):
        assert "".join(name) in f"{made} oidc_schema"
    assert all(column in made for column in ("sealed bytea", "changed_at timestamptz"))
