"""A visitor without a screen: walks through a sign-in as a browser does, one request after the other.

It keeps cookies, follows redirects, and presses a button of the form that the provider shows. It runs no script and skips no
step: it sends the same requests as a user's browser.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import TYPE_CHECKING
from urllib.parse import urljoin

import httpx

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence


@dataclass(frozen=True, slots=True)
class Form:
    """A form of a page: its address, its method, the values that are already in it, and its buttons' names and values."""

    action: str
    method: str
    fields: Mapping[str, str]
    buttons: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True, slots=True)
class Landing:
    """The last page of a sign-in, and the text of the first one, on which a person is chosen."""

    url: str
    status: int
    page: str
    first_page: str


class _Forms(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self._fields: dict[str, str] = {}
        self._buttons: list[tuple[str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._fields, self._buttons = {}, []
            method = given.get("method", "get").upper()
            self.forms.append(Form(given.get("action", ""), method, self._fields, self._buttons))
        elif tag == "input" and given.get("name"):
            self._fields[given["name"]] = given.get("value", "")
        elif tag == "button" and given.get("name"):
            self._buttons.append((given["name"], given.get("value", "")))


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

    async def open(self, url: str) -> None:
        """Open a page, as a user does who is in JupyterLab before the sign-in begins."""
        await self._walk("GET", url)

    async def sign_in(self, start_url: str, *buttons: tuple[str, str]) -> Landing:
        """Open ``start_url``, press the ``buttons`` (name, value), one on each page, and return the page at the end."""
        asked = page = await self._walk("GET", start_url)
        for button in buttons:
            form = next((form for form in forms_of(page.text) if button in form.buttons), None)
            if form is None:
                break
            filled = {**form.fields, **dict([button])}
            page = await self._walk(form.method, urljoin(str(page.url), form.action), filled)
        return Landing(str(page.url), page.status_code, page.text, asked.text)

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
