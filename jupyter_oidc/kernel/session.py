"""The functions for notebooks: ``session``, ``sessions``, ``sign_in``, ``sign_out``.

``api``, ``apis``, ``async_api``, ``auth``, ``endpoint``.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from typing_extensions import assert_never

from jupyter_oidc.kernel.catalogue import api_listing
from jupyter_oidc.kernel.display import (
    Notice,
    code_html,
    done_html,
    ended_html,
    link_html,
    session_text,
    signed_out_html,
)
from jupyter_oidc.kernel.errors import OIDCError, SignInCancelled, UnknownFlow, of_reply
from jupyter_oidc.kernel.listing import Column, Listing
from jupyter_oidc.kernel.messages import is_signed_in, session_message, unknown_word_message
from jupyter_oidc.kernel.paste import ask_in_cell, paste
from jupyter_oidc.kernel.plain_text import plain
from jupyter_oidc.kernel.server_connection import is_waiting, server_connection
from jupyter_oidc.kernel.session_card import SESSION_TYPE, CancelButton, dated_html, moment_text, now, session_data
from jupyter_oidc.kernel.sign_in_step import EnterCode, OpenLink, PasteAddress, is_path, step_of
from jupyter_oidc.language import N_, _, told

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from jupyter_oidc.kernel.auth import ApiAuth
    from jupyter_oidc.kernel.catalogue import Api
    from jupyter_oidc.kernel.server_connection import ServerConnection
    from jupyter_oidc.kernel.sign_in_step import SignInStep
    from jupyter_oidc.kernel.transport import AsyncOIDCClient, OIDCClient


@dataclass(frozen=True, slots=True)
class User:
    """The signed-in person, as the provider's claims describe them."""

    sub: str
    name: str | None
    username: str | None
    email: str | None
    email_verified: bool
    picture: str | None


@dataclass(frozen=True, slots=True)
class ApiAccess:
    """Whether an API can be called, and whether the person holds the required entitlements; the API itself decides.

    ``readiness`` is ``ready``, or the obstacle: ``sign_in_needed``, ``expired``, ``renewal_delayed``, ``refused``,
    ``missing_entitlement`` or ``unreachable``. It is ``other`` if the server is newer and has another word for it, which
    is ``unknown_words["readiness"]``.
    """

    name: str
    readiness: str
    allowed: bool
    missing: list[str]
    unknown_words: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, repr=False)
class Session:
    """A session summary; times are UTC text, ``expires_in`` seconds. Holds no token.

    ``entitlements`` are limited in number, and ``entitlements_more`` counts the others; if ``entitlements_known`` is
    false, the provider did not list them.
    ``sharing`` is ``none``, or says whose kernels call APIs on a shared Jupyter server: ``own-kernels``,
    ``all-kernels``.
    ``sign_in_under_way`` says whether a sign-in waits for the person; a session may exist beside it.
    A word of a newer server that is not known here is ``other``, and ``unknown_words`` holds it by the name of its
    attribute: ``state``, ``storage`` or ``sharing``.
    """

    provider: str
    issuer: str
    state: str
    reason: str | None
    sequence: int
    user: User | None
    entitlements: list[str]
    entitlements_more: int
    entitlements_known: bool
    scopes: list[str]
    missing_scopes: list[str]
    settings_pending: bool
    sharing: str
    sign_in_under_way: bool
    signed_in_at: str | None
    access_expires_at: str | None
    expires_in: int | None
    refreshable: bool
    storage: str
    retry_at: str | None
    apis: list[ApiAccess]
    _summary: dict[str, Any] = field(compare=False)
    _read_at: datetime = field(compare=False, default_factory=now)
    unknown_words: dict[str, str] = field(default_factory=dict)

    @property
    def summary(self) -> dict[str, Any]:
        """The reply of the server that this was made from."""
        return self._summary

    def __repr__(self) -> str:
        return session_text(self._summary)

    def _repr_html_(self) -> str:
        return dated_html(self._summary, self._read_at)

    def _repr_mimebundle_(self, **_wishes: object) -> dict[str, Any]:
        """Return the data of a card that follows the session, beside the HTML and the text of the cell's own time."""
        return {SESSION_TYPE: session_data(self._summary)}


