"""A warning and a traceback lead to the author's line: the frames of the libraries are known by their packages."""

from __future__ import annotations

import traceback
from functools import partial
from types import ModuleType
from typing import Any

import pytest

from jupyter_oidc.kernel.library_frames import PACKAGES, author_traceback, level_of_caller


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


def test_the_traceback_of_the_author_has_none_of_the_libraries() -> None:
    def fail() -> None:
        raise ValueError

    inner, outer = module_with("httpx._client", PASS_ON), module_with("my_sdk", PASS_ON)
    with pytest.raises(ValueError) as caught:
        outer.pass_on(lambda: inner.pass_on(fail))
    kept = traceback.extract_tb(author_traceback(caught.value.__traceback__))
    assert [(step.filename.rpartition("/")[2], step.name) for step in kept] == [
        ("test_library_frames.py", "test_the_traceback_of_the_author_has_none_of_the_libraries"),
        ("<my_sdk>", "pass_on"),
        ("test_library_frames.py", "<lambda>"),
        ("test_library_frames.py", "fail"),
    ]


def test_an_error_that_was_never_raised_has_no_traceback() -> None:
    assert author_traceback(None) is None
