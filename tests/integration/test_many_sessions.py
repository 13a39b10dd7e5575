"""Many people at one provider, outside Jupyter: they share its facts and connections, and nothing else (ADR 43)."""

from __future__ import annotations

from tests.bench.many_sessions import measure

MAX_CONNECTIONS = 16
MAX_KIB_OF_A_SESSION = 40


async def test_sessions_of_many_people_share_what_is_the_providers_and_disturb_no_other() -> None:
    figures = await measure(100)

    assert figures["requests for the metadata"] == 1
    assert figures["requests for the keys"] == 1
    assert figures["tokens of another person"] == 0
    assert figures["refreshes"] == {"Granted": 100}
    assert figures["refresh token of the one who left"] == "done"
    assert figures["refreshes of the others afterwards"] == {"Granted": 99}
    assert figures["refresh tokens used twice"] == 0
    assert figures["refusals and defects"] == []
    assert 0 < int(str(figures["connections to the provider"])) <= MAX_CONNECTIONS


async def test_a_session_that_is_closed_leaves_nothing_in_memory() -> None:
    figures = await measure(20)

    held = float(str(figures["KiB that a session holds"]))
    assert 5 < held < MAX_KIB_OF_A_SESSION
    assert figures["session services left after they were closed"] == 0
