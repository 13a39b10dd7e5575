"""A cell reads an answer without end while the person signs out: it ends with the exception that says so."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.integration.test_kernel_endings import events
from tests.interop.person import at_work
from tests.support.certified_provider import CertifiedProvider
from tests.support.upstream import Upstream

READ = {
    "a stream": 'with oidc.api("orders").stream("GET", "events") as reply:\n        for _ in reply.iter_bytes(): pass',
    "a whole answer": 'oidc.api("orders").get("events", timeout=30)',
    "a stream of an event loop": 'async with oidc.async_api("orders").stream("GET", "events") as reply:\n'
    "        async for _ in reply.aiter_bytes(): pass",
}

CELL = """
import threading
import jupyter_oidc as oidc
threading.Timer(1.0, oidc.sign_out, ["corp"]).start()
try:
    {read}
except oidc.NotSignedIn as error:
    print(error.message)
"""


@pytest.mark.parametrize("read", READ.values(), ids=READ)
def test_a_cell_is_told_that_the_session_ended(
    tmp_path: Path, provider: CertifiedProvider, upstream: Upstream, read: str
) -> None:
    """S-5, issue 16, 6: and not that a connection broke."""
    upstream.plan(events)
    with at_work(tmp_path, provider, upstream) as person:
        person.sign_in()
        (cell,) = person.run(CELL.format(read=read))
    assert cell.error is None, cell.text
    assert "The session ended while the answer was arriving, so the answer is not whole." in cell.text
