"""How a Jupyter server looks after the worker grants at its broker, which does not know the kernels."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from jupyter_oidc.background import Background, Defect
from jupyter_oidc.clock import SystemClock
from jupyter_oidc.entropy import SystemEntropy
from jupyter_oidc.problems import BrokerUnavailable, GrantInvalid, Problem
from jupyter_oidc.server.broker import Broker
from jupyter_oidc.server.context import Context
from jupyter_oidc.server.kernel_grants import KernelGrants, KernelRun
from jupyter_oidc.server.worker_leases import WorkerLeases
from jupyter_oidc.web.forwarded import Forwarded
from jupyter_oidc.web.reply import Reply, json_reply
from jupyter_oidc.web.request import Request
from tests.support.kernels import Kernels

TEXT = "jow." + "A" * 43
ID = "worker-AAAAAAAAAAAAAAAA"
SECONDS = 5.0


@dataclass
class AskedBroker:
    """A broker that answers what ``living`` says, and keeps what it was asked."""

    living: set[str] = field(default_factory=lambda: {ID})
    asked: list[tuple[str, str, Any]] = field(default_factory=list)
    is_away: bool = False
    answers_nonsense: bool = False
    status: int = 200
    defects: list[Defect] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.background = Background(self.defects.append, expected=Problem)

    async def ask(self, request: Request, forwarded: Forwarded) -> Reply:
        body = json.loads(request.body or b"null")
        self.asked.append((request.method, request.path, body))
        assert (request.caller.kind, forwarded.caller_kind, forwarded.base_url) == ("server", "server", "/user/ada/")
        forwarded.text()
        if self.is_away:
            raise BrokerUnavailable
        if request.method == "DELETE":
            self.living.discard(request.path.rpartition("/")[2])
            return json_reply({}, self.status)
        if self.answers_nonsense:
            return json_reply({"grants": "all"})
        return json_reply({"grants": [one for one in body["grants"] if one in self.living]}, self.status)

    def of(self, method: str) -> list[Any]:
        return [body for verb, _, body in self.asked if verb == method]


@dataclass
class Place:
    """A server with one kernel, and its broker."""

    broker: AskedBroker
    kernels: Kernels
    context: Context
    leases: WorkerLeases

    def made(self, *, outlives_kernel: bool = False) -> None:
        """Let the broker have made a grant for the kernel."""
        reply = {
            "id": ID,
            "provider": "corp",
            "apis": ["orders"],
            "methods": ["GET"],
            "name": "",
            "maker": "kernel:k1",
            "outlives_kernel": outlives_kernel,
            "began_at": "2026-11-30T08:00:00Z",
            "ends_at": "2026-11-30T09:00:00Z",
            "last_used_at": None,
            "grant": TEXT,
            "address": None,
            "address_outlives_server": False,
        }
        run = self.kernels.run_of("k1")
        assert run is not None
        self.leases.made(json_reply(reply, 201), KernelRun("k1", run))


@pytest.fixture
def place(jp_asyncio_loop: asyncio.AbstractEventLoop) -> Place:
    broker, kernels = AskedBroker(), Kernels(k1=b"a key")
    context = Context(
        cast(Any, None),
        None,
        (),
        KernelGrants(SystemClock(), SystemEntropy(), kernels),
        SystemEntropy(),
        make_diagnostic_context=cast(Any, None),
        clock=SystemClock(),
        proxy_prefix="/user/ada/jupyter-oidc/api/",
    )
    context.browser_location.base_url = "/user/ada/"
    leases = WorkerLeases(context, cast(Broker, broker), look_seconds=0.01, renewal_seconds=0.05)
    return Place(broker, kernels, context, leases)


async def until(reached: Callable[[], bool]) -> None:
    async def wait() -> None:
        while not reached():
            await asyncio.sleep(0.01)

    await asyncio.wait_for(wait(), SECONDS)


async def test_a_server_renews_the_grants_of_kernels_that_run(place: Place) -> None:
    place.made()
    await until(lambda: len(place.broker.of("POST")) > 2)
    assert place.broker.of("POST")[0] == {"grants": [ID]}
    assert place.broker.of("DELETE") == []


async def test_a_grant_whose_kernel_has_ended_is_refused_at_once_and_revoked(place: Place) -> None:
    place.made()
    place.leases.require_backed(TEXT)
    place.kernels.restart()
    with pytest.raises(GrantInvalid) as refused:
        place.leases.require_backed(TEXT)
    assert refused.value.detail == "worker.kernel_gone"
    await until(lambda: not place.broker.living)
    await until(lambda: not len(place.broker.background))  # there is nothing left to look after
    assert [path for verb, path, _ in place.broker.asked if verb == "DELETE"] == [f"/user/ada/jupyter-oidc/grants/{ID}"]


async def test_a_grant_that_outlives_its_kernel_is_left_alone(place: Place) -> None:
    place.made(outlives_kernel=True)
    place.kernels.clear()
    place.leases.require_backed(TEXT)
    await until(lambda: len(place.broker.of("POST")) > 1)
    assert place.broker.of("DELETE") == []


async def test_a_grant_that_has_ended_is_forgotten(place: Place) -> None:
    place.made(outlives_kernel=True)
    place.broker.living.clear()
    await until(lambda: place.context.workers.is_empty)


@pytest.mark.parametrize("trouble", ["away", "refuses"])
async def test_a_broker_that_is_away_is_asked_again(
    place: Place, trouble: str, caplog: pytest.LogCaptureFixture
) -> None:
    place.made()
    place.broker.is_away, place.broker.status = trouble == "away", 503
    place.kernels.restart()
    await until(lambda: len(place.broker.of("DELETE")) > 3)
    assert not place.context.workers.is_empty
    place.broker.is_away, place.broker.status = False, 200
    await until(lambda: place.context.workers.is_empty)
    assert caplog.text.count("worker grants are not renewed") <= 1


async def test_renewals_that_fail_are_told_once_and_tried_again(place: Place, caplog: pytest.LogCaptureFixture) -> None:
    place.broker.status = 503
    place.made()
    await until(lambda: len(place.broker.of("POST")) > 4)
    assert caplog.text.count("worker grants are not renewed: status 503") == 1
    place.broker.status = 200
    await until(lambda: len(place.broker.of("POST")) > 8)


@pytest.mark.parametrize("text", ["jow.", "jow." + "A" * 5_000, "jow." + "A" * 42 + "\n"])
async def test_what_is_no_grant_does_not_reach_the_broker(place: Place, text: str) -> None:
    with pytest.raises(GrantInvalid):
        place.leases.require_backed(text)
    assert place.broker.asked == []


async def test_thousands_of_grants_are_renewed_in_pieces(place: Place) -> None:
    """One request has a limit; to be refused for it would end them all."""
    run = place.kernels.run_of("k1")
    assert run is not None
    names = [f"worker-{number:016d}" for number in range(2_500)]
    for name in names:
        place.context.workers.made_by(name, KernelRun("k1", run), is_outlived=False)
    place.broker.living = {ID, *names}
    place.made()
    await until(lambda: len(place.broker.of("POST")) >= 3)
    asked = [len(body["grants"]) for body in place.broker.of("POST")[:3]]
    assert asked == [1_000, 1_000, 501]


async def test_a_grant_that_is_revoked_through_the_server_is_forgotten(place: Place) -> None:
    place.made()
    place.leases.revoked(ID)
    assert place.context.workers.is_empty
    await until(lambda: not len(place.broker.background))
    assert place.broker.of("DELETE") == []


async def test_an_answer_that_breaks_the_contract_ends_no_renewal(
    place: Place, caplog: pytest.LogCaptureFixture
) -> None:
    place.broker.living = {"not an id"}
    place.made()
    place.broker.answers_nonsense = True
    await until(lambda: len(place.broker.of("POST")) > 2)
    assert caplog.text.count("worker grants are not renewed") == 1
    assert place.broker.defects == []
