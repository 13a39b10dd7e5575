"""Checks the distributions in this environment: the whole package and the kernel helper alone have the same files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from jupyter_oidc.diagnostics.check import Check, Subject
from jupyter_oidc.language import N_, sentence

if TYPE_CHECKING:
    from collections.abc import Mapping

WHOLE: Final = "jupyter_oidc"
HELPER: Final = "jupyter_oidc_client"
"""The kernel helper alone, for environments without a Jupyter server (ADR 50)."""


def check_installation(versions: Mapping[str, str]) -> list[Check]:
    """Report a helper beside the whole package; ``versions`` are those of our distributions that are installed here.

    Both install the same modules, so the one that came last decides about the code, and removing either breaks the other.
    """
    if HELPER not in versions or WHOLE not in versions:
        return []
    action = sentence(
        "Remove both and install the whole one again: pip uninstall {helper} {whole}, then pip install {whole}. It "
        "contains the helper.",
        whole=WHOLE,
        helper=HELPER,
    )
    named = {
        "whole": WHOLE,
        "whole_version": versions[WHOLE],
        "helper": HELPER,
        "helper_version": versions[HELPER],
    }
    about = Subject(N_("installation"))
    if versions[WHOLE] == versions[HELPER]:
        message = sentence(
            "{whole} {whole_version} and {helper} {helper_version} are both installed in this environment, and an "
            "update of one overwrites the other.",
            **named,
        )
        return [about.warning(message, action)]
    message = sentence(
        "{whole} {whole_version} and {helper} {helper_version} are both installed in this environment, and each has "
        "overwritten modules of the other.",
        **named,
    )
    return [about.problem(message, action)]
