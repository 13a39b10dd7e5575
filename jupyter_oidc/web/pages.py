"""Renders the HTML pages of this extension: the end of a sign-in, and the page after a sign-out.

The page that sends a browser to the provider's sign-out is in ``sign_out_page``.
They load and embed no resource and hold no personal data; the only script closes the window, or removes the query
from the address bar (R-10).
"""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

from jupyter_oidc.language import Sentence, language_here, sentence, tag_of, told
from jupyter_oidc.problems import Problem, SignInDeclined
from jupyter_oidc.web.reply import Reply, page_reply

if TYPE_CHECKING:
    from jupyter_oidc.web.front import Front

_STYLE = """
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; margin: 0; min-height: 100vh; display: grid; place-items: center;
  background: Canvas; color: CanvasText; }
main { max-width: 28rem; padding: 2rem; text-align: center; }
.mark { font-size: 2.5rem; line-height: 1; }
h1 { font-size: 1.35rem; margin: 0.75rem 0 0.5rem; }
p { margin: 0.5rem 0; }
.small { font-size: 0.8rem; opacity: 0.75; }
a.button, button { display: inline-block; margin: 0.75rem 0.25rem 0; padding: 0.5rem 1rem; border-radius: 4px;
  border: 1px solid currentColor; color: LinkText; text-decoration: none; }
button { font: inherit; cursor: pointer; background: none; }
a.button:focus-visible, button:focus-visible { outline: 3px solid Highlight; outline-offset: 2px; }
"""

_SCRIPT = """
history.replaceState(null, '', location.pathname);
if (document.body.dataset.close) { setTimeout(function () { window.close(); }, 1200); }
"""


_AS_TEXT = "\N{VARIATION SELECTOR-15}"
"""Keeps a mark in the colour of the text, where a browser would draw a picture."""


@dataclass(frozen=True, slots=True)
class Page:
    """One page: ``links`` are ``(text, local path)``, or the provider's address.

    ``closes`` makes the window close itself.
    ``form`` is a local path, and the buttons (``value``, text) of which one is posted there as ``answer``.
    """

    title: Sentence
    lines: tuple[Sentence, ...]
    mark: str
    links: tuple[tuple[Sentence, str], ...] = ()
    small: str = ""
    closes: bool = False
    form: tuple[str, tuple[tuple[str, Sentence], ...]] | None = None


def html_of(page: Page, nonce: str) -> str:
    """Return the document, in the language of the browser; everything is escaped."""
    paragraphs = "".join(f"<p>{escape(told(line))}</p>" for line in page.lines)
    links = "".join(f'<a class="button" href="{escape(path)}">{escape(told(text))}</a>' for text, path in page.links)
    if page.form is not None:
        action, buttons = page.form
        pressed = "".join(
            f'<button name="answer" value="{escape(value)}">{escape(told(text))}</button>' for value, text in buttons
        )
        links = f'<form method="post" action="{escape(action)}">{pressed}</form>{links}'
    small = f'<p class="small">{escape(page.small)}</p>' if page.small else ""
    return document_of(
        page.title,
        f'<div role="status">{paragraphs}</div>{links}{small}',
        mark=page.mark,
        nonce=nonce,
        script=_SCRIPT,
        closes=page.closes,
    )


def document_of(title: Sentence, body: str, *, mark: str, nonce: str, script: str, closes: bool = False) -> str:
    """Return the document around ``body`` and ``script``, neither of which is escaped."""
    shown = escape(told(title))
    close = ' data-close="yes"' if closes else ""
    return (
        f'<!doctype html><html lang="{tag_of(language_here())}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<title>{shown}</title><style nonce="{nonce}">{_STYLE}</style></head>'
        f'<body{close}><main role="main"><div class="mark" aria-hidden="true">{escape(mark)}{_AS_TEXT}</div>'
        f"<h1>{shown}</h1>{body}</main>"
        f'<script nonce="{nonce}">{script}</script></body></html>'
    )


def policy_of(nonce: str, *, form: bool = False) -> str:
    """Return the Content-Security-Policy of a page; a ``form`` may be sent to this server only."""
    target = "'self'" if form else "'none'"
    return (
        f"default-src 'none'; style-src 'nonce-{nonce}'; script-src 'nonce-{nonce}'; "
        f"base-uri 'none'; form-action {target}; frame-ancestors 'none'"
    )


def show(front: Front, page: Page, status: int = 200, *headers: tuple[str, str]) -> Reply:
    """Return the reply with ``page``: uncacheable, unframeable, and in a group of windows of its own."""
    nonce = front.nonce()
    policy = policy_of(nonce, form=page.form is not None)
    alone = ("Cross-Origin-Opener-Policy", "same-origin")
    return page_reply(html_of(page, nonce), policy, status, *headers, alone, posts_here=page.form is not None)


def show_problem(
    front: Front,
    problem: Problem,
    *,
    title: Sentence | None = None,
    again: str | None = None,
    onward: str | None = None,
) -> Reply:
    """Return the page with ``problem`` and the next action (E-1); ``title`` says what failed, and ``onward`` leads to the provider."""
    declined = isinstance(problem, SignInDeclined)
    links = [(sentence("Try again"), again)] if again else []
    links += [(sentence("Sign out at the provider"), onward)] if onward else []
    page = Page(
        title=sentence("Sign-in was declined") if declined else title or sentence("Sign-in did not work"),
        lines=(problem.message, problem.action),
        mark="\N{BALLOT X}" if declined else "\N{WARNING SIGN}",
        links=(*links, (sentence("Back to JupyterLab"), front.home)),
        small=f"{problem.code} · {front.request_id}",
    )
    return show(front, page, _status_of(problem), ("X-OIDC-Error", problem.code)).refusing(problem)


def _status_of(problem: Problem) -> int:
    """Return the status of a page: 502 or 503 for the provider, 408 for a slow body, mostly 400 for the rest (E-1).

    The browser brought an answer that names another issuer, so it may not be the provider's, and is no 502 (A7).
    """
    came_with_the_browser = problem.detail == "callback.iss"
    return problem.status if problem.status in (401, 403, 405, 408, 502, 503) and not came_with_the_browser else 400
