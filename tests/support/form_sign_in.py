"""A browser without a screen: it keeps cookies, follows redirects and fills in the provider's own forms.

It runs no script and draws nothing. NOTE: it is made of ``http.client``, which writes no log, since a real browser's
address bar, where codes pass by, is no log record of this process either.
"""

from __future__ import annotations

import http.client
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.cookiejar import CookieJar
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit
from urllib.request import Request

import httpx

from tests.support.canary import CANARY
from tests.support.form import Form, forms_of, links_of

if TYPE_CHECKING:
    import ssl

Watch = Callable[[httpx.Response], None]

_LONGEST_WALK = 30
"""Redirects and forms until a sign-in counts as a loop."""

_SIGN_OUT_PAGE = re.compile(r"/jupyter-oidc/providers/[^/]+/sign-out/[^/]+\Z")
"""The one page of ours that may hold a token: the ID token that its form posts to the provider (ADR 39)."""

_HINT = re.compile(rb'(name="id_token_hint" value=")[^"]*(")')
_DISTANCES = ("none", "same-origin", "same-site", "cross-site")


@dataclass
class FormBrowser:
    """One browser profile. ``watch`` is shown every reply that is not the ``provider``'s own.

    Replies are ``httpx.Response`` values, read to their end. A ``stop_at`` is the beginning of a URL: the redirect
    to it is returned instead of followed, so that no server needs to listen there. With a ``tunnel`` (a loopback port)
    https goes through the proxy there.
    """

    provider: str = ""
    watch: Watch = field(default=CANARY.look_at_reply, repr=False)
    tls: ssl.SSLContext | None = None
    tunnel: int = 0
    cookies: CookieJar = field(default_factory=CookieJar, repr=False)

    def open(self, url: str, *, stop_at: str = "") -> httpx.Response:
        """Go to ``url`` as if it had been typed, and follow redirects."""
        return self._walk("GET", url, b"", "", stop_at)

    def submit(
        self, page: httpx.Response, values: Mapping[str, str], *, press: str = "", stop_at: str = ""
    ) -> httpx.Response:
        """Fill ``values`` into the first form of ``page``, ``press`` the button of that name, and go where it leads."""
        here = str(page.url)
        form = forms_of(page.text)[0]
        filled = {**form.values(press), **values}
        target = urljoin(here, form.action) if form.action else here
        if form.method == "get":
            return self._walk("GET", f"{target.partition('?')[0]}?{urlencode(filled)}", b"", here, stop_at)
        return self._walk("POST", target, urlencode(filled).encode(), here, stop_at)

    def sign_in(
        self, start_url: str, login: str, password: str, *, stop_at: str = "", decline: bool = False
    ) -> httpx.Response:
        """Sign in: fill in the login form, agree on the consent page, and return the first reply after the provider's.

        Login and password may be asked for on one page or on two. With ``decline`` the person logs in and presses *Cancel* on the
        consent page. A login form that comes back is returned, since the provider did not accept it.
        """
        page = self.open(start_url, stop_at=stop_at)
        provider = _origin(str(page.url))
        filled: list[list[str]] = []
        for _ in range(_LONGEST_WALK):
            forms = () if page.is_redirect or _origin(str(page.url)) != provider else forms_of(page.text)
            if not forms:
                return page
            asked = forms[0].asked(login, password)
            if asked:
                if list(asked) in filled:
                    return page
                filled.append(list(asked))
                page = self.submit(page, asked, stop_at=stop_at)
            elif decline:
                leave = next(link for link in links_of(page.text) if link.endswith("/abort"))
                return self._walk("GET", urljoin(str(page.url), leave), b"", str(page.url), stop_at)
            else:
                page = self.submit(page, {}, press=forms[0].first_button(), stop_at=stop_at)
        raise AssertionError(f"The sign-in did not end after {_LONGEST_WALK} pages.")

    def sign_out(self, end_session_url: str, *, stop_at: str = "") -> httpx.Response:
        """Go out by our page, if the address is one, and answer the provider's question whether to sign out with yes."""
        page = self.open(end_session_url, stop_at=stop_at)
        if _SIGN_OUT_PAGE.search(page.url.path):
            page = self.submit(page, {}, stop_at=stop_at)
        while not page.is_redirect and forms_of(page.text):
            page = self.submit(page, {}, press="logout", stop_at=stop_at)
        return page

    def _walk(self, method: str, url: str, body: bytes, came_from: str, stop_at: str) -> httpx.Response:
        """Send one request and follow where it leads, as a top-level navigation that started at ``came_from``."""
        distance = 0
        for _ in range(_LONGEST_WALK):
            distance = max(distance, _distance(came_from, url))
            reply = self._send(method, url, body, came_from, _DISTANCES[distance])
            if not reply.is_redirect or "location" not in reply.headers:
                return reply
            following = urljoin(url, reply.headers["location"])
            if stop_at and following.startswith(stop_at):
                return reply
            if reply.status_code not in (307, 308):
                method, body = "GET", b""
            url = following
        raise AssertionError(f"A redirect did not end after {_LONGEST_WALK} steps.")

    def _send(self, method: str, url: str, body: bytes, came_from: str, site: str) -> httpx.Response:
        headers = {"Accept": "text/html", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
        headers["Sec-Fetch-Site"] = site
        if method == "POST":
            headers["Content-Type"] = "application/x-www-form-urlencoded"
            headers["Origin"] = _origin(came_from)
        request = Request(url, headers=headers, method=method)
        self.cookies.add_cookie_header(request)
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
        if parts.scheme != "https":
            connection = http.client.HTTPConnection(host, port, timeout=30)
        elif self.tunnel:
            connection = http.client.HTTPSConnection("127.0.0.1", self.tunnel, timeout=30, context=self.tls)
            connection.set_tunnel(host, port or 443)
        else:
            connection = http.client.HTTPSConnection(host, port, timeout=30, context=self.tls)
        try:
            connection.request(method, request.selector.partition("#")[0], body or None, dict(request.header_items()))
            answer = connection.getresponse()
            content = answer.read()
        finally:
            connection.close()
        self.cookies.extract_cookies(answer, request)
        reply = httpx.Response(
            answer.status, headers=answer.getheaders(), content=content, request=httpx.Request(method, url)
        )
        if not self.provider or _origin(url) != _origin(self.provider):
            self.watch(without_hint(reply))
        return reply


def without_hint(reply: httpx.Response) -> httpx.Response:
    """Return ``reply`` for the canary: without the ID token that the form of a sign-out page may hold.

    The canary looks at the rest of that page, and for the ID token everywhere but in that field.
    """
    if not _SIGN_OUT_PAGE.search(reply.url.path):
        return reply
    content = _HINT.sub(rb"\1\2", reply.content, count=1)
    return httpx.Response(reply.status_code, headers=reply.headers, content=content, request=reply.request)


def sign_in_by_form(
    start_url: str, login: str, password: str, *, browser: FormBrowser | None = None, stop_at: str = ""
) -> httpx.Response:
    """Sign in with a fresh profile unless there is a ``browser``; see :meth:`FormBrowser.sign_in`."""
    return (browser or FormBrowser()).sign_in(start_url, login, password, stop_at=stop_at)


def parameters_of(redirect: httpx.Response) -> dict[str, str]:
    """Return the query of the URL that ``redirect`` leads to: a code and a state, or an error."""
    return dict(parse_qsl(urlsplit(redirect.headers["location"]).query))


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _distance(came_from: str, url: str) -> int:
    """Return how far apart a browser takes two pages to be: an index into ``_DISTANCES``."""
    if not came_from:
        return 0
    if _origin(came_from) == _origin(url):
        return 1
    here, there = urlsplit(came_from), urlsplit(url)
    return 2 if (here.scheme, here.hostname) == (there.scheme, there.hostname) else 3


__all__ = ["Form", "FormBrowser", "parameters_of", "sign_in_by_form"]
