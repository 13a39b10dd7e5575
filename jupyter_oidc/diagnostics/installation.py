"""Checks the distributions in this environment: the whole package and the kernel helper alone have the same files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from jupyter_oidc.diagnostics.check import Check, Subject

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
    action = (
        f"Remove both and install the whole one again: pip uninstall {HELPER} {WHOLE}, then pip install {WHOLE}. "
        f"It contains the helper."
    )
    both = f"{WHOLE} {versions[WHOLE]} and {HELPER} {versions[HELPER]} are both installed in this environment"
    about = Subject("installation")
    if versions[WHOLE] == versions[HELPER]:
        return [about.warning(f"{both}, and an update of one overwrites the other.", action)]
    return [about.problem(f"{both}, and each has overwritten modules of the other.", action)]
