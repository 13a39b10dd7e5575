"""Callers that leave before their answer: what changes something is finished."""

from __future__ import annotations

import asyncio
import os
import tempfile
from pathlib import Path

import pytest

from tests.support.broker_under_test import BrokerUnderTest
from tests.support.polling import eventually
from tests.support.scripted_provider import ScriptedProvider
from tests.unit.broker.raw_requests import send
from tests.unit.broker.real_accounts import real_accounts, state_of

pytestmark = pytest.mark.skipif(os.name != "posix", reason="Windows has no broker")

ACCOUNT = f"uid:{os.getuid()}" if hasattr(os, "getuid") else ""


@pytest.mark.parametrize("stops", [False, True], ids=["goes on", "stops"])
async def test_a_sign_out_is_finished_although_its_caller_leaves(
    jp_asyncio_loop: asyncio.AbstractEventLoop, tmp_path: Path, provider: ScriptedProvider, *, stops: bool
) -> None:
    """A person who closes the page in that moment has signed out all the same, also if the broker stops then."""
    with tempfile.TemporaryDirectory(prefix="broker") as folder:  # NOTE: the path of a socket has to be short
        async with real_accounts(tmp_path / "sessions.sqlite", provider) as made:
            earlier = made.making.make(ACCOUNT)
            await made.sign_in(earlier)
            await earlier.aclose()
            broker = BrokerUnderTest(Path(folder) / "socket", made.making.make)

            def is_left() -> bool:
                with broker.accounts.use(ACCOUNT) as account:
                    assert account.is_needed
                    return account.requests == 1

            async with broker.serving(jp_asyncio_loop):
                asked = made.rows.asked
                made.rows.gate.clear()
                _, writer = await send(broker.path, "POST", "jupyter-oidc/providers/corp/sign-out", "{}")
                await eventually(lambda: made.rows.asked > asked)
                assert not is_left()
                writer.close()
                await eventually(is_left)
                if stops:
                    stopping = asyncio.ensure_future(broker.accounts.aclose())
                    await asyncio.sleep(0)
                    made.rows.gate.set()
                    await stopping
                made.rows.gate.set()
                with broker.accounts.use(ACCOUNT) as account:
                    await account.work.settle(10)
                    assert await state_of(account.services) == "signed-out"
            await broker.accounts.aclose()
            again = made.making.make(ACCOUNT)
            assert await state_of(again) == "signed-out"
            await again.aclose()
        assert broker.defects == []
    assert provider.count("revoke") == 1
