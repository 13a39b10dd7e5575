"""Decides whether a page of Jupyter may, when it is opened, try a sign-in without a prompt (``silent_sign_in``).

The page leaves for the provider and comes back: a hidden frame would be asked for third-party cookies and refused by the
provider's framing policy, and a window that no click opened is blocked.
So this holds only where the browser comes back to the very host of the page, by the callback route (ADR 40).
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from jupyter_oidc.sessions.strategy import Choice, choose

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jupyter_oidc.sessions.service import SessionService
    from jupyter_oidc.sessions.strategy import Browser
    from jupyter_oidc.settings import Provider


def page_host(host: str, headers: Mapping[str, str]) -> str:
    """Return host and port of the page that sends this request; ``host`` is what a proxy left of it."""
    return urlsplit(headers.get("Origin") or headers.get("Referer") or "").netloc.lower() or host.lower()


def is_silent_sign_in_on(settings: Provider, *, under_hub: bool) -> bool:
    """Return whether the settings say so; where they say nothing, a Hub does.

    Settings that have each person log in or choose an account are meant for this sign-in too, and it can do neither.
    """
    wish = settings.silent_sign_in or ("auto" if under_hub else "off")
    return wish == "auto" and settings.prompt not in ("login", "select_account")


def can_sign_in_silently(
    session: SessionService, *, under_hub: bool, browser: Browser, host: str, public_url: str | None
) -> bool:
    """Return whether a page at ``host`` may try now; ``public_url`` is where a sign-in at this provider has to start."""
    settings = session.settings
    if not is_silent_sign_in_on(settings, under_hub=under_hub) or not session.may_sign_in_silently:
        return False
    # NOTE: as if the provider offered codes, since it has not been asked yet; where one would be taken then, no page leaves.
    chosen = choose(settings, offers_device=True, browser=browser)
    comes_back = isinstance(chosen, Choice) and chosen.strategy == "server"
    return comes_back and (public_url is None or urlsplit(public_url).netloc.lower() == host)
