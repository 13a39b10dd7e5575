"""Decides when a page that opens may try to sign in by itself: seldom, never in a loop, not after a sign-out.

A silent sign-in shows the person nothing (``prompt=none``, OpenID Connect Core 1.0, 3.1.2.1), so only this memory keeps
a page from trying again each time that it is opened.
It refuses to know sessions; its caller checks those.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from jupyter_oidc.clock import Clock
    from jupyter_oidc.sessions.pending import PendingSignIn
    from jupyter_oidc.settings import Provider

SILENT_SIGN_IN_TIMEOUT_SECONDS: Final = 60.0
"""Seconds from the beginning of a silent sign-in to its callback: no person has to read, type or decide."""

MIN_SILENT_SIGN_IN_INTERVAL_SECONDS: Final = 600.0
"""Seconds between two silent sign-ins at least, counted over all tabs and browsers."""


def is_silent_sign_in_on(settings: Provider, *, under_hub: bool) -> bool:
    """Return whether silent sign-in is on: by the settings, and without one under a Hub.

    With a ``prompt`` that demands a login or the choice of an account it is off, as a silent sign-in can do neither.
    """
    wish = settings.silent_sign_in or ("auto" if under_hub else "off")
    return wish == "auto" and settings.prompt not in ("login", "select_account")


class SilentSignIns:
    """Remembers the newest silent sign-in at one provider, and whether another is wanted."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._newest: PendingSignIn | None = None
        self._wanted = True

    def may_begin(self) -> bool:
        """Return whether one may begin now.

        None may after a sign-out, which it would undo; nor after one that went to the provider and never came back: the
        person sees the provider's error page then, instead of the page that they had opened.
        """
        newest = self._newest
        if newest is None or not self._wanted:
            return self._wanted
        # NOTE: it is bound to the browser before its request is pushed; after a failure there the browser went nowhere.
        never_sent = newest.progress == "failed" and not newest.consumed
        went_out = bool(newest.state_digest) and not never_sent
        age = self._clock.now().monotonic - newest.begun.monotonic
        return age >= MIN_SILENT_SIGN_IN_INTERVAL_SECONDS and (newest.consumed or not went_out)

    def begun(self, pending: PendingSignIn) -> None:
        """Remember ``pending``, which is the newest."""
        self._newest = pending

    def signed_in(self, pending: PendingSignIn) -> None:
        """Record that ``pending`` has succeeded; one in which a person took part shows that the provider works."""
        self._wanted = True
        if not pending.options.silent:
            self._newest = None

    def signed_out(self) -> None:
        """Record a sign-out: the next sign-in must begin with a click."""
        self._wanted = False
