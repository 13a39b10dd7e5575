"""Shows a page the states of a session that are awkward to bring about, by replaced replies of the server.

Only the replies that the page reads are replaced; they keep the contract, on both sides as ever.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from playwright.sync_api import BrowserContext, Route

from jupyter_oidc.contract import check
from jupyter_oidc.contract.version import CONTRACT_VERSION

USER = {
    "sub": "a1",
    "name": "Ada Lovelace",
    "username": "ada",
    "email": "ada@example.com",
    "email_verified": True,
    "picture": None,
}
OPEN = {"name": "orders", "allowed": True, "missing": []}
SHUT = {"name": "plans", "allowed": False, "missing": ["plans.read"]}


def _apis(state: str, left: int | None) -> list[dict[str, Any]]:
    """The part of the session's summary about both APIs."""
    delayed = state == "refresh-failed" and left == 0
    words = {"active": "ready", "refresh-failed": "renewal_delayed" if delayed else "ready"}
    word = words.get(state, "expired" if state == "signed-out-expired" else "sign_in_needed")
    return [{**OPEN, "readiness": word}, {**SHUT, "readiness": "missing_entitlement" if word == "ready" else word}]


def nobody(**changes: Any) -> dict[str, Any]:
    """A summary without a session."""
    return {
        "issuer": "https://id.example.com",
        "state": "signed-out",
        "reason": None,
        "sequence": 1,
        "user": None,
        "entitlements": [],
        "entitlements_more": 0,
        "entitlements_known": True,
        "scopes": [],
        "missing_scopes": [],
        "settings_pending": False,
        "sharing": "none",
        "sign_in_under_way": changes.get("state") == "signing-in",
        "signed_in_at": None,
        "access_expires_at": None,
        "expires_in": None,
        "refreshable": False,
        "storage": "keyring",
        "retry_at": None,
        "apis": _apis(changes.get("state", "signed-out"), changes.get("expires_in")),
        **changes,
    }


def ada(left: int = 3600, **changes: Any) -> dict[str, Any]:
    """A session that lasts ``left`` seconds, one hour in all."""
    now = datetime.now(timezone.utc)
    return nobody(
        **{
            "state": "active",
            "user": USER,
            "entitlements": ["orders.read"],
            "scopes": ["openid", "profile", "email", "offline_access"],
            "signed_in_at": _text(now - timedelta(seconds=3600 - left)),
            "access_expires_at": _text(now + timedelta(seconds=left)),
            "expires_in": left,
            "refreshable": True,
            **changes,
        }
    )


def scenes() -> dict[str, dict[str, Any]]:
    """Every state that a server can tell, by a name that is good for a provider."""
    return {
        "signed-out": nobody(),
        "signing-in": nobody(state="signing-in"),
        "active": ada(),
        "active-in-memory": ada(storage="memory", missing_scopes=["offline_access"]),
        "ends-soon": ada(240, refreshable=False),
        "unsaved": ada(storage="unsaved", reason="keyring_locked"),
        "unreachable": ada(600, state="refresh-failed", reason="idp_unavailable"),
        "unreachable-too-long": ada(0, state="refresh-failed", reason="idp_unavailable"),
        "misconfigured": ada(600, state="refresh-failed", reason="provider_configuration"),
        "ended": nobody(state="signed-out-expired", reason="session_ended_by_provider"),
    }


DESCRIBED: dict[str, dict[str, Any]] = {
    "orders": {
        "title": "Order desk",
        "description": "Orders of the workshop, their items and their deliveries.",
        "example": "orders?limit=5",
        "docs_url": "https://docs.example.com/orders",
        "has_operations": True,
    },
    "plans": {
        "title": "Production plans",
        "description": "What is going to be built, and when.",
        "docs_url": "https://docs.example.com/plans",
        "has_operations": True,
    },
}
"""What the settings say of the APIs, by name."""


