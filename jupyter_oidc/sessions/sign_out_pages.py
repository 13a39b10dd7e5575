"""One-time pages by which a browser brings an ID token to the provider's sign-out page (ADR 39).

A sign-out offers a page, which can be opened once within a minute; only then does the ID token leave this module. A
request whose response a script could read gets no ID token, and no later request does.
Only digests of the ticket, the state and the cookies are kept. The store is memory only: after a restart a page is not
known, and neither is the ``state`` that a provider sends back (L-7).
It refuses to know HTTP: the caller passes the kind of request and the values of the page's cookies.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from jupyter_oidc.language import N_
from jupyter_oidc.problems import StateInvalid
from jupyter_oidc.sessions.api import SignOutTicket
from jupyter_oidc.sessions.lifetimes import SIGN_OUT_RETURN_SECONDS, SIGN_OUT_TICKET_SECONDS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jupyter_oidc.clock import Clock, Moment
    from jupyter_oidc.entropy import Entropy
    from jupyter_oidc.protocol.logout import LogoutRequest
    from jupyter_oidc.secret import Secret
    from jupyter_oidc.sessions.api import Shown
    from jupyter_oidc.sessions.ports import Cancellable, Scheduler

MAX_PAGES: Final = 20
"""Pages of all providers together; beyond it the oldest is dropped."""


@dataclass(frozen=True, slots=True)
class Opened:
    """The content of the page with that id; ``binding`` is a cookie for the browser's return."""

    page: str
    request: LogoutRequest
    id_token_hint: Secret | None
    binding: str = field(repr=False)


@dataclass(slots=True, eq=False)
class _Page:
    id: str
    provider: str
    request: LogoutRequest
    begun: Moment
    state_digest: bytes
    ticket_digest: bytes | None
    binding_digest: bytes | None
    id_token_hint: Secret | None
    timer: Cancellable | None = None
    return_digest: bytes | None = None


class SignOutPages:
    """The pages of all providers that were offered within the last ten minutes.

    Without ``with_id_tokens`` none holds an ID token: they go through a server that must not see one.
    """

    def __init__(self, clock: Clock, entropy: Entropy, scheduler: Scheduler, *, with_id_tokens: bool = True) -> None:
        self._with_id_tokens = with_id_tokens
        self._clock = clock
        self._entropy = entropy
        self._scheduler = scheduler
        self._pages: list[_Page] = []

    def offer(
        self, provider: str, request: LogoutRequest, id_token_hint: Secret | None, state: str, *, bound: bool
    ) -> SignOutTicket:
        """Offer a page that brings ``request`` to ``provider``.

        ``bound`` ties it to the browser that gets the ticket.
        """
        self._sweep()
        value, binding = self._entropy.token(256), self._entropy.token(256) if bound else None
        page = _Page(
            id=self._entropy.token(128),
            provider=provider,
            request=request,
            begun=self._clock.now(),
            state_digest=_digest(state),
            ticket_digest=_digest(value),
            binding_digest=None if binding is None else _digest(binding),
            id_token_hint=id_token_hint if self._with_id_tokens else None,
        )
        page.timer = self._scheduler.after(SIGN_OUT_TICKET_SECONDS, lambda: self._close(page))
        self._pages.append(page)
        for oldest in self._pages[:-MAX_PAGES]:
            self._forget(oldest)
        return SignOutTicket(page.id, value, binding)

    def page_of_ticket(self, provider: str, ticket: str) -> str | None:
        """Return the id of the page that ``ticket`` opens, and consume nothing."""
        page = self._of_ticket(provider, ticket)
        return None if page is None else page.id

    def page_of_state(self, provider: str, state: str) -> str | None:
        """Return the id of the page whose sign-out ``state`` ends, and consume nothing."""
        page = self._of_state(provider, state)
        return None if page is None else page.id

    def open(self, provider: str, ticket: str, bindings: Sequence[str], shown: Shown) -> Opened:
        """Consume ``ticket`` and return the content of its page; without the ID token if ``shown`` is ``unknown``.

        A wrong cookie consumes nothing, so that no other browser can spoil a sign-out. A right cookie in a request
        whose response a script of the same origin could read comes from such a script: it consumes the ticket, so that
        the script cannot try again.
        Raises :class:`StateInvalid`.
        """
        page = self._of_ticket(provider, ticket)
        if page is None or (page.binding_digest and not _any_of(page.binding_digest, bindings)):
            raise _refused("ticket")
        hint = page.id_token_hint if shown == "document" else None
        self._close(page)
        if shown == "elsewhere":
            raise _refused("script")
        binding = self._entropy.token(256)
        page.begun, page.return_digest = self._clock.now(), _digest(binding)
        return Opened(page.id, page.request, hint, binding)

    def came_back(self, provider: str, state: str, bindings: Sequence[str]) -> bool:
        """Return whether ``state`` ends a sign-out that began on a page in this browser; true once."""
        page = self._of_state(provider, state)
        if page is None or page.return_digest is None or not _any_of(page.return_digest, bindings):
            return False
        self._forget(page)
        return True

    def withdraw(self, provider: str) -> None:
        """Close every page of ``provider`` that was not opened, because of a new sign-in."""
        for page in self._pages:
            if page.provider == provider:
                self._close(page)

    def clear(self) -> None:
        """Drop all pages."""
        for page in list(self._pages):
            self._forget(page)

    def _of_ticket(self, provider: str, ticket: str) -> _Page | None:
        self._sweep()
        digest = _digest(ticket)
        return next((one for one in self._pages if one.provider == provider and _same(one.ticket_digest, digest)), None)

    def _of_state(self, provider: str, state: str) -> _Page | None:
        """Return the page that was opened and whose sign-out ``state`` ends."""
        self._sweep()
        digest = _digest(state)
        opened = (one for one in self._pages if one.provider == provider and one.return_digest is not None)
        return next((one for one in opened if _same(one.state_digest, digest)), None)

    def _close(self, page: _Page) -> None:
        """Make ``page`` impossible to open, and keep no token for it."""
        page.ticket_digest, page.id_token_hint = None, None
        if page.timer is not None:
            page.timer.cancel()
            page.timer = None

    def _forget(self, page: _Page) -> None:
        self._close(page)
        self._pages.remove(page)

    def _sweep(self) -> None:
        """Close pages older than a minute, drop those older than ten.

        A timer may be late after a sleep of the machine.
        """
        now = self._clock.now().monotonic
        for page in list(self._pages):
            age = now - page.begun.monotonic
            if page.ticket_digest is not None and age > SIGN_OUT_TICKET_SECONDS:
                self._close(page)
            if age > SIGN_OUT_RETURN_SECONDS:
                self._forget(page)


def _refused(check: str) -> StateInvalid:
    return StateInvalid(
        N_("This sign-out page was already used, or it is older than a minute."),
        action=N_("You are signed out in JupyterLab. To end the session at the provider too, sign out there."),
        detail=f"sign-out.{check}",
    )


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


def _same(one: bytes | None, other: bytes) -> bool:
    return one is not None and hmac.compare_digest(one, other)


def _any_of(digest: bytes, values: Sequence[str]) -> bool:
    return any(hmac.compare_digest(digest, _digest(value)) for value in values)
