"""Every reply of the server under test is shown to the canary."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from tornado.httpclient import HTTPClientError

from tests.support.canary import Canary


@pytest.fixture
def jp_fetch(jp_fetch: Callable[..., Any], canary: Canary) -> Callable[..., Any]:
    """Fetch as pytest-jupyter does, and look at what came back, refusals included."""

    async def fetch(*path: str, **options: Any) -> Any:
        try:
            response = await jp_fetch(*path, **options)
        except HTTPClientError as error:
            if error.response is not None:
                canary.look_at_reply(error.response)
            raise
        canary.look_at_reply(response)
        return response

    return fetch
