from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.interop.person import Person
from tests.interop.test_broker import place_of
from tests.interop.test_workers import *
from tests.support.certified_provider import CertifiedProvider
from tests.support.upstream import Upstream


@pytest.fixture  # type: ignore[no-redef]
def person(tmp_path: Path, provider: CertifiedProvider, upstream: Upstream) -> Iterator[Person]:
    with place_of(tmp_path, provider, upstream) as place:
        person = place.server("here")
        person.sign_in()
        yield person
