"""Every contract accepts the payloads that it promises and refuses others: one valid and several invalid ones each."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from jupyter_oidc import contract
from jupyter_oidc.contract import ContractBroken
from jupyter_oidc.problems import BY_CODE

ERROR = {
    "code": "not_signed_in",
    "message": "Nobody is signed in.",
    "action": "Sign in.",
    "retryable": False,
    "request_id": "0123456789abcdef",
    "reason": "Nobody is signed in.",
    "type": "urn:jupyter-oidc:error:not_signed_in",
    "title": "Nobody is signed in.",
    "status": 401,
    "detail": "Nobody is signed in. Sign in.",
    "params": {"provider": "corp", "seconds": 7, "names": ["orders", "items"]},
    "message_sentences": [{"id": "Nobody is signed in at '{provider}'.", "params": {"provider": "corp"}}],
    "action_sentences": [],
}

SUMMARY: dict[str, Any] = {
    "provider": "corp",
    "issuer": "https://id.example.com",
    "state": "active",
    "reason": None,
    "sequence": 7,
    "user": {
        "sub": "a1",
        "name": "Example User",
        "username": "user1",
        "email": "user1@example.com",
        "email_verified": True,
        "picture": None,
    },
    "entitlements": ["orders.read"],
    "entitlements_more": 0,
    "entitlements_known": True,
    "scopes": ["openid", "profile"],
    "missing_scopes": [],
    "settings_pending": False,
    "sharing": "none",
    "sign_in_under_way": False,
    "signed_in_at": "2026-11-23T09:00:00Z",
    "access_expires_at": "2026-11-23T09:05:00Z",
    "expires_in": 284,
    "refreshable": True,
    "storage": "keyring",
    "retry_at": None,
    "apis": [{"name": "orders", "readiness": "ready", "allowed": True, "missing": []}],
}

WORKER_GRANT = {
    "id": "worker-AbCdEfGhIjKlMnOp",
    "provider": "corp",
    "apis": ["orders"],
    "methods": ["GET", "HEAD"],
    "name": "cluster",
    "maker": "kernel:6f0e7d5c-9d0b-4a52-8f35-0a2d2b8f2f10",
    "outlives_kernel": False,
    "began_at": "2026-11-30T09:00:00Z",
    "ends_at": "2026-12-01T09:00:00Z",
    "last_used_at": None,
}

VALID: dict[str, dict[str, Any]] = {
    "error": ERROR,
    "session.reply": SUMMARY,
    "providers.reply": {
        "providers": [{"name": "corp", "issuer": "https://id.example.com", "state": "signed-out"}],
        "default_provider": "corp",
    },
    "sign-in.request": {
        "strategy": "auto",
        "next": "/lab",
        "api": "orders",
        "prompt": "login",
        "login_hint": "ada@example.com",
        "ui_locales": ["de-AT", "en"],
        "acr_values": ["urn:example:phr"],
    },
    "sign-in.reply": {
        "flow": "0123456789abcdef",
        "provider": "corp",
        "strategy": "server",
        "start_url": "/jupyter-oidc/start/x",
        "start_address": "https://hub.example.com/jupyter-oidc/start/x",
        "device": None,
        "expires_in": 600,
    },
    "sign-in-progress.reply": {
        "flow": "0123456789abcdef",
        "provider": "corp",
        "state": "failed",
        "error": ERROR,
        "expires_in": 0,
    },
    "complete.request": {"redirect_url": "https://jupyter.example.com/callback?code=x"},
    "refresh.request": {},
    "sign-out.request": {},
    "sign-out.reply": {
        "local": "done",
        "revoked": "failed",
        "end_session_url": "/jupyter-oidc/providers/corp/sign-out/x",
        "end_session_address": "https://hub.example.com/jupyter-oidc/providers/corp/sign-out/x",
    },
    "apis.reply": {
        "apis": [
            {
                "name": "orders",
                "provider": "corp",
                "path": "/jupyter-oidc/api/orders/",
                "methods": ["GET"],
                "callers": ["kernel"],
                "state": "active",
                "readiness": "ready",
                "allowed": True,
                "missing": [],
                "title": "Orders of the shop",
                "description": None,
                "example": "items?limit=5",
                "docs_url": "https://docs.example.com/orders#begin",
                "path_prefixes": ["/"],
                "has_operations": True,
            }
        ]
    },
    "operations.reply": {
        "api": "orders",
        "document": {"title": "Orders", "version": "1.2.0", "openapi": "3.1.0"},
        "operations": [
            {
                "id": "changeOrder",
                "method": "PUT",
                "path": "/orders/{id}",
                "summary": "Change an order",
                "description": None,
                "tags": ["orders"],
                "deprecated": False,
                "obstacle": "method",
                "parameters": [{"name": "id", "in": "path", "required": True, "type": "integer", "description": None}],
                "body": {"media_type": "application/json", "required": True},
            }
        ],
        "problems": [
            {
                "where": "#/paths/~1orders/get",
                "message": "The reference leads nowhere.",
                "message_sentences": [{"id": "The reference leads nowhere.", "params": {}}],
            }
        ],
        "operations_more": 0,
    },
    "operation-example.reply": {
        "api": "orders",
        "method": "GET",
        "path": "/orders/{id}",
        "cell": "import jupyter_oidc as oidc",
        "curl": "curl http://localhost:8888/jupyter-oidc/api/orders/orders/1",
    },
    "grant.request": {"apis": ["orders"], "methods": ["GET", "WEBSOCKET"], "hours": 2.5, "name": "cluster"},
    "grant.reply": {
        **WORKER_GRANT,
        "grant": "jow." + "A" * 43,
        "address": "https://hub.example.com/user/ada/",
        "address_outlives_server": False,
    },
    "grants.reply": {"grants": [WORKER_GRANT], "max_hours": 24.0, "are_stored": False},
    "grant-leases.request": {"grants": [WORKER_GRANT["id"]]},
    "grant-leases.reply": {"grants": []},
    "forwarded.request": {
        "caller_kind": "kernel",
        "caller_name": "kernel:6f0e7d5c-9d0b-4a52-8f35-0a2d2b8f2f10",
        "bears_token": False,
        "base_url": "/user/ada/",
        "protocol": "https",
        "host": "hub.example.com",
        "browser": "elsewhere",
        "public_url": "https://hub.example.com/user/ada/",
        "origin": None,
        "has_own_host": False,
        "under_hub": True,
        "server_name": "",
        "has_logins": True,
        "sharing_mode": "none",
        "xsrf_token": "",
        "request_id": "0123456789abcdef",
    },
    "command.request": {},
    "command.reply": {"command_id": "command-abcdefghijklmnopqrstuv", "key": "k" * 43, "expires_in": 60},
    "command-lease.reply": {"expires_in": 0},
    "kernel-grant.request": {
        "kernel_id": "6f0e7d5c-9d0b-4a52-8f35-0a2d2b8f2f10",
        "issued_at": 1795424400,
        "nonce": "abcdefghijklmnopqrstuv",
        "proof": "0" * 64,
    },
    "kernel-grant.reply": {"grant": "jog.abcdefghijklmnopqrstuvwxyz", "expires_in": 900},
    "diagnostics.reply": {
        "ok": False,
        "checks": [
            {
                "name": "discovery",
                "provider": "corp",
                "status": "problem",
                "message": "The issuer differs.",
                "action": "Correct it.",
                "who": "administrator",
                "message_sentences": [{"id": "The issuer differs.", "params": {}}],
                "action_sentences": [],
            }
        ],
    },
}

INVALID: list[tuple[str, dict[str, Any]]] = [
    ("error", {"code": "made_up"}),
    ("error", {"message": ""}),
    ("error", {"retryable": "yes"}),
    ("error", {"access_token": "x"}),
    ("error", {"status": "401"}),
    ("error", {"params": ["corp"]}),
    ("error", {"params": {"api": {"name": "orders"}}}),
    ("error", {"params": {"names": ["orders", 7]}}),
    ("session.reply", {"state": "maybe"}),
    ("session.reply", {"sequence": -1}),
    ("session.reply", {"entitlements_more": -1}),
    ("session.reply", {"entitlements_known": None}),
    ("session.reply", {"expires_in": 1.5}),
    ("session.reply", {"signed_in_at": "yesterday"}),
    ("session.reply", {"storage": "cookie"}),
    ("session.reply", {"access_token": "x"}),
    ("session.reply", {"user": {"sub": "a1", "access_token": "x"}}),
    ("providers.reply", {"providers": [{"name": "corp"}], "default_provider": None}),
    ("providers.reply", {"providers": {}, "default_provider": None}),
    ("providers.reply", {"providers": [], "default_provider": "not a name"}),
    ("sign-in.request", {"strategy": "implicit"}),
    ("sign-in.request", {"next": "x" * 2049}),
    ("sign-in.request", {"prompt": "often"}),
    ("sign-in.request", {"login_hint": "a\r\nb"}),
    ("sign-in.request", {"login_hint": ""}),
    ("sign-in.request", {"ui_locales": "de"}),
    ("sign-in.request", {"ui_locales": ["de_AT"]}),
    ("sign-in.request", {"acr_values": ["two words"]}),
    ("sign-in.request", {"acr_values": ["a"] * 21}),
    ("sign-in.request", {"issuer": "https://evil.example.com"}),
    ("sign-in.reply", {"flow": "short"}),
    ("sign-in.reply", {"expires_in": -1}),
    ("sign-in.reply", {"state": "x"}),
    ("sign-in-progress.reply", {"state": "unknown"}),
    ("sign-in-progress.reply", {"error": "text"}),
    ("complete.request", {"redirect_url": ""}),
    ("complete.request", {"redirect_url": 7}),
    ("refresh.request", {"refresh_token": "x"}),
    ("sign-out.request", {"everywhere": True}),
    ("sign-out.reply", {"local": "maybe"}),
    ("sign-out.reply", {"revoked": True}),
    ("apis.reply", {"apis": [{"name": "orders"}]}),
    ("apis.reply", {"apis": None}),
    ("apis.reply", {"apis": [{**VALID["apis.reply"]["apis"][0], "openapi": "/openapi.json"}]}),
    ("apis.reply", {"apis": [{**VALID["apis.reply"]["apis"][0], "docs_url": "javascript:alert(1)"}]}),
    ("operations.reply", {"operations": [{"id": "x"}]}),
    ("operations.reply", {"operations_more": -1}),
    ("operations.reply", {"document": {"title": "Orders", "version": "1", "openapi": "2.0"}}),
    ("operation-example.reply", {"cell": ""}),
    ("operation-example.reply", {"path": "https://evil.example.com/"}),
    ("grant.request", {"apis": []}),
    ("grant.request", {"hours": 0}),
    ("grant.request", {"hours": 721}),
    ("grant.request", {"methods": ["TRACE"]}),
    ("grant.request", {"name": "a\nb"}),
    ("forwarded.request", {"caller_kind": "root"}),
    ("forwarded.request", {"base_url": "user/ada/"}),
    ("forwarded.request", {"base_url": "/a b/"}),
    ("forwarded.request", {"host": "a\r\nb"}),
    ("forwarded.request", {"protocol": "javascript"}),
    ("forwarded.request", {"public_url": "javascript:alert(1)/"}),
    ("forwarded.request", {"origin": "hub.example.com"}),
    ("forwarded.request", {"request_id": "a b"}),
    ("forwarded.request", {"account": "uid:0"}),
    ("grant.reply", {"grant": "jog." + "A" * 43}),
    ("grant.reply", {"maker": None}),
    ("grants.reply", {"grants": [{**WORKER_GRANT, "grant": "jow." + "A" * 43}]}),
    ("grants.reply", {"are_stored": "no"}),
    ("grant-leases.request", {"grants": ["kernel:k1"]}),
    ("grant-leases.reply", {"grants": None}),
    ("forwarded.request", {"grant": "jog." + "A" * 43}),
    ("command.request", {"command_id": "mine"}),
    ("command.reply", {"command_id": "5e3c8f9a-0b1d-4c2e-8f7a-6d5b4c3a2918"}),
    ("command.reply", {"key": "short"}),
    ("command.reply", {"expires_in": 0}),
    ("command-lease.reply", {"expires_in": -1}),
    ("kernel-grant.request", {"kernel_id": "../etc"}),
    ("kernel-grant.request", {"issued_at": "now"}),
    ("kernel-grant.request", {"nonce": "short"}),
    ("kernel-grant.request", {"proof": "Z" * 64}),
    ("kernel-grant.reply", {"grant": "x"}),
    ("kernel-grant.reply", {"expires_in": 0}),
    ("diagnostics.reply", {"ok": "no"}),
    ("diagnostics.reply", {"checks": [{}]}),
]


def test_every_contract_has_a_valid_example() -> None:
    assert sorted(VALID) == contract.names()


def test_every_contract_has_an_invalid_example() -> None:
    assert {name for name, _ in INVALID} == set(contract.names())


@pytest.mark.parametrize("name", sorted(VALID))
def test_a_valid_payload_is_accepted(name: str) -> None:
    assert contract.check(name, copy.deepcopy(VALID[name])) == VALID[name]


@pytest.mark.parametrize(
    ("name", "change"), INVALID, ids=lambda part: part if isinstance(part, str) else next(iter(part))
)
def test_an_invalid_payload_is_refused_without_being_quoted(name: str, change: dict[str, Any]) -> None:
    with pytest.raises(ContractBroken) as broken:
        contract.check(name, {**copy.deepcopy(VALID[name]), **change})
    assert "evil" not in str(broken.value)
    assert "access_token" not in broken.value.where


@pytest.mark.parametrize("name", sorted(VALID))
@pytest.mark.parametrize("message", [None, [], "text", 7, True])
def test_something_that_is_no_object_is_refused(name: str, message: int | list[Any] | str | None) -> None:
    with pytest.raises(ContractBroken):
        contract.check(name, message)


@pytest.mark.parametrize("name", sorted(VALID))
def test_a_required_member_must_be_there(name: str) -> None:
    for member in contract.schema(name).get("required", []):
        message = copy.deepcopy(VALID[name])
        del message[member]
        with pytest.raises(ContractBroken):
            contract.check(name, message)


def test_the_error_contract_lists_every_code_of_the_error_tree() -> None:
    assert contract.schema("error")["properties"]["code"]["enum"] == list(BY_CODE)
