"""Diagnostic contexts without a fault, for tests that make one thing wrong."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any, get_args

from jupyter_oidc.contract.storage import StorageKind
from jupyter_oidc.diagnostics import Check, DiagnosticContext
from jupyter_oidc.diagnostics.context import Storage, StoreProbe
from jupyter_oidc.protocol.message import Call, Reply
from jupyter_oidc.secret import Secret
from jupyter_oidc.sessions.credentials import Credentials
from jupyter_oidc.settings import Api, Provider, Settings
from jupyter_oidc.settings.model import AuthMethod
from tests.unit.protocol.makers import ISSUER, RSA, document, jwk, reply
from tests.unit.sessions.fake_environment import CountingEntropy, HandClock

CORP = Provider(
    "corp",
    ISSUER,
    "jupyter",
    scopes=("openid", "offline_access"),
    redirect_uri="https://j.example.com/jupyter-oidc/providers/corp/callback",
    apis=(Api("orders", "corp", "https://api.example.com/v1/"),),
)


class Answering:
    """A provider that answers each address with a reply, or raises; asked for any other address, it fails the test."""

    def __init__(self, **answers: Reply | Exception) -> None:
        good = {
            "discovery": reply(
                document(
                    token_endpoint_auth_methods_supported=[*get_args(AuthMethod)],
                    grant_types_supported=["authorization_code", "refresh_token"],
                )
            ),
            "jwks": reply({"keys": [jwk(RSA, kid="k1", use="sig", alg="RS256")]}),
        }
        self.answers = {**good, **answers}
        self.asked: list[str] = []
        self.closed = False

    async def send(self, call: Call) -> Reply:
        path = call.url.partition("?")[0]
        names = {"/.well-known/openid-configuration": "discovery", "/keys": "jwks", "/authorize": "authorize"}
        name = names[path.removeprefix(ISSUER)]
        self.asked.append(call.url if name == "authorize" else name)
        answer = self.answers[name]
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def aclose(self) -> None:
        self.closed = True


async def nothing(*_: Any) -> None:
    """Stand in for a check that finds no fault."""


async def works() -> str:
    """Stand in for a store that takes a test entry."""
    return "It works."


def stores(**changed: Callable[[], Awaitable[str]]) -> Storage:
    """Return stores that work, apart from those in ``changed``: ``keyring`` and ``file``."""
    probes: dict[StorageKind, StoreProbe] = {
        "keyring": StoreProbe("keyring", changed.get("keyring", works)),
        "encrypted-file": StoreProbe("encrypted file", changed.get("file", works)),
        "memory": StoreProbe("storage", works),
    }
    return Storage(probes=probes, lock_folder=nothing, has_key=False)


def credentials(provider: Provider, secret: Secret | None = None, key: Secret | None = None) -> Credentials:
    return Credentials(provider, HandClock(), CountingEntropy(), secret=lambda: secret, key=lambda: key)


def diagnostic_context(port: Answering | None = None, provider: Provider = CORP, **changes: Any) -> DiagnosticContext:
    made = DiagnosticContext(
        settings=Settings((provider,)),
        findings=(),
        clock=HandClock(),
        entropy=CountingEntropy(),
        storage=stores(),
        provider_port=lambda _: port or Answering(),
        credentials=credentials,
        load_authorities=lambda _: None,
        probe_api=nothing,
        forward_proxy=lambda _: None,
        address="https://j.example.com/",
        address_seen_by_browsers=True,
    )
    return replace(made, **changes)


def named(checks: tuple[Check, ...] | list[Check], name: str) -> Check:
    """Return the one check called ``name``."""
    (found,) = [check for check in checks if check.name == name]
    return found
