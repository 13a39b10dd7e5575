"""Answers a request whose account is known: with the answer of its call, or with the refusal that the call shows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from jupyter_oidc.adapters.telemetry.named_log import BROKER
from jupyter_oidc.problems import Problem
from jupyter_oidc.web.problems import defect_text

if TYPE_CHECKING:
    from aiohttp import web

    from jupyter_oidc.broker.exchange import Admitted
    from jupyter_oidc.facts import Fact


class BrokerCall(Protocol):
    """One call of a route or an API."""

    async def answer(self) -> web.StreamResponse:
        """Answer it; raises a ``Problem``."""
        ...

    async def refused(self, problem: Problem | None, shown: Problem | None) -> web.StreamResponse:
        """Send ``shown``; ``problem`` is for the log, and ``None`` for a defect."""
        ...

    def place(self) -> dict[str, Fact]:
        """Return the facts of the call that a refusal names."""
        ...


async def answered(call: BrokerCall, admitted: Admitted) -> web.StreamResponse:
    """Answer ``call``, whose caller learns no facts if it is a stranger; raises ``ConnectionResetError`` if that has left."""
    try:
        return await call.answer()
    except ConnectionResetError:
        raise
    except Exception as error:  # noqa: BLE001 - the last place; what is no problem is told as a defect
        problem = problem_of(error, admitted.account.name, admitted.front.request_id)
        shown = problem and (problem.bare() if admitted.caller.kind == "public" else problem.at(call.place()))
        return await call.refused(problem, shown)


def problem_of(error: Exception, account: str, request_id: str) -> Problem | None:
    """Return the problem that ``error`` is; a defect is logged, and has none."""
    if isinstance(error, Problem):
        return error
    where = defect_text(type(error), error.__traceback__)
    BROKER.error("jupyter_oidc: account %s: %s [%s]", account, where, request_id)
    return None
