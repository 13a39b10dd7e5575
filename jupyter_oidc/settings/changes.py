"""Questions that tell whether a change of one setting widens what a session opens (ADR 30).

Each is asked of the value before and the one after, which differ, and stands in the entry of the setting
(:mod:`jupyter_oidc.settings.model`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Question = Callable[[Any, Any], bool]
"""Asked of the value before and the one after, which differ; says whether the change widens."""


def always(_before: object, _after: object) -> bool:
    """Another host, key, token or way counts as wider: it cannot be shown to be narrower."""
    return True


def never(_before: object, _after: object) -> bool:
    """It is shown to people and opens nothing."""
    return False


def more(before: Any, after: Any) -> bool:
    """Something is in the list that was not."""
    return not set(after) <= set(before)


def raised(before: Any, after: Any) -> bool:
    """A limit is higher, or gone."""
    return before is not None and (after is None or after > before)


def switched_on(before: Any, after: Any) -> bool:
    """What was forbidden is allowed."""
    return bool(after) and not before


def switched_off(before: Any, after: Any) -> bool:
    """What was demanded is not demanded any more."""
    return bool(before) and not after


def given(_before: object, after: object) -> bool:
    """Something is named that was not, or something else; to name nothing any more is less."""
    return after is not None


def automatic(_before: object, after: object) -> bool:
    """It happens by itself, or may; what is switched off is less."""
    return after != "off"


def loosened(before: object, _after: object) -> bool:
    """A demand is another one, or gone; a new one is more than none."""
    return before is not None


def tells_more(before: Any, after: Any) -> bool:
    """The browser is led to the provider's page that was not, or brings an ID token there that it did not."""
    return after not in {"form": ("link", "none"), "link": ("none",)}.get(before, ())


def more_origins(before: Any, after: Any) -> bool:
    """A form may be led on to each of them, and an empty list lets every origin have the sign-out page."""
    return switched_off(before, after) or more(before, after)


def more_levels(before: Any, after: Any) -> bool:
    """An empty list demands nothing."""
    return bool(before) and (not after or more(before, after))


def more_paths(before: Any, after: Any) -> bool:
    """A path lies below none of those that were open."""
    return not all(any(_is_below(path, opened) for opened in before) for path in after)


def _is_below(path: str, opened: str) -> bool:
    return path.rstrip("/") == opened.rstrip("/") or path.startswith(opened.rstrip("/") + "/")
