"""What a worker grant that has leaked is good for: the attack table of decision 61, with real kernels and another host."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import secrets
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import httpx
import psutil

from jupyter_oidc.sessions.worker_grants import MAX_GRANTS, MAX_GRANTS_PER_MAKER
from tests.support.kernel_proof import GRANT, proof
from tests.workers.journey import Place, expect, notebook
from tests.workers.network import NEAR, namespace, there

OPTIONS: dict[str, Any] = {"server": {"ip": "0.0.0.0"}}
"""A server that another host can reach, and that admits no workers from there."""

ATTEMPTS = 10_000
"""Grants that are asked for, by as many commands as a server runs at once."""

MAX_GROWTH_BYTES = 32 * 1024 * 1024
ENDED = (401, "grant_invalid")
CALL = "jupyter-oidc/api/orders/items"
GRANTS = "jupyter-oidc/grants"
WISH = '"orders", methods=["GET"]'

FROM_ELSEWHERE = f"""
import os, urllib.request, urllib.error
request = urllib.request.Request(os.environ["ADDRESS"] + "{CALL}", headers={{"Authorization": "Bearer " + os.environ["GRANT"]}})
try:
    print(urllib.request.urlopen(request, timeout=20).status)
except urllib.error.HTTPError as refused:
    print(refused.code, refused.headers["X-OIDC-Error"])
"""


class Thief:
    """The holder of the text of a grant, and of nothing else."""

    def __init__(self, place: Place) -> None:
        self._http = place.person.process.stranger()

    def ask(self, grant: str, verb: str = "GET", path: str = CALL, **body: Any) -> tuple[int, str]:
        """Return the status and the code of the refusal."""
        reply = self._http.request(verb, path, headers={"Authorization": f"Bearer {grant}"}, **body)
        return reply.status_code, reply.headers.get("X-OIDC-Error", "")


def make(place: Place, said: Callable[[str], None]) -> None:
    """Try each attack; ``said`` is told each that has failed."""
    expect(hasattr(os, "geteuid") and os.geteuid() == 0, "A network namespace needs root (a container will do).")
    place.person.sign_in()
    asyncio.run(_stolen(place, said))
    _too_many(place, said)


async def _stolen(place: Place, said: Callable[[str], None]) -> None:
    thief = Thief(place)
    async with notebook(place.person) as cells:
        grant = _text(await cells.delegated(WISH))
        other = _text(await cells.delegated(WISH))
        expect(thief.ask(grant) == (200, ""), "the grant does not work at all")

        further = thief.ask(grant, "POST", GRANTS, json={"apis": ["orders"]})
        listed, revoked = thief.ask(grant, "GET", GRANTS), thief.ask(grant, "DELETE", f"{GRANTS}/worker-x")
        expect((further, listed, revoked) == (ENDED, ENDED, ENDED), (further, listed, revoked))
        said("it makes no further grant, lists none and revokes none")

        with namespace():
            address = f"http://{NEAR}:{place.person.process.port}/"
            told = await asyncio.to_thread(there, FROM_ELSEWHERE, ADDRESS=address, GRANT=grant)
            expect(told == "401 grant_invalid", told)
        said("from another host it is refused")

        (shown,) = [one for one in place.person.jupyter.get(GRANTS).json()["grants"] if one["last_used_at"] is not None]
        place.person.jupyter.delete(f"{GRANTS}/{shown['id']}").raise_for_status()
        expect((thief.ask(grant), thief.ask(other)) == (ENDED, (200, "")), (thief.ask(grant), thief.ask(other)))
        said("after its revocation it is refused, and another one is not")

        (kernel,) = place.person.jupyter.get("api/kernels").json()
        place.person.jupyter.post(f"api/kernels/{kernel['id']}/restart").raise_for_status()
        expect(thief.ask(other) == ENDED, thief.ask(other))
        said("after its kernel was restarted it is refused")


def _text(variables: dict[str, str]) -> str:
    """Return the text of the grant that a worker's variable holds."""
    (value,) = variables.values()
    return str(json.loads(base64.urlsafe_b64decode(value))["text"])


def _too_many(place: Place, said: Callable[[str], None]) -> None:
    """Ask for ten thousand grants, by a hundred commands, with one call of the person's in between them."""
    jupyter, server = place.person.jupyter, psutil.Process(place.person.process.pid)
    before, told = server.memory_info().rss, Counter[str]()
    began, slowest, most = time.monotonic(), 0.0, 0
    with place.person.process.stranger() as thief:
        for _ in range(ATTEMPTS // MAX_GRANTS_PER_MAKER):
            begun = jupyter.post("jupyter-oidc/commands", json={}).json()
            bearer = _bearer(thief, begun)
            for _ in range(MAX_GRANTS_PER_MAKER):
                reply = thief.post(GRANTS, json={"apis": ["orders"]}, headers=bearer)
                told[str(reply.status_code)] += 1
            asked = time.monotonic()
            expect(jupyter.get("jupyter-oidc/providers/corp/session").status_code == 200, "the session is gone")
            slowest = max(slowest, time.monotonic() - asked)
            most = max(most, len(jupyter.get(GRANTS).json()["grants"]))
    grown = server.memory_info().rss - before
    expect(most == MAX_GRANTS and set(told) == {"201", "503"}, (most, told))  # the first commands end meanwhile
    expect(grown < MAX_GROWTH_BYTES, f"{grown / 1e6:.0f} MB")
    said(
        f"of {ATTEMPTS:,} that are asked for {told['503']:,} are refused, and {most:,} live at once, after "
        f"{time.monotonic() - began:.0f} s and {grown / 1e6:.0f} MB more; the slowest of {ATTEMPTS // MAX_GRANTS_PER_MAKER} calls of the page between them took "
        f"{1000 * slowest:.0f} ms"
    )
    place.person.post("sign-out").raise_for_status()
    left = jupyter.get(GRANTS).json()["grants"]
    expect(left == [], f"{len(left)} grants")
    said("the sign-out ends all of them")


def _bearer(thief: httpx.Client, begun: dict[str, Any]) -> dict[str, str]:
    proved = proof(begun["command_id"], begun["key"].encode(), nonce=secrets.token_urlsafe(16))
    reply = thief.post(GRANT, json=proved)
    expect(reply.status_code == 200, reply.text)
    return {"Authorization": f"Bearer {reply.json()['grant']}"}
