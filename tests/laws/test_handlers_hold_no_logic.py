"""Law 7: handlers hold no logic, and every verb declares its access rule.

Proved able to fail: ``test_a_verb_without_a_door_is_noticed`` and ``test_a_heavy_handler_is_noticed`` seed a
handler of each kind and see it caught.
"""

from __future__ import annotations

import ast

import pytest
from tornado.web import RequestHandler

from jupyter_oidc.server.access_rule import access_rule_of
from jupyter_oidc.server.handler import OidcHandler
from jupyter_oidc.server.routes import ROUTES
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


def test_handlers_reach_nothing_but_services() -> None:
    assert [name for module in modules("server.handlers") for name in reaches_past_services(module)] == []


def test_handlers_decide_little() -> None:
    too_much = {
        f"{module.name}.{name}": count
        for module in modules("server.handlers")
        for name, count in branches(module).items()
        if count > 4
    }
    assert too_much == {}


def test_a_verb_without_a_door_is_noticed() -> None:
    class Careless(OidcHandler):
        def get(self) -> None:
            """Answer every caller."""

    assert doorless(Careless) == ["get"]


def test_a_heavy_handler_is_noticed() -> None:
    heavy = seeded("from jupyter_oidc.protocol.token import refresh_call\ndef get(self):\n" + "    if self: pass\n" * 5)
    assert reaches_past_services(heavy) != []
    assert branches(heavy)["get"] == 5
