"""A stored entry whose time cannot be read as a time is damaged."""

from __future__ import annotations

import json

import pytest

from jupyter_oidc.adapters.storage.entry_codec import EntryCodec
from jupyter_oidc.problems import StorageUnavailable
from jupyter_oidc.secret import Secret
from jupyter_oidc.secret_access import reveal
from tests.unit.adapters.entries import entry

CODEC = EntryCodec(provider="corp", issuer="https://id.example.com", client_id="c1", machine_id="here")


@pytest.mark.parametrize("time", [float("nan"), float("inf"), 1e300, -1.0, 253_402_300_800, True, "1800000000", None])
def test_a_time_that_is_none_is_damage(time: object) -> None:
    """B20: the server could not write a summary with such a time."""
    stored = json.loads(reveal(CODEC.encode(entry("CANARY-9d1e7b-rt"), "keyring")))
    stored["signed_in_at"] = time
    with pytest.raises(StorageUnavailable) as caught:
        CODEC.decode(Secret(json.dumps(stored)), "keyring")
    assert caught.value.detail == "storage_corrupt"