@dataclass(frozen=True, slots=True, repr=False)
class SignedOut:
    """The outcome of each step of a sign-out; ``end_session_url`` also ends the provider's own session.

    It may be a page of the Jupyter server that is good once and for a minute, and then it is a path, which the page
    that shows it completes; ``end_session_address`` is the whole address, if the server knows it.
    A word of a newer server that is not known here is ``other``, and ``unknown_words`` holds it.
    """

    local: str
    revoked: str
    end_session_url: str | None
    end_session_address: str | None = None
    unknown_words: dict[str, str] = field(default_factory=dict)

    def __repr__(self) -> str:
        link = self._link()
        if link is None:
            return plain(self._outcome_text())
        if link.startswith("/"):
            more = _(
                "To end the provider's own session within a minute, open this at the address of your JupyterLab, "
                "in its browser: {address}",
                address=link,
            )
        elif self._is_good_for_a_minute():
            more = _("To end the provider's own session within a minute, open {address}", address=link)
        else:
            more = _("To end the provider's own session, open {address}", address=link)
        return plain(f"{self._outcome_text()} {more}")

    def _repr_html_(self) -> str:
        return signed_out_html(self._outcome_text(), self._link(), soon=self._is_good_for_a_minute())

    def _link(self) -> str | None:
        return self.end_session_address or self.end_session_url

    def _is_good_for_a_minute(self) -> bool:
        """Return whether the page is the Jupyter server's own (a path), which is good for a minute."""
        return (self.end_session_url or "").startswith("/")

    def _outcome_text(self) -> str:
        known = _OUTCOMES.get(self.revoked)
        outcome = told(known) if known else unknown_word_message(self.unknown_words.get("revoked"))
        return _("Signed out here.") + " " + outcome


_OUTCOMES: Final = {
    "done": N_("The provider revoked the session."),
    "failed": N_("The provider could not be told yet; this is tried again in the background."),
    "not-supported": N_("The provider offers no revocation."),
    "nothing-to-revoke": N_("There was nothing to revoke."),
}
"""The sentence for each outcome of the revocation."""


class Endpoint(NamedTuple):
    """A base URL and headers for any HTTP library.

    Unpacks like a pair. The headers work only at this server's proxy.
    """

    base_url: str
    headers: dict[str, str]

    def __repr__(self) -> str:
        return f"Endpoint(base_url={self.base_url!r}, headers=<hidden>)"


def session(provider: str | None = None) -> Session:
    """Return the session summary; ``provider`` may be left out if there is only one, or a default in the settings.

    Raises a subclass of :class:`OIDCError` named after the error.
    """
    connection = server_connection()
    return _session(connection.session(connection.provider(provider)))


def sessions() -> Listing[Session]:
    """Return the session summaries of all providers, as a table; ``sessions()["corp"]`` is the one of that provider."""
    connection = server_connection()
    rows = [_session(connection.session(name)) for name in connection.provider_names()]
    return Listing(
        rows,
        [
            Column(_("Provider"), lambda one: one.provider),
            Column(_("State"), lambda one: session_message(one.summary).headline),
            Column(_("Person"), _person, shrinks=True),
            Column(_("Time"), lambda one: session_message(one.summary).lasts or "", shrinks=True),
            Column(_("Type"), _sign_in_call, kind="code"),
        ],
        name=lambda one: one.provider,
        what="provider",
        caption=_("Sessions of this Jupyter server"),
        empty=_("No provider is configured on this server. Ask your administrator to configure one."),
    )


