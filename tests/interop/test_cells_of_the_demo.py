"""The cell of every operation of the demo's document runs in a kernel of the demo, and its API accepts the call."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import aiohttp

from jupyter_oidc.demo.api import DOCUMENT
from jupyter_oidc.demo.environment import NOTEBOOK, DemoEnvironment, DemoOptions
from jupyter_oidc.demo.interrupts import StopRequests
from jupyter_oidc.demo.journey import Journey
from jupyter_oidc.demo.personas import ADA, API
from jupyter_oidc.demo.running_kernel import CellRun, Server
from tests.support.canary import CANARY

STATUS = "print(reply.status_code, reply.request.method, reply.request.url.path)"


@dataclass
class CellRuns:
    """What the demo's server said, and how each cell ended."""

    operations: list[dict[str, Any]] = field(default_factory=list)
    curl: dict[str, str] = field(default_factory=dict)
    cells: dict[str, CellRun] = field(default_factory=dict)
    statuses: dict[str, str] = field(default_factory=dict)


def look(place: str, content: bytes) -> None:
    """Hold what the server sends against the secrets of this run."""
    CANARY.look(place, content)


async def run_every_cell(demo: DemoEnvironment) -> CellRuns:
    told = CellRuns()
    async with aiohttp.ClientSession(trust_env=False) as client:
        server = Server(demo.url, demo.token, look, client)
        _, model = await server.call("GET", f"api/contents/{NOTEBOOK}")
        kernel = await server.kernel(NOTEBOOK)
        try:
            journey = Journey(server, kernel, model["content"], lambda _: None, look)
            await journey._summary()
            await journey._sign_in("sign-in", ADA)
            status, listed = await server.call("GET", f"jupyter-oidc/apis/{API}/operations")
            assert status == 200, listed
            told.operations = listed["operations"]
            assert listed["problems"] == []
            for one in told.operations:
                where = f"method={one['method']}&path={quote(one['path'], safe='')}"
                _, example = await server.call("GET", f"jupyter-oidc/apis/{API}/operations/example?{where}")
                told.curl[one["id"]] = example["curl"]
                told.cells[one["id"]] = await kernel.run(example["cell"])
                told.statuses[one["id"]] = (await kernel.run(STATUS)).text.strip()
        finally:
            await kernel.aclose()
    return told


def test_every_operation_of_the_demo_runs_as_it_is_inserted() -> None:
    """The cell is not touched: parameters and body have values that work."""
    with DemoEnvironment(DemoOptions(base_url="/demo/cells/"), lambda _: None, StopRequests()) as demo:
        told = asyncio.run(run_every_cell(demo))
    document = json.loads(DOCUMENT.read_bytes())
    described = [part["operationId"] for item in document["paths"].values() for part in item.values() if "tags" in part]
    assert [one["id"] for one in told.operations] == described
    assert {one["obstacle"] for one in told.operations} == {None}
    assert {name: run.error for name, run in told.cells.items()} == dict.fromkeys(described)
    path = "/demo/cells/jupyter-oidc/api/orders"
    assert told.statuses == {
        "listOrders": f"200 GET {path}/orders",
        "addOrder": f"201 POST {path}/orders",
        "showOrder": f"200 GET {path}/orders/3",
        "searchOrders": f"200 GET {path}/search",
        "reportOrders": f"200 GET {path}/report.csv",
        "streamOrders": f"200 GET {path}/stream",
        "showClock": f"200 GET {path}/clock",
    }
    assert "Brass gears" in told.cells["searchOrders"].text
    assert "id,item,quantity,price,status" in told.cells["reportOrders"].text
