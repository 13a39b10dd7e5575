"""Decides whether a page of Jupyter may, when it is opened, try a sign-in without a prompt (``silent_sign_in``).

The page itself goes to the provider and comes back: a hidden frame would need third-party cookies and break the
provider's framing policy, and browsers block a window that no click opened.
So it is possible only if the browser comes back to the page's own host, by the callback route (ADR 40).
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from jupyter_oidc.sessions.silent import is_silent_sign_in_on
from jupyter_oidc.sessions.strategy import Choice, choose

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jupyter_oidc.sessions.service import SessionService
    from jupyter_oidc.sessions.strategy import Browser


def page_host(host: str, headers: Mapping[str, str]) -> str:
    """Return host and port of the page that sends this request; ``host`` is the ``Host`` after any proxy."""
    return urlsplit(headers.get("Origin") or headers.get("Referer") or "").netloc.lower() or host.lower()


def can_sign_in_silently(
    session: SessionService, *, under_hub: bool, browser: Browser, host: str, public_url: str | None
) -> bool:
    """Return whether a page at ``host`` may try now; a sign-in at this provider starts at ``public_url``."""
    settings = session.settings
    if not is_silent_sign_in_on(settings, under_hub=under_hub) or not session.may_sign_in_silently:
        return False
    # NOTE: as if the provider offered codes, since its metadata are unknown here; a choice of a code keeps the page.
    chosen = choose(settings, offers_device=True, browser=browser)
    comes_back = isinstance(chosen, Choice) and chosen.facts.ends_at_callback
    return comes_back and (public_url is None or urlsplit(public_url).netloc.lower() == host)
