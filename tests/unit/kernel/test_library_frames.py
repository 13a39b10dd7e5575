"""A warning leads to the author's line: the frames of the libraries are known by their packages."""

from __future__ import annotations

from functools import partial
from types import ModuleType
from typing import Any

import pytest

from jupyter_oidc.kernel.library_frames import PACKAGES, level_of_caller


def module_with(name: str, source: str) -> Any:
    """Return a module called ``name`` with the code ``source``."""
    module = ModuleType(name)
    exec(compile(source, f"<{name}>", "exec"), module.__dict__)
    return module


PASS_ON = "def pass_on(act): return act()\n"


@pytest.mark.parametrize("package", sorted(PACKAGES))
def test_the_level_of_the_caller_is_counted_over_every_library(package: str) -> None:
    outer, inner = module_with(f"{package}.deep", PASS_ON), module_with(package, PASS_ON)
    assert outer.pass_on(partial(inner.pass_on, level_of_caller)) == 3


@pytest.mark.parametrize("name", ["httpx_of_my_own", "jupyter_oidc_helpers", "contextlib2.deep", "requests_cache"])
def test_a_module_whose_name_only_begins_like_a_library_is_the_authors(name: str) -> None:
    assert module_with(name, PASS_ON).pass_on(level_of_caller) == 1
