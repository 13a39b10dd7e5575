"""Law 7: routes and handlers hold no logic, and every verb declares its access rule.

Proved able to fail: ``test_a_verb_without_a_door_is_noticed`` and ``test_a_heavy_handler_is_noticed`` seed a
handler of each kind and see it caught; ``test_a_function_without_a_rule_is_noticed`` does so for a route.
"""

from __future__ import annotations

import ast

import pytest
from tornado.web import RequestHandler

from jupyter_oidc.server.handler import OidcHandler
from jupyter_oidc.server.route_handler import handler_of
from jupyter_oidc.server.routes import ROUTES
from jupyter_oidc.web.access_rule import AccessRule, access_rule_of
from jupyter_oidc.web.front import Call
from jupyter_oidc.web.reply import Reply, empty_reply
from jupyter_oidc.web.table import TABLE, Route
from tests.laws.source import Module, modules, seeded

VERBS = [verb.lower() for verb in RequestHandler.SUPPORTED_METHODS]
FORBIDDEN = (
    "jupyter_oidc.protocol",
    "jupyter_oidc.adapters",
    "jupyter_oidc.secret_access",
    "httpx",
    "aiohttp",
    "keyring",
)


def doorless(handler: type[RequestHandler]) -> list[str]:
    return [
        verb
        for verb in VERBS
        if getattr(handler, verb) is not RequestHandler._unimplemented_method
        and access_rule_of(getattr(handler, verb)) is None
    ]


def reaches_past_services(module: Module) -> list[str]:
    return [name for name in module.imports() if name.startswith(FORBIDDEN)]


def branches(module: Module) -> dict[str, int]:
    """How many decisions each function takes; a ``match`` that renders outcomes counts once."""
    counts = {}
    for node in ast.walk(module.tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            counts[node.name] = sum(
                isinstance(part, (ast.If, ast.For, ast.While, ast.Match)) for part in ast.walk(node)
            )
    return counts


@pytest.mark.parametrize("handler", [handler for _, handler in ROUTES], ids=lambda handler: handler.__name__)
def test_every_verb_has_a_door(handler: type[OidcHandler]) -> None:
    assert doorless(handler) == []


@pytest.mark.parametrize("handler", [handler for _, handler in ROUTES], ids=lambda handler: handler.__name__)
def test_every_route_names_an_action_or_a_protection(handler: type[OidcHandler]) -> None:
    for verb in VERBS:
        rule = access_rule_of(getattr(handler, verb))
        if rule is not None:
            assert (rule.action is None) == (rule.protection is not None)
            assert bool(rule.callers) == (rule.action is not None)


@pytest.mark.parametrize("route", TABLE, ids=lambda route: route.name)
def test_every_function_of_the_table_declares_its_callers(route: Route) -> None:
    assert [function.__name__ for _, function in route.verbs if access_rule_of(function) is None] == []


@pytest.mark.parametrize("route", TABLE, ids=lambda route: route.name)
def test_a_handler_has_the_rules_of_its_functions_and_no_other_verb(route: Route) -> None:
    handler = handler_of(route)
    assert {
        verb: access_rule_of(getattr(handler, verb.lower()))
        for verb in RequestHandler.SUPPORTED_METHODS
        if verb != "OPTIONS" and getattr(handler, verb.lower()) is not RequestHandler._unimplemented_method
    } == {verb: route.rule_of(verb) for verb, _ in route.verbs}


def ruled() -> list[tuple[str, str, AccessRule]]:
    """Every verb of the table with its path and its rule."""
    found = [(verb, route.path, route.rule_of(verb)) for route in TABLE for verb, _ in route.verbs]
    return [(verb, path, rule) for verb, path, rule in found if rule is not None]


def test_only_these_routes_work_without_a_login() -> None:
    assert {(verb, path) for verb, path, rule in ruled() if rule.is_public} == {
        ("GET", "jupyter-oidc/start/{ticket}"),
        ("GET", "jupyter-oidc/providers/{provider}/callback"),
        ("POST", "jupyter-oidc/providers/{provider}/callback"),
        ("GET", "jupyter-oidc/providers/{provider}/signed-out"),
        ("POST", "jupyter-oidc/providers/{provider}/initiate-login"),
        ("POST", "jupyter-oidc/providers/{provider}/backchannel-logout"),
    }


def test_only_these_routes_may_be_reached_by_a_link_on_another_site() -> None:
    assert {(verb, path) for verb, path, rule in ruled() if rule.from_other_sites} == {
        ("GET", "jupyter-oidc/providers/{provider}/callback/person"),
        ("GET", "jupyter-oidc/providers/{provider}/sign-out/{ticket}"),
        ("GET", "jupyter-oidc/providers/{provider}/initiate-login"),
    }


def routing_modules() -> list[Module]:
    return [*modules("server.handlers"), *modules("server.route_handler"), *modules("web.routes")]


def test_handlers_reach_nothing_but_services() -> None:
    assert [name for module in routing_modules() for name in reaches_past_services(module)] == []


def test_handlers_decide_little() -> None:
    too_much = {
        f"{module.name}.{name}": count
        for module in routing_modules()
        for name, count in branches(module).items()
        if count > 4
    }
    assert too_much == {}


def test_a_verb_without_a_door_is_noticed() -> None:
    class Careless(OidcHandler):
        def get(self) -> None:
            """Answer every caller."""

    assert doorless(Careless) == ["get"]


def test_a_verb_without_a_door_gets_no_guard() -> None:
    """Jupyter itself refuses a caller without a login then, and the law above names the verb."""

    class Careless(OidcHandler):
        def get(self) -> None:
            """Answer every caller."""

    assert not hasattr(Careless.get, "__wrapped__")


def test_a_function_without_a_rule_is_noticed() -> None:
    async def careless(_call: Call) -> Reply:
        """Answer every caller."""
        return empty_reply(200)

    assert doorless(handler_of(Route("Careless", "careless", (("GET", careless),)))) == ["get"]


def test_a_heavy_handler_is_noticed() -> None:
    heavy = seeded("from jupyter_oidc.protocol.token import refresh_call\ndef get(self):\n" + "    if self: pass\n" * 5)
    assert reaches_past_services(heavy) != []
    assert branches(heavy)["get"] == 5
