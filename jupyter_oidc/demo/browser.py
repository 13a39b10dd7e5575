"""A visitor without a screen: walks through a sign-in as a browser does, one request after the other.

It keeps cookies, follows redirects, and fills in the form that the provider shows. It runs no script and skips no
step: it sends the same requests as a user's browser.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import TYPE_CHECKING
from urllib.parse import urljoin

import httpx

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


@dataclass(frozen=True, slots=True)
class Form:
    """A form of a page: its address, its method, and the values that are already in it."""

    action: str
    method: str
    fields: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Landing:
    """The last page of a sign-in, and whether a real form was filled in on the way."""

    url: str
    status: int
    page: str
    form_page: str


class _Forms(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self._fields: dict[str, str] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._fields = {}
            self.forms.append(Form(given.get("action", ""), given.get("method", "get").upper(), self._fields))
        elif tag == "input" and given.get("name"):
            self._fields[given["name"]] = given.get("value", "")


def forms_of(page: str) -> list[Form]:
    """Return the forms of ``page`` in their order."""
    parser = _Forms()
    parser.feed(page)
    return parser.forms


@dataclass(slots=True)
class Visitor:
    """One visitor with a cookie jar; ``saw`` receives every reply."""

    saw: Callable[[httpx.Response], None]
    client: httpx.AsyncClient = field(default_factory=lambda: httpx.AsyncClient(trust_env=False, timeout=20))

    async def sign_in(self, start_url: str, username: str, password: str) -> Landing:
        """Open ``start_url``, fill in the login form, and return the page at the end."""
        asked = await self._walk("GET", start_url)
        form = next((form for form in forms_of(asked.text) if "password" in form.fields), None)
        if form is None:
            return Landing(str(asked.url), asked.status_code, asked.text, "")
        filled = {**form.fields, "username": username, "password": password}
        ended = await self._walk(form.method, urljoin(str(asked.url), form.action), filled)
        return Landing(str(ended.url), ended.status_code, ended.text, asked.text)

    async def _walk(self, method: str, url: str, filled: Mapping[str, str] | None = None) -> httpx.Response:
        reply = await self.client.request(method, url, data=filled)
        self.saw(reply)
        for _ in range(10):
            if not reply.is_redirect:
                break
            reply = await self.client.get(urljoin(str(reply.url), reply.headers["Location"]))
            self.saw(reply)
        return reply

    async def aclose(self) -> None:
        """Close the connections."""
        await self.client.aclose()
