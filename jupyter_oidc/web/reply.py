"""The reply of a route, as a value that any front can write.

Every reply is uncacheable: each tells of one person's session or sign-in.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final, Literal

from jupyter_oidc.language import in_language, language_here, tag_of

if TYPE_CHECKING:
    from jupyter_oidc.problems import Problem

JSON: Final = "application/json"
PROBLEM_JSON: Final = "application/problem+json"
"""The media type of an error (RFC 9457, 3)."""

HTML: Final = "text/html; charset=UTF-8"


@dataclass(frozen=True, slots=True)
class Cookie:
    """A cookie to set, never readable by scripts; ``lifetime`` is in whole seconds."""

    name: str
    value: str = field(repr=False)
    path: str
    lifetime: int
    secure: bool
    same_site: Literal["Lax", "None"] = "Lax"

    @property
    def attributes(self) -> dict[str, Any]:
        """The attributes, by the names that frameworks have for them."""
        return {
            "path": self.path,
            "max_age": self.lifetime,
            "httponly": True,
            "secure": self.secure,
            "samesite": self.same_site,
        }


@dataclass(frozen=True, slots=True)
class Refusal:
    """The problem that a reply shows, for the log, and the sign-in that it ended; ``is_audited``: the trail has it."""

    problem: Problem
    flow: str = ""
    is_audited: bool = False


@dataclass(frozen=True, slots=True)
class Reply:
    """One reply; ``headers`` are in order, and each replaces a header that the front sets by itself.

    ``drops`` names headers that the front must not add. ``refusal`` is for the log.
    ``reason`` is the phrase behind the status, for clients that show nothing else; ``None`` is the usual one.
    """

    status: int
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    body: bytes = field(default=b"", repr=False)
    media_type: str = JSON
    reason: str | None = None
    cookies: tuple[Cookie, ...] = ()
    drops: tuple[str, ...] = ()
    refusal: Refusal | None = None

    def header(self, name: str) -> str | None:
        """Return the value of the header ``name``, or ``None``."""
        return next((value for given, value in self.headers if given.lower() == name.lower()), None)

    def with_headers(self, *lines: tuple[str, str]) -> Reply:
        """Return this reply with more headers."""
        return replace(self, headers=(*self.headers, *lines))

    def with_cookies(self, *cookies: Cookie) -> Reply:
        """Return this reply with more cookies."""
        return replace(self, cookies=(*self.cookies, *cookies))

    def refusing(self, problem: Problem, flow: str = "", *, is_audited: bool = False) -> Reply:
        """Return this reply with ``problem`` for the log."""
        return replace(self, refusal=Refusal(problem, flow, is_audited))


_UNCACHEABLE: Final = ("Cache-Control", "no-store")
_NO_REFERRER: Final = ("Referrer-Policy", "no-referrer")


def content_language() -> tuple[str, str]:
    """Return the header that names the language of a reply (RFC 9110, 8.5)."""
    return "Content-Language", tag_of(language_here())


def problem_reply(body: dict[str, Any], status: int, media_type: str, *headers: tuple[str, str]) -> Reply:
    """Return the problem details ``body`` as one line, which a terminal shows as it is."""
    text = json.dumps(body, allow_nan=False, ensure_ascii=False) + "\n"
    return Reply(status, (*headers, _UNCACHEABLE), text.encode(), media_type)


def json_reply(view: dict[str, Any], status: int = 200, *headers: tuple[str, str]) -> Reply:
    """Return ``view`` as JSON, with its sentences in the language of the caller."""
    return Reply(status, (*headers, _UNCACHEABLE), json.dumps(in_language(view), allow_nan=False).encode())


def empty_reply(status: int, *headers: tuple[str, str]) -> Reply:
    """Return a reply without a body."""
    return Reply(status, (*headers, _UNCACHEABLE))


def redirect(url: str, status: Literal[302, 303] = 302) -> Reply:
    """Return a redirect of the browser to ``url``; 303 makes it a GET, and leaves this address out of its history."""
    return Reply(status, (("Location", url), _UNCACHEABLE, _NO_REFERRER))


def page_reply(
    document: str, policy: str, status: int = 200, *headers: tuple[str, str], posts_here: bool = False
) -> Reply:
    """Return the HTML ``document`` under the Content-Security-Policy ``policy``, with no referrer to other sites.

    A page that ``posts_here`` sends one to this server: without any, browsers post a form with ``Origin: null``
    (Fetch, 4.6), which Jupyter refuses as another site's.
    """
    lines = (
        content_language(),
        _UNCACHEABLE,
        ("Referrer-Policy", "same-origin") if posts_here else _NO_REFERRER,
        ("X-Content-Type-Options", "nosniff"),
        ("Content-Security-Policy", policy),
    )
    return Reply(status, (*headers, *lines), document.encode(), HTML)
