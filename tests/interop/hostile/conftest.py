"""One server and one API for each module, with a signed-in user."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.interop.hostile.real_environment import RealEnvironment, start_environment
from tests.support.raw_upstream import RawUpstream


@pytest.fixture(scope="module", params=["login", "kernel"])
def shared_environment(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RealEnvironment]:
    """Both ways through the proxy: the handler's, and the short one of kernels (ADR 24)."""
    with RawUpstream() as api:
        names = {"base_url": api.url, "path_prefixes": ["/items/"], "path_data": ["%2F", "%5C", "%25", "//", "@"]}
        with start_environment(tmp_path_factory.mktemp("hostile"), api, apis={"names": names}) as real_environment:
            if request.param == "kernel":
                real_environment.call_as_kernel()
            yield real_environment


@pytest.fixture
def real_environment(shared_environment: RealEnvironment) -> RealEnvironment:
    """The module's server, with an API that has no script and no recorded calls."""
    shared_environment.api.forget()
    shared_environment.api.unscript()
    return shared_environment


@pytest.fixture
def api(real_environment: RealEnvironment) -> RawUpstream:
    return real_environment.api
