"""Renders the page from which a browser signs out at the provider: a form that posts an ID token there (ADR 39).

It is the only page that holds a token, so no script of JupyterLab may read it, although both come from one origin: only
a browser that shows it as a document gets it, and its policy gives it another origin (``sandbox``), so that the opener
of the window cannot read it.
NOTE: no ``Cross-Origin-Opener-Policy``: it would not help if JupyterLab has the same one, and a browser may refuse to
show a page with both (HTML, "create navigation params by fetching").
"""

from __future__ import annotations

from dataclasses import replace
from html import escape
from typing import TYPE_CHECKING, Final

from jupyter_oidc.language import sentence, told
from jupyter_oidc.web.pages import document_of
from jupyter_oidc.web.reply import Reply, page_reply

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jupyter_oidc.sessions.api import Shown, SignOutForm

_SCRIPT: Final = """
var form = document.forms[0];
document.addEventListener('securitypolicyviolation', function (seen) {
  if (seen.effectiveDirective === 'form-action') { location.replace(form.dataset.onward); }
});
form.submit();
"""
"""Sends the form; if the provider redirects to a host that the policy does not name, follows the link instead."""

_FOR_SOMETHING_ELSE: Final = ("Sec-Purpose", "Purpose", "Service-Worker-Navigation-Preload")
"""Headers of a navigation whose answer is not shown directly: prefetch, prerender, or a service worker's preload."""


def shown_how(headers: Mapping[str, str]) -> Shown:
    """Return how the browser uses the requested page; scripts cannot write these headers (Fetch, 2.2.2)."""
    asked = headers.get("Sec-Fetch-Mode"), headers.get("Sec-Fetch-Dest")
    if any(name in headers for name in _FOR_SOMETHING_ELSE):
        return "elsewhere"
    if asked == (None, None):
        return "unknown"
    return "document" if asked == ("navigate", "document") else "elsewhere"


def show_form(form: SignOutForm, nonce: str) -> Reply:
    """Return the reply with the page."""
    # NOTE: a front may be told to send that header with every page.
    return replace(page_reply(_document(form, nonce), _policy(form, nonce)), drops=("Cross-Origin-Opener-Policy",))


def _document(form: SignOutForm, nonce: str) -> str:
    inputs = "".join(
        f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">' for name, value in form.fields
    )
    text = sentence("You are signed out in JupyterLab. The session at the provider is about to end as well.")
    return document_of(
        sentence("Signing out at the provider"),
        f'<div role="status"><p>{escape(told(text))}</p></div>'
        f'<form method="{form.method}" action="{escape(form.action)}" data-onward="{escape(form.link)}">{inputs}'
        f"<button>{escape(told(sentence('Sign out at the provider')))}</button></form>",
        mark="\N{HORIZONTAL ELLIPSIS}",
        nonce=nonce,
        script=_SCRIPT,
    )


def _policy(form: SignOutForm, nonce: str) -> str:
    """Return the page's Content-Security-Policy: an origin of its own, and a form to the provider's origins only."""
    return (
        f"default-src 'none'; style-src 'nonce-{nonce}'; script-src 'nonce-{nonce}'; base-uri 'none'; "
        f"form-action {' '.join(form.origins)}; frame-ancestors 'none'; sandbox allow-forms allow-scripts"
    )