def operation(method: str, path: str, summary: str, **changes: Any) -> dict[str, Any]:
    """One operation of an API; parameters in the path are required integers."""
    names = re.findall(r"{(\w+)}", path)
    return {
        "id": None,
        "method": method,
        "path": path,
        "summary": summary,
        "description": None,
        "tags": [path.split("/")[1]],
        "deprecated": False,
        "obstacle": None,
        "parameters": [_parameter(name, "path", required=True) for name in names],
        "body": None,
        **changes,
    }


def _parameter(name: str, place: str, description: str | None = None, *, required: bool = False) -> dict[str, Any]:
    """One parameter of an operation."""
    return {"name": name, "in": place, "required": required, "type": "integer", "description": description}


def operations(api: str, rows: list[dict[str, Any]], **changes: Any) -> dict[str, Any]:
    """The reply about the operations of ``api``."""
    document = {"title": DESCRIBED[api]["title"], "version": "1.2.0", "openapi": "3.1.0"}
    return {"api": api, "document": document, "operations": rows, "problems": [], "operations_more": 0, **changes}


BODY = {"media_type": "application/json", "required": True}
LIMIT = _parameter("limit", "query", "How many orders, 100 at most.")
CATALOGUE: dict[str, dict[str, Any]] = {
    "orders": operations(
        "orders",
        [
            operation("GET", "/orders", "List orders", parameters=[LIMIT], description="The newest order comes first."),
            operation("POST", "/orders", "Place an order", body=BODY),
            operation("GET", "/orders/{id}", "Show one order"),
            operation("PATCH", "/orders/{id}", "Change an order", body=BODY),
            operation("DELETE", "/orders/{id}", "Cancel an order", obstacle="method"),
            operation("GET", "/deliveries", "List deliveries"),
            operation("GET", "/deliveries/{id}/track", "Track a delivery by its number", deprecated=True),
            operation("GET", "/stock/warehouses/{warehouse}/shelves/{shelf}/items", "List the items on a shelf"),
        ],
        problems=[
            {
                "where": "#/paths/~1stock/get/parameters/0",
                "message": "The reference leads nowhere.",
                "message_sentences": [],
            }
        ],
    ),
    "plans": operations(
        "plans",
        [operation("GET", "/plans", "List plans"), operation("GET", "/plans/{id}", "Show one plan", obstacle="path")],
    ),
}
"""The operations of both APIs."""


def refusal(code: str, message: str, action: str, status: int) -> dict[str, Any]:
    """The problem details of a refusal, as the server sends them."""
    said = {"code": code, "message": message, "reason": message, "detail": message, "action": action}
    head = {"type": f"urn:jupyter-oidc:error:{code}", "title": message, "status": status}
    sentences: dict[str, Any] = {"message_sentences": [], "action_sentences": []}
    return {**head, **said, "retryable": False, "request_id": "made-up-1", "params": {}, **sentences}


BROKEN_DOCUMENT = refusal(
    "openapi_invalid",
    "The OpenAPI document is no JSON: line 7, column 12.",
    "Ask the people behind the API to correct it.",
    502,
)
"""The error of a document that cannot be read."""


def play_catalogue(context: BrowserContext, told: Mapping[str, dict[str, Any] | None], cell: str = "6 * 7") -> None:
    """Let the pages of ``context`` see these operations, by API; every one is the same ``cell``.

    The document of an API with ``None`` cannot be read.
    """

    def example(route: Route) -> None:
        query = dict(parse_qsl(urlsplit(route.request.url).query))
        api = urlsplit(route.request.url).path.split("/")[-3]
        shown = {"api": api, "method": query["method"], "path": query["path"], "cell": cell, "curl": "curl example"}
        _answer(route, "operation-example.reply", shown)

    def listed(route: Route) -> None:
        document = told[urlsplit(route.request.url).path.split("/")[-2]]
        if document is None:
            _answer(route, "error", BROKEN_DOCUMENT, status=502)
        else:
            _answer(route, "operations.reply", document)

    context.route(re.compile(r"/jupyter-oidc/apis/[^/]+/operations(\?.*)?$"), listed)
    context.route(re.compile(r"/jupyter-oidc/apis/[^/]+/operations/example(\?.*)?$"), example)


