"""Law 1, one vessel: a token, code, verifier or client secret exists only as a ``Secret``.

Proved able to fail: ``test_a_plain_string_under_a_secret_name_is_noticed`` seeds a dataclass field
``refresh_token: str`` and sees it caught; deleting ``Secret.__reduce_ex__`` makes the pickle cases fail.
"""

from __future__ import annotations

import ast
import copy
import json
import logging
import pickle
from collections.abc import Callable
from typing import Any

import pytest

from jupyter_oidc.secret import Secret
from tests.laws.source import Module, modules, seeded

VALUE = "the-value-inside"
SECRET_NAMES = {
    *("access_token", "refresh_token", "id_token", "code", "verifier", "code_verifier", "client_secret"),
    *("bearer", "secret", "token"),
}
# Names that a secret shares with something that is none, and why.
NOT_SECRET = {
    ("jupyter_oidc.problems", "code"): "an error code",
    ("jupyter_oidc.sessions.grant", "code"): "an error code",
    ("jupyter_oidc.kernel.errors", "code"): "an error code",
}
LAYERS = ("protocol", "sessions", "proxy", "adapters", "settings", "web", "server", "compose", "problems")


def plain_secrets(module: Module) -> list[str]:
    """Annotated fields and parameters whose name says secret and whose type says plain text."""
    found = []
    for node in ast.walk(module.tree):
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            name, annotation = node.target.id, node.annotation
        elif isinstance(node, ast.arg) and node.annotation is not None:
            name, annotation = node.arg, node.annotation
        else:
            continue
        if name in SECRET_NAMES and (module.name, name) not in NOT_SECRET:
            kinds = {leaf.id for leaf in ast.walk(annotation) if isinstance(leaf, ast.Name)}
            if kinds & {"str", "bytes"} and "Secret" not in kinds:
                found.append(f"{module.name}: {name}")
    return found


@pytest.mark.parametrize(
    "show",
    [repr, str, format, "{}".format, "%s".__mod__, lambda s: f"{s!r:>20}", lambda s: f"{s:>20}"],
)
def test_a_secret_shows_a_placeholder(show: Callable[[object], str]) -> None:
    assert VALUE not in show(Secret(VALUE))
    assert "<secret>" in show(Secret(VALUE))


@pytest.mark.parametrize(
    "leak",
    [
        json.dumps,
        pickle.dumps,
        copy.copy,
        copy.deepcopy,
        hash,
        list,
        len,
        bytes,
        lambda s: s + "",
        lambda s: "" + s,
        lambda s: s % (),
        lambda s: {s: 1},
        lambda s: "".join([s]),
        vars,
    ],
)
def test_a_secret_refuses_to_leave_its_vessel(leak: Callable[[Secret], object]) -> None:
    with pytest.raises(TypeError):
        leak(Secret(VALUE))


def test_a_secret_is_equal_only_to_a_secret_with_the_same_value() -> None:
    assert Secret(VALUE) == Secret(VALUE)
    assert Secret(VALUE) == Secret(VALUE.encode())
    assert Secret(VALUE) != Secret("another")
    assert Secret(VALUE) != VALUE


def test_a_logged_secret_shows_a_placeholder(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        logging.getLogger("law").debug("holding %s", Secret(VALUE))
    assert caplog.messages == ["holding <secret>"]


def test_a_secret_holds_nothing_but_text_or_bytes() -> None:
    nothing: Any = None
    with pytest.raises(TypeError, match="a Secret holds str or bytes"):
        Secret(nothing)


def test_no_secret_is_typed_as_plain_text() -> None:
    assert [leak for layer in LAYERS for module in modules(layer) for leak in plain_secrets(module)] == []


def test_a_plain_string_under_a_secret_name_is_noticed() -> None:
    assert plain_secrets(seeded("class Entry:\n    refresh_token: str | None\n")) == [
        "jupyter_oidc.seeded: refresh_token"
    ]