def sign_in(
    provider: str | None = None,
    *,
    api: str | None = None,
    prompt: str | None = None,
    login_hint: str | None = None,
    ui_locales: str | Iterable[str] | None = None,
    acr_values: str | Iterable[str] | None = None,
    timeout: float = 300.0,
) -> Session:
    """Show a link, wait until the sign-in is finished in the browser, and return the session.

    Returns at once if a session is active and calls work, even if the provider cannot be reached now, unless ``api`` is
    named: that is the answer to ``StepUpRequired``, and requests the strength that the API demanded (RFC 9470, 4).
    With a ``prompt`` of ``"login"``, ``"consent"`` or ``"select_account"`` the sign-in always begins, and the provider
    asks for that; with ``"none"`` it asks for nothing, and the sign-in fails unless it knows the person already.
    It also begins for the ``login_hint`` of another person than the one who is signed in, and with ``acr_values``, of
    which the sign-in has to reach one; ``ui_locales`` are the languages of the provider's page. Both are a list, or text
    with spaces.
    Interrupting the kernel cancels the sign-in.
    Raises ``SignInTimeout`` after ``timeout`` seconds, ``SignInDeclined`` or another :class:`OIDCError`.
    """
    connection = server_connection()
    name = connection.provider(provider, api, call="sign_in")
    wishes = {
        "api": api,
        "prompt": prompt,
        "login_hint": login_hint,
        "ui_locales": _words(ui_locales),
        "acr_values": _words(acr_values),
    }
    if api is None and prompt in (None, "none") and not wishes["acr_values"]:
        summary = connection.session(name)
        if _calls_work(summary) and (login_hint is None or _is_person(summary, login_hint)):
            return _session(summary)
    started = connection.begin(name, **wishes)
    notice = Notice()
    try:
        progress = _follow(connection, started, notice, timeout)
    except (OIDCError, KeyboardInterrupt) as ending:
        cancelled = isinstance(ending, KeyboardInterrupt)
        notice.show(ended_html(_("The sign-in was cancelled.") if cancelled else str(ending)), "")
        raise
    if progress["state"] != "completed":
        problem = _sign_in_error(progress)
        notice.show(ended_html(problem.message), "")
        raise problem
    connection.expire_status()
    signed_in = connection.session(name)
    notice.show(done_html(signed_in, moment_text(now())), session_text(signed_in))
    return _session(signed_in)


def sign_out(provider: str | None = None) -> SignedOut:
    """Sign out here and at the provider, and return the result of each step."""
    connection = server_connection()
    name = connection.provider(provider, call="sign_out")
    connection.expire_status()
    return SignedOut(**connection.sign_out(name))


def apis() -> Listing[Api]:
    """Return the APIs that the Jupyter server opens, as a table; ``apis()["orders"]`` is the one of that name."""
    return api_listing(server_connection().apis())


def api(name: str, **options: Any) -> OIDCClient:
    """Return an ``httpx.Client`` whose relative paths go to the API ``name`` through the proxy.

    ``options`` are those of ``httpx.Client``, and ``patience``: the seconds that a call may wait in all (60) when
    the server or the API asks for that; 0 for never.
    All clients of a kernel share their connections, so a client may be made for each call.
    Errors of jupyter_oidc are raised; replies of the API with any status are returned.
    Raises ``UnknownApi`` with the names that exist, if the server lists no such API.
    """
    return _connection_for(name).api_client(name, **options)


def async_api(name: str, **options: Any) -> AsyncOIDCClient:
    """Return an ``httpx.AsyncClient`` whose relative paths go to the API ``name`` through the proxy."""
    return _connection_for(name).async_api_client(name, **options)


def auth(name: str) -> ApiAuth:
    """Return ``auth=`` for httpx or requests, which authenticates calls to the API ``name`` as long as the kernel runs.

    Its ``api_key`` and ``async_api_key`` are for SDKs that take a function instead of a key.
    """
    return _connection_for(name).api_auth(name)


def endpoint(name: str) -> Endpoint:
    """Return ``(base_url, headers)`` for any other library: an SDK, pandas, R, curl.

    The header holds this kernel's grant, good for at least three and at most fifteen minutes, and only on this
    server. The headers refresh it whenever they are read; a library that reads them once and keeps a copy needs a new
    endpoint for each batch of calls, or :func:`auth`.
    """
    connection = _connection_for(name)
    return Endpoint(connection.api_url(name), connection.headers())


def _connection_for(api_name: str) -> ServerConnection:
    connection = server_connection()
    connection.check_api(api_name)
    return connection


def _words(text: str | Iterable[str] | None) -> list[str] | None:
    """Return ``text`` as a list of words; ``None`` for none."""
    return (text.split() if isinstance(text, str) else list(text or ())) or None


