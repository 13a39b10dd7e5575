"""A store of refresh tokens is one word and one entry in one table (ADR 49 says the same of sign-ins)."""

from __future__ import annotations

from typing import get_args

from jupyter_oidc import contract
from jupyter_oidc.adapters.storage.stores import STORES
from jupyter_oidc.contract.storage import LocalStorage, StorageKind


def test_every_word_has_an_entry_and_every_entry_a_word() -> None:
    assert tuple(STORES) == get_args(LocalStorage)


def test_a_summary_names_the_stores_and_the_state_of_a_session_that_could_not_be_stored() -> None:
    words = contract.schema("session.reply")["properties"]["storage"]["enum"]
    assert words == [*get_args(StorageKind), "unsaved"]
