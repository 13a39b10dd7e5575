"""What JupyterHub says of tokens and users, also in ways that it should not: a scripted Hub, JupyterHub's own library."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web

from jupyter_oidc.broker.hub_api import USERS_OF_A_PAGE, HubApi, HubUser
from jupyter_oidc.problems import BrokerUnavailable
from jupyter_oidc.secret import Secret
from tests.support.loop_thread import ServedInThread

OURS, VERSION = "service-token", {"X-JupyterHub-Version": "6.1.1"}
SCOPE = "access:services!service=oidc"


@dataclass
class ScriptedHub:
    """A Hub with these users; ``users`` and ``models`` are what it says of them, and of their tokens."""

    users: list[str] = field(default_factory=lambda: ["ada", "bob"])
    scopes: list[str] = field(default_factory=lambda: ["list:users", "read:users:name"])
    models: dict[str, Any] = field(default_factory=dict)
    status: int = 200
    is_hub: bool = True
    asked: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        application = web.Application()
        application.router.add_route("*", "/{path:.*}", self._answer)
        self.served = ServedInThread(application)

    async def _answer(self, request: web.Request) -> web.Response:
        token = request.headers.get("Authorization", "").removeprefix("token ")
        self.asked.append(f"{request.path}?{request.query_string}")
        headers = VERSION if self.is_hub else {}
        if self.status != 200:
            return web.Response(status=self.status, text="<html>", headers=headers)
        path = request.path.removeprefix("/hub/api/")
        if path == "user" and token == OURS:
            return web.json_response({"kind": "service", "name": "oidc", "scopes": self.scopes}, headers=headers)
        if path == "user":
            said = self.models.get(token)
            if isinstance(said, str):
                return web.Response(text=said, content_type="text/html")
            return web.json_response(said or {}, status=200 if said else 403, headers=headers)
        if path == "users" and self.is_hub:
            first, most = int(request.query["offset"]), int(request.query["limit"])
            shown = self.users[first : first + most]
            more = {"offset": first + most} if first + most < len(self.users) else None
            return web.json_response({"items": [{"name": one} for one in shown], "_pagination": {"next": more}})
        known = path.removeprefix("users/") in self.users
        return web.json_response({} if known else {"status": 404}, status=200 if known else 404, headers=headers)


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[ScriptedHub]:
    made = ScriptedHub()
    with made.served:
        monkeypatch.setenv("JUPYTERHUB_API_URL", f"http://127.0.0.1:{made.served.port}/hub/api")
        monkeypatch.setenv("JUPYTERHUB_API_TOKEN", OURS)
        monkeypatch.setenv("JUPYTERHUB_SERVICE_NAME", "oidc")
        monkeypatch.setenv("JUPYTERHUB_SERVICE_PREFIX", "/services/oidc/")
        yield made


def api() -> HubApi:
    return HubApi("oidc", "/", None)


def model(**changes: Any) -> dict[str, Any]:
    return {"kind": "user", "name": "ada", "scopes": [SCOPE], "session_id": None, **changes}


# -- tokens --------------------------------------------------------------------------------------------------------


async def test_a_token_is_asked_for_once_a_minute(hub: ScriptedHub) -> None:
    hub.models["t1"] = model(session_id="s1")
    asking = api()
    assert await asking.user_of(Secret("t1")) == HubUser("ada", may_use=True, session="s1")
    assert await asking.user_of(Secret("t1")) == HubUser("ada", may_use=True, session="s1")
    hub.status = 503
    assert await asking.user_of(Secret("t1")) is not None, "a Hub that is away is not asked"
    with pytest.raises(BrokerUnavailable):
        await asking.user_of(Secret("t2"))
    assert len(hub.asked) == 2


@pytest.mark.parametrize(
    ("said", "found"),
    [
        (None, None),
        (model(kind="service"), None),
        (model(name=""), None),
        (model(scopes=[]), HubUser("ada", may_use=False)),
        (model(scopes=None), HubUser("ada", may_use=False)),
        (model(scopes=["access:services!service=other"]), HubUser("ada", may_use=False)),
        (model(scopes=["access:services"]), HubUser("ada", may_use=True)),
    ],
)
async def test_who_a_token_is_of(hub: ScriptedHub, said: Any, found: HubUser | None) -> None:
    if said is not None:
        hub.models["t1"] = said
    assert await api().user_of(Secret("t1")) == found


@pytest.mark.parametrize("text", ["", "a b", "a\x00b", "tökén", "x" * 1_001])
async def test_what_is_no_token_is_not_asked_for(hub: ScriptedHub, text: str) -> None:
    assert await api().user_of(Secret(text)) is None
    assert hub.asked == []


@pytest.mark.parametrize("status", [200, 302, 404, 500, 520, 599])
async def test_an_odd_answer_is_a_hub_that_is_away(hub: ScriptedHub, status: int) -> None:
    hub.models["t1"], hub.status = "<html>a login page of another proxy</html>", status
    with pytest.raises(BrokerUnavailable):
        await api().user_of(Secret("t1"))
    assert await api().token_for(Secret("c1"), Secret("v" * 43)) is None


# -- users ---------------------------------------------------------------------------------------------------------


async def test_users_that_the_hub_has_no_more_are_found_on_all_its_pages(hub: ScriptedHub) -> None:
    hub.users = [f"u{number}" for number in range(2 * USERS_OF_A_PAGE + 3)]
    assert await api().gone(["u0", "u402", "gone", "a/b"]) == {"gone", "a/b"}
    assert len([one for one in hub.asked if one.startswith("/hub/api/users?")]) == 3


async def test_a_user_who_is_on_no_page_but_there_is_not_gone(hub: ScriptedHub) -> None:
    """One that was deleted meanwhile moves the others to an earlier page."""
    asking, hub.users = api(), ["ada", "bob"]
    hub.users.append("late")
    hidden = list(hub.users)

    class Moving(list[str]):
        def __getitem__(self, index: Any) -> Any:
            return hidden[:2] if isinstance(index, slice) else hidden[index]

    hub.users = Moving(hidden)
    assert await asking.gone(["ada", "late"]) == frozenset()


@pytest.mark.parametrize("scopes", [[], ["list:users!group=g"], ["read:users"]])
async def test_a_service_that_may_not_list_all_users_knows_nothing_of_any(hub: ScriptedHub, scopes: list[str]) -> None:
    hub.scopes = scopes
    with pytest.raises(BrokerUnavailable) as caught:
        await api().gone(["ada", "gone"])
    assert caught.value.detail == "hub.users"


async def test_an_answer_that_is_not_the_hubs_ends_nothing(hub: ScriptedHub) -> None:
    """A proxy with a filter on paths, an empty database, another Hub: no session ends by that."""
    hub.is_hub = False
    with pytest.raises(BrokerUnavailable):
        await api().gone(["ada"])
    hub.is_hub, hub.users = True, []
    with pytest.raises(BrokerUnavailable):
        await api().gone(["ada"])
    hub.users = ["zoe"]
    with pytest.raises(BrokerUnavailable):
        await api().gone(["ada", "bob"])
    assert await api().gone(["ada"]) == {"ada"}
    hub.status = 503
    with pytest.raises(BrokerUnavailable):
        await api().gone(["ada"])