def _is_person(summary: dict[str, Any], login_hint: str) -> bool:
    """Return whether ``login_hint`` is a name of the person who is signed in."""
    user = summary["user"] or {}
    names = [user.get(claim) for claim in ("email", "username", "sub")]
    return login_hint.casefold() in [name.casefold() for name in names if name]


def _person(one: Session) -> str:
    return (one.user.name or one.user.username or "") if one.user else ""


def _sign_in_call(one: Session) -> str:
    """Return the call that signs in, if no call of an API works before that."""
    return "" if _calls_work(one.summary) or one.state == "signing-in" else f'oidc.sign_in("{one.provider}")'


def _calls_work(summary: dict[str, Any]) -> bool:
    """Return whether a call would carry a token now; if not, a sign-in may help."""
    state, left = summary["state"], summary["expires_in"]
    signed_in = state == "active" or (is_signed_in(summary) and left != 0)
    return signed_in and all(api["readiness"] != "expired" for api in summary["apis"])


def _session(summary: dict[str, Any]) -> Session:
    parts = {key: value for key, value in summary.items() if key not in ("user", "apis")}
    user = User(**summary["user"]) if summary["user"] else None
    return Session(**parts, user=user, apis=[ApiAccess(**api) for api in summary["apis"]], _summary=summary)


def _invitation(provider: str, step: SignInStep) -> tuple[Callable[[float], str], str]:
    """Return a function from the seconds left to the invitation as HTML, and the same as text for a terminal."""
    match step:
        case OpenLink(address):
            text = _(_OPEN_PATH if is_path(address) else _OPEN, provider=provider, address=address)
            return partial(link_html, address, provider), text
        case PasteAddress(address):
            text = _(_PASTE_PATH if is_path(address) else _PASTE, provider=provider, address=address)
            return partial(link_html, address, provider, pasted=True), text
        case EnterCode(address, code, filled_in):
            text = _(_COMPARE_CODE if filled_in else _ENTER_CODE, provider=provider, address=address, code=plain(code))
            return partial(code_html, address, provider, code=code, filled_in=filled_in), text
        case _:
            assert_never(step)


_OPEN: Final = N_("To sign in at {provider}, open: {address}")
_OPEN_PATH: Final = N_(
    "To sign in at {provider}, open this at the address of your JupyterLab, in its browser: {address}"
)
_PASTE: Final = N_("To sign in at {provider}, open: {address}, then copy the address at which the browser ends")
_PASTE_PATH: Final = N_(
    "To sign in at {provider}, open this at the address of your JupyterLab, in its browser: {address}, "
    "then copy the address at which the browser ends"
)
_COMPARE_CODE: Final = N_("To sign in at {provider}, open: {address} and check that it shows the code {code}")
_ENTER_CODE: Final = N_("To sign in at {provider}, open: {address} and enter the code {code}")


def _follow(connection: ServerConnection, started: dict[str, Any], notice: Notice, timeout: float) -> dict[str, Any]:
    """Show the step of ``started``, and return the sign-in's last progress; an error and Ctrl-C cancel it."""
    finished = False
    try:
        step = step_of(started)
        html, text = _invitation(started["provider"], step)

        def show(left: float) -> None:
            notice.show(html(left), text)

        match step:
            case OpenLink() | EnterCode():
                with CancelButton(started["provider"]) as button:

                    def show_both(left: float) -> None:
                        show(left)
                        button.show()

                    progress = connection.await_sign_in(started, timeout, show_both)
            case PasteAddress():
                show(started["expires_in"])
                progress = paste(ask_in_cell, partial(connection.complete, started), notice.warn)
            case _:
                assert_never(step)
        finished = not is_waiting(progress)
        return progress
    finally:
        if not finished:
            # NOTE: a failed cancel must not hide the first error; the sign-in also ends by itself.
            with suppress(OIDCError):
                connection.cancel(started)


def _sign_in_error(progress: dict[str, Any]) -> OIDCError:
    if progress["error"]:
        return of_reply(progress["error"])
    if progress["state"] == "cancelled":
        return SignInCancelled(_("The sign-in was cancelled."), action=_("Run oidc.sign_in() when you are ready."))
    return UnknownFlow(_("The sign-in took too long."), action=_("Run oidc.sign_in() again."))
