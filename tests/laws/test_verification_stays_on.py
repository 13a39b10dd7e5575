"""H-1, G-4: no switch turns the verification of a certificate off, in the settings or in the code (C35).

Proved able to fail: each seeded line below is noticed, and so is a second context in the one module that may look.
"""

from __future__ import annotations

import ast
import dataclasses
import re
import ssl

import pytest

from jupyter_oidc.settings import Api, Provider, Settings
from tests.laws.source import Module, modules, seeded

LOOKS = {
    "jupyter_oidc.adapters.network.peer_certificate": (
        "asks a server that was refused for its issuer's name; no request, token or certificate of ours goes there"
    ),
}
"""The only modules with a context that verifies nothing, and why; one such context each."""

PINS = {
    "jupyter_oidc.kernel.pinned": (
        "asks for no name, because it believes one certificate only, which it compares with the one that is shown (ADR 34)"
    ),
}
"""The only modules that ask for less than a name and an issuer, and why; one such context each."""

OFF = {
    "verify": (False, None),
    "ssl": (False, None),
    "verify_ssl": (False, None),
    "ssl_verify": (False, None),
    "check_hostname": (False, None),
    "validate_cert": (False, None),
    "assert_hostname": (False, None),
}
"""Arguments and attributes, with the values that turn verification off."""

NAMES = {"CERT_NONE", "CERT_OPTIONAL", "_create_unverified_context", "disable_warnings"}
SUSPICIOUS = re.compile(r"insecure|(dis|un)?verif|tls|ssl|trust|certif|hostname", re.IGNORECASE)

HARMLESS = {
    "allow_insecure_loopback": "admits plain http, at loopback hosts only, and says nothing about certificates",
    "tls_client_certificate_bound_access_tokens": "is about our certificate, and asks for more",
    "trusted_audiences": "is about ID tokens",
}
"""Settings whose names sound like it."""


def switches(module: Module) -> list[str]:
    """Return every line of ``module`` that could turn verification off."""
    found = []
    for node in ast.walk(module.tree):
        if isinstance(node, ast.keyword) and _is_off(node.arg, node.value):
            found.append(str(node.arg))
        elif isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant):
            found += [
                target.attr
                for target in node.targets
                if isinstance(target, ast.Attribute) and _is_off(target.attr, node.value)
            ]
        elif isinstance(node, ast.Attribute) and node.attr in NAMES:
            found.append(node.attr)
        elif isinstance(node, ast.alias) and node.name in NAMES:
            found.append(node.name)
    return found


def _is_off(name: str | None, value: ast.expr) -> bool:
    return name in OFF and isinstance(value, ast.Constant) and value.value in OFF[name] and value.value is not True


def contexts(module: Module) -> int:
    """Return how many TLS contexts ``module`` makes."""
    return sum(
        isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "SSLContext"
        for node in ast.walk(module.tree)
    )


def test_no_module_turns_verification_off() -> None:
    assert {
        module.name: found
        for module in modules()
        if module.name not in {**LOOKS, **PINS} and (found := switches(module))
    } == {}


@pytest.mark.parametrize("name", LOOKS)
def test_who_may_look_makes_one_context_and_sends_nothing_through_it(name: str) -> None:
    (module,) = [module for module in modules() if module.name == name]
    assert (sorted(switches(module)), contexts(module)) == (["CERT_NONE", "check_hostname"], 1)
    used = [
        node.attr
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "tls_connection"
    ]
    assert sorted(used) == ["cipher", "do_handshake", "getpeercert"]


@pytest.mark.parametrize("name", PINS)
def test_who_asks_for_no_name_compares_the_certificate(name: str) -> None:
    """Q4.1: the chain is verified all the same; that another certificate is refused is shown in ``unit/kernel``."""
    (module,) = [module for module in modules() if module.name == name]
    assert (switches(module), contexts(module)) == (["check_hostname"], 0)
    assert ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).verify_mode is ssl.CERT_REQUIRED
    compared = [node for node in ast.walk(module.tree) if isinstance(node, ast.Compare)]
    assert any("getpeercert(binary_form=True)" in ast.unparse(node) for node in compared)


@pytest.mark.parametrize("kind", [Settings, Provider, Api])
def test_no_setting_turns_verification_off(kind: type) -> None:
    names = {field.name for field in dataclasses.fields(kind)}
    assert {name for name in names if SUSPICIOUS.search(name)} - set(HARMLESS) <= {
        *("client_certificate", "client_certificate_key", "client_certificate_password"),
    }


@pytest.mark.parametrize(
    "line",
    [
        "httpx.AsyncClient(verify=False)",
        "aiohttp.TCPConnector(ssl=False)",
        "session.get(url, verify_ssl=False)",
        "context.check_hostname = False",
        "context.verify_mode = ssl.CERT_NONE",
        "from ssl import CERT_NONE",
        "context = ssl._create_unverified_context()",
    ],
)
def test_a_seeded_switch_is_noticed(line: str) -> None:
    assert switches(seeded(line)) != []


def test_what_verifies_is_not_taken_for_a_switch() -> None:
    assert switches(seeded("httpx.AsyncClient(verify=context)\ncontext.check_hostname = True\n")) == []
