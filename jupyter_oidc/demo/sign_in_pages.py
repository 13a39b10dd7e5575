"""Dresses the pages of the demo's provider: two people to choose from, no password, nothing loaded from elsewhere.

Only the templates are replaced, by the way that Flask provides; what a request means, and whether it is right, is decided
by nanoidp alone. Two answers are translated after nanoidp has given them: a login page for ``prompt=none`` becomes the
error that OpenID Connect Core 1.0, 3.1.2.1 asks for, and a refusal is shown to a browser as a page.
"""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode, urlsplit

from jupyter_oidc.demo.personas import PERSONAS

if TYPE_CHECKING:
    from collections.abc import Iterable

_TEMPLATES: Final = Path(__file__).with_name("templates")
_AUTHORIZE: Final = "oauth.authorize"


def dress(app: Any, redirect_uris: Iterable[str]) -> None:
    """Give nanoidp's ``app`` the demo's pages; their forms may lead to it and to the ``redirect_uris``."""
    from flask import g, redirect, render_template, request
    from jinja2 import ChoiceLoader, FileSystemLoader

    policy = _policy_around(redirect_uris)
    app.jinja_loader = ChoiceLoader([FileSystemLoader(_TEMPLATES), app.jinja_loader])
    app.jinja_env.globals["personas"] = {one.username: one for one in PERSONAS}

    def begin() -> None:
        g.style_nonce = secrets.token_urlsafe(16)

    def finish(reply: Any) -> Any:
        if request.endpoint == _AUTHORIZE and reply.status_code == 200:
            refusal = silent_refusal(request.args)
            if refusal is not None:
                reply = redirect(refusal)
        elif request.endpoint == _AUTHORIZE and reply.is_json and request.accept_mimetypes.accept_html:
            description = str(reply.get_json().get("error_description", "")).rstrip(".")
            reply.set_data(render_template("demo_refusal.html", description=description))
            reply.mimetype = "text/html"
        if reply.mimetype == "text/html":
            reply.headers["Content-Security-Policy"] = policy.format(nonce=g.style_nonce)
            reply.headers["Cache-Control"] = "no-store"
            reply.headers["Referrer-Policy"] = "no-referrer"
            reply.headers["X-Content-Type-Options"] = "nosniff"
        return reply

    app.before_request(begin)
    app.after_request(finish)


def silent_refusal(asked: Any) -> str | None:
    """Return where the browser goes instead of the login page, if the request ``asked`` for no page (``prompt=none``).

    Call it only for a request that the provider has accepted: the redirect URI is trusted. The provider keeps no session
    of its own, so it always has to ask who is there.
    """
    prompts = asked.get("prompt", "").split()
    if "none" not in prompts:
        return None
    error = "login_required" if prompts == ["none"] else "invalid_request"
    told = {"error": error, **({"state": asked["state"]} if "state" in asked else {})}
    target = str(asked["redirect_uri"])
    return f"{target}{'&' if '?' in target else '?'}{urlencode(told)}"


def _policy_around(redirect_uris: Iterable[str]) -> str:
    """Return the Content-Security-Policy; a browser compares where a form leads with it after redirects as well."""
    origins = sorted({f"{parts.scheme}://{parts.netloc}" for parts in map(urlsplit, redirect_uris)})
    targets = " ".join(["'self'", *origins])
    return (
        "default-src 'none'; style-src 'nonce-{nonce}'; img-src data:; "
        f"base-uri 'none'; form-action {targets}; frame-ancestors 'none'"
    )
