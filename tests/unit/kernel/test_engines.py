"""What the engines are given: a grant, and no way to see it (``make workers-check`` runs them)."""

from __future__ import annotations

import json
import pickle
import re

import pytest
from typing_extensions import Self

import jupyter_oidc as oidc
from jupyter_oidc.kernel.server_connection import WORKER_VARIABLE
from tests.unit.kernel.fake_server import Answer, FakeServer
from tests.unit.kernel.test_delegation import GRANTS, ITEMS, MADE, TEXT, asked

HOOK = "worker_process_setup_hook"


@pytest.fixture(autouse=True)
def server(kernel: FakeServer) -> FakeServer:
    kernel.answers("POST", GRANTS, Answer(MADE, 201))
    kernel.answers("GET", ITEMS, ["a book"])
    return kernel


class Builder:
    """Keeps what it is configured with, as Spark's builder of a session does."""

    def __init__(self) -> None:
        self.entries: dict[str, str] = {}

    def config(self, key: str, value: str) -> Self:
        self.entries[key] = value
        return self


def test_ray_brings_the_grant_as_a_function_and_not_as_a_variable(server: FakeServer) -> None:
    wanted = oidc.ray.runtime_env("orders", hours=2, env={"env_vars": {"A": "B"}, "pip": ["pandas"]})
    assert wanted | {HOOK: None} == {"env_vars": {"A": "B"}, "pip": ["pandas"], HOOK: None}
    assert TEXT not in repr(wanted)
    wish = json.loads(asked(server).body)
    assert (wish["apis"], wish["hours"], wish["name"]) == (["orders"], 2, "Ray")
    pickle.loads(pickle.dumps(wanted[HOOK]))()
    oidc.api("orders").get("items")
    assert asked(server, ITEMS).bearer == f"Bearer {TEXT}"


def test_an_environment_of_ray_that_has_a_function_keeps_it() -> None:
    with pytest.raises(ValueError, match=r"has a worker_process_setup_hook already\. .* grant\.use\(\)"):
        oidc.ray.runtime_env("orders", env={HOOK: print})


def test_spark_redacts_the_entry_with_the_grant_and_what_it_redacts_by_itself() -> None:
    entries = oidc.spark.configure(Builder(), "orders").entries
    (name,) = entries.keys() - {"spark.redaction.regex"}
    assert name == f"spark.executorEnv.{WORKER_VARIABLE}"
    redacted = re.compile(entries["spark.redaction.regex"].replace("(?i)", "", 1), re.IGNORECASE)
    assert [bool(redacted.search(one)) for one in (name, "spark.hadoop.Secret", "spark.app.name")] == [
        True,
        True,
        False,
    ]
    own = oidc.spark.configure(Builder(), "orders", redacted="private").entries["spark.redaction.regex"]
    assert re.search(own, name)
    assert re.search(own, "spark.private.key")


def test_engines_take_a_grant_that_exists(server: FakeServer) -> None:
    grant = oidc.delegate("orders")
    made = len(server.asked("POST", GRANTS))
    assert oidc.ray.runtime_env(grant)[HOOK] == grant.use
    assert oidc.spark.configure(Builder(), grant).entries == oidc.spark.configure(Builder(), grant).entries
    assert oidc.dask.Access(grant).grant is grant
    assert len(server.asked("POST", GRANTS)) == made
