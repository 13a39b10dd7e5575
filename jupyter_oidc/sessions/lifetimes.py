"""How long sign-ins and the pages of a sign-out last; the cookies that bind them to a browser last as long."""

from __future__ import annotations

from typing import Final

SIGN_IN_LIFETIME_SECONDS: Final = 600.0
"""Seconds from the beginning of a sign-in to its callback (A-9)."""

SIGN_OUT_TICKET_SECONDS: Final = 60.0
"""Seconds from the end of a sign-out to the opening of its page; after that the ID token is dropped."""

SIGN_OUT_RETURN_SECONDS: Final = 600.0
"""Seconds from the opening of the page to the browser's return from the provider."""
