"""The cookies that bind a sign-in or a sign-out to one browser, and how its requests are searched for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from jupyter_oidc.sessions.lifetimes import SIGN_IN_LIFETIME_SECONDS
from jupyter_oidc.web.reply import Cookie
from jupyter_oidc.web.request import cookies_named

if TYPE_CHECKING:
    from jupyter_oidc.web.front import Front
    from jupyter_oidc.web.request import Request

_SIGN_IN_PREFIX: Final = "jupyter-oidc-flow-"
_SIGN_OUT_PREFIX: Final = "jupyter-oidc-sign-out-"


def sign_in_bindings(request: Request, flow: str | None) -> tuple[str, ...]:
    """Return the values of the browser's first eight cookies of the sign-in ``flow``; none without a flow.

    State leads to the flow and the flow to its one cookie, so cookies of other sign-ins do not count.
    """
    return () if flow is None else cookies_named(request, _SIGN_IN_PREFIX + flow)


def sign_in_cookie(flow: str, binding: str, redirect_uri: str, *, form_post: bool, path: str | None = None) -> Cookie:
    """Return the binding cookie for the path that the provider sends the browser back to (A-9, A-10).

    ``path`` is the last path on the way back, if a server in between redirects the browser.
    """
    return Cookie(
        _SIGN_IN_PREFIX + flow,
        binding,
        path=path or urlsplit(redirect_uri).path,
        lifetime=int(SIGN_IN_LIFETIME_SECONDS),
        secure=form_post or redirect_uri.startswith("https:"),
        same_site="None" if form_post else "Lax",
    )


def sign_out_bindings(request: Request, page: str | None) -> tuple[str, ...]:
    """Return the values of the browser's first eight cookies of the sign-out ``page``; none without a page."""
    return () if page is None else cookies_named(request, _SIGN_OUT_PREFIX + page)


def sign_out_cookie(front: Front, page: str, binding: str, path: str, seconds: float) -> Cookie:
    """Return the cookie that binds the sign-out ``page`` to this browser, for ``path`` and for some ``seconds``."""
    secure = front.protocol == "https"
    return Cookie(_SIGN_OUT_PREFIX + page, binding, path=path, lifetime=int(seconds), secure=secure)