def play(context: BrowserContext, told: Mapping[str, dict[str, Any] | None]) -> None:
    """Let the pages of ``context`` see these providers; one without a summary is never answered about."""

    def providers(route: Route) -> None:
        rows = [
            {"name": name, "issuer": "https://id.example.com", "state": summary["state"] if summary else "signed-out"}
            for name, summary in told.items()
        ]
        _answer(route, "providers.reply", {"providers": rows, "default_provider": None})

    def session(route: Route) -> None:
        name = route.request.url.partition("?")[0].split("/")[-2]
        summary = told[name]
        if summary is not None:
            _answer(route, "session.reply", {"provider": name, **summary})

    def apis(route: Route) -> None:
        rows = [_row(name, summary, api) for name, summary in told.items() if summary for api in summary["apis"]]
        _answer(route, "apis.reply", {"apis": rows})

    context.route(re.compile(r"/jupyter-oidc/providers(\?.*)?$"), providers)
    context.route(re.compile(r"/jupyter-oidc/apis(\?.*)?$"), apis)
    context.route(re.compile(r"/jupyter-oidc/providers/[^/]+/session(\?.*)?$"), session)


GRANTS: list[dict[str, Any]] = [
    {
        "id": "worker-0123456789abcdef",
        "provider": "corp",
        "apis": ["orders", "plans"],
        "methods": ["GET", "HEAD"],
        "name": "nightly report",
        "maker": "kernel:0f1e2d3c-4b5a-4978-8695-a4b3c2d1e0f9",
        "outlives_kernel": True,
        "began_at": "2026-01-02T10:00:00Z",
        "ends_at": "2026-01-03T10:00:00Z",
        "last_used_at": "2026-01-02T11:00:00Z",
    },
    {
        "id": "worker-fedcba9876543210",
        "provider": "corp",
        "apis": ["orders"],
        "methods": ["GET", "HEAD", "POST", "WEBSOCKET"],
        "name": "",
        "maker": "kernel:0f1e2d3c-4b5a-4978-8695-a4b3c2d1e0f9",
        "outlives_kernel": False,
        "began_at": "2026-01-02T10:00:00Z",
        "ends_at": "2026-01-03T10:00:00Z",
        "last_used_at": None,
    },
]
"""Two grants for workers."""


def play_grants(context: BrowserContext, grants: list[dict[str, Any]]) -> None:
    """Let the pages of ``context`` see these grants for workers."""
    context.route(
        re.compile(r"/jupyter-oidc/grants(\?.*)?$"),
        lambda route: _answer(route, "grants.reply", {"grants": grants, "max_hours": 24.0, "are_stored": False}),
    )


def play_problem(context: BrowserContext, code: str, message: str, action: str) -> None:
    """Let the server refuse to say which providers there are."""
    problem = refusal(code, message, action, 500)

    def refuse(route: Route) -> None:
        _answer(route, "error", problem, status=500)

    context.route(re.compile(r"/jupyter-oidc/providers(\?.*)?$"), refuse)


def _row(provider: str, summary: Mapping[str, Any], api: Mapping[str, Any]) -> dict[str, Any]:
    return {
        **api,
        "provider": provider,
        "path": f"/jupyter-oidc/api/{api['name']}/",
        "methods": ["GET"],
        "callers": ["browser", "kernel"],
        "state": summary["state"],
        "title": None,
        "description": None,
        "example": None,
        "docs_url": None,
        "path_prefixes": [],
        "has_operations": False,
        **DESCRIBED.get(api["name"], {}),
    }


def _answer(route: Route, name: str, document: object, status: int = 200) -> None:
    check(name, document)
    number = {"X-OIDC-Contract": str(CONTRACT_VERSION)}
    route.fulfill(status=status, body=json.dumps(document), content_type="application/json", headers=number)


def _text(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
