"""The budget of the proxy's hot path: how many functions a server calls for one small call, and the garbage it leaves.

The numbers stand in ``call_budget.json``; a change that makes the path shorter lowers them. A tenth more is allowed,
for other versions of Python and of the libraries.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bench.proxy.calls import calls_per_request, garbage_per_request
from tests.bench.proxy.processes import A_DAY, TOKEN_BYTES, Credential, Ours, our_server
from tests.support.scripted_provider import ScriptedProvider
from tests.support.upstream import Upstream

BUDGET = json.loads((Path(__file__).parent / "call_budget.json").read_text(encoding="utf-8"))
ALLOWED = 1.1


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ours]:
    """A signed-in server in a process of its own, without pytest's log handlers, and a kernel that it started."""
    folder = tmp_path_factory.mktemp("budget") / "jupyter"
    with (
        ScriptedProvider(lifetime=A_DAY, access_token_bytes=TOKEN_BYTES) as provider,
        Upstream() as upstream,
        our_server(folder, provider, {"orders": upstream.url}) as ours,
    ):
        yield ours


@pytest.mark.parametrize("credential", ["grant", "token"])
def test_a_proxied_call_stays_within_its_budget_of_function_calls(ours: Ours, credential: Credential) -> None:
    counted = calls_per_request(ours.process, ours.call("orders", "items", credential))
    print(f"{credential}: {counted:.0f} calls")
    assert counted <= ALLOWED * BUDGET[credential], f"{counted:.0f} calls; call_budget.json says {BUDGET[credential]}."


@pytest.mark.parametrize("sent", [b"", b'{"title": "a lamp"}'], ids=["get", "post"])
@pytest.mark.parametrize("credential", ["grant", "token"])
def test_a_proxied_call_leaves_no_reference_cycle(ours: Ours, credential: Credential, sent: bytes) -> None:
    """Garbage in cycles costs a quarter of a call's time, and its collection pauses the whole server (ADR 17)."""
    assert garbage_per_request(ours.process, ours.call("orders", "items", credential), sent) < 1


def test_work_on_the_path_is_seen(ours: Ours) -> None:
    """Proof that the budget can be exceeded: the two hundred parameters of a query are looked at one by one."""
    short = calls_per_request(ours.process, ours.call("orders", "items", "grant"))
    long = calls_per_request(
        ours.process, ours.call("orders", "items?" + "&".join(f"a{n}=1" for n in range(200)), "grant")
    )
    assert long > ALLOWED * short
