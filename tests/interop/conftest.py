"""The certified provider, shared by the tests of this folder; nothing of pytest-jupyter's server is needed here."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from tests.support.certified_provider import CertifiedProvider, ProviderDocument
from tests.support.plain_http import PLAIN
from tests.support.upstream import Upstream


@pytest.fixture(autouse=True)
def jp_server_cleanup() -> None:
    """Nothing to clean up: the servers of these tests are other processes."""


@pytest.fixture(scope="module")
def provider() -> Iterator[CertifiedProvider]:
    with CertifiedProvider(ProviderDocument()) as provider:
        yield provider


@pytest.fixture
def upstream(provider: CertifiedProvider) -> Iterator[Upstream]:
    """An API that accepts a token if the provider's UserInfo endpoint does."""
    endpoint = f"{provider.issuer}/me"

    def vouched(token: str) -> bool:
        headers = {"Authorization": f"Bearer {token}"}
        return httpx.get(endpoint, headers=headers, trust_env=False, verify=PLAIN).status_code == 200

    with Upstream(vouched) as upstream:
        yield upstream
