"""A real server stops: a session in memory ends at the certified provider, a stored session lives on (Q10.5)."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Any

from tests.interop.person import at_work
from tests.support.canary import CANARY
from tests.support.certified_provider import CertifiedProvider
from tests.support.upstream import Upstream


def test_a_clean_stop_leaves_no_refresh_token_alive(
    tmp_path: Path, provider: CertifiedProvider, upstream: Upstream
) -> None:
    """Q10.5: as each cull of a Hub stops a server that has no keyring and no key."""
    before = provider.record().grants_revoked
    with at_work(tmp_path, provider, upstream) as person:
        person.sign_in()
        assert person.summary()["storage"] == "memory"
        alive = provider.record().grants_revoked - before
    assert (alive, provider.record().grants_revoked - before) == (0, 1)


def test_a_clean_stop_takes_nothing_back_that_is_stored(
    tmp_path: Path, provider: CertifiedProvider, upstream: Upstream
) -> None:
    """Q10.5, a sibling: A clean stop revokes the tokens that only memory held."""
    key = secrets.token_urlsafe(32)
    CANARY.hold(key)
    before = provider.record().grants_revoked
    place: dict[str, Any] = {"storage": "encrypted-file", "environment": {"JUPYTER_OIDC_STORAGE_KEY": key}}
    with at_work(tmp_path, provider, upstream, **place) as person:
        person.sign_in()
    assert provider.record().grants_revoked - before == 0
