"""One server and one API for each module, with somebody signed in."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.interop.hostile.stage import Stage, staged
from tests.support.raw_upstream import RawUpstream


@pytest.fixture(scope="module", params=["login", "kernel"])
def shared_stage(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Both ways through the proxy: the handler's, and the short one of kernels (ADR 24)."""
    with RawUpstream() as api:
        names = {"base_url": api.url, "path_prefixes": ["/items/"], "path_data": ["%2F", "%5C", "%25", "//", "@"]}
        with staged(tmp_path_factory.mktemp("hostile"), api, apis={"names": names}) as stage:
            if request.param == "kernel":
                stage.call_as_kernel()
            yield stage


@pytest.fixture
def stage(shared_stage: Stage) -> Stage:
    """The module's server, with an API that knows no script and has forgotten what it saw."""
    shared_stage.api.forget()
    shared_stage.api.unscript()
    return shared_stage


@pytest.fixture
def api(stage: Stage) -> RawUpstream:
    return stage.api
