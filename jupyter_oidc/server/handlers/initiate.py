"""The route at which a third party asks for a sign-in; it asks the user, and begins no sign-in by itself."""

from __future__ import annotations

from urllib.parse import urlencode, urlsplit

from jupyter_server.utils import url_path_join

from jupyter_oidc.errors import RequestInvalid
from jupyter_oidc.server.access_rule import allow, public_route
from jupyter_oidc.server.handler import fields_of
from jupyter_oidc.server.handlers.browser import LoginPageHandler
from jupyter_oidc.server.pages import Page
from jupyter_oidc.server.redirects import local_path
from jupyter_oidc.sessions.pending import SignInOptions


class InitiateLoginHandler(LoginPageHandler):
    """``providers/{p}/initiate-login``: for example, a tile in the provider's portal leads here."""

    @allow("user", action="write", from_other_sites=True)
    async def get(self, provider: str) -> None:
        """Ask the user whether to sign in; only a click begins an ordinary sign-in (I-5)."""
        session = self.services.sessions.of_provider(provider)
        asked = session.sign_ins.initiation(fields_of(self.request.query) or [])
        options = SignInOptions(next=local_path(asked.target, self.base_url), login_hint=asked.login_hint)
        # NOTE: counted apart, so that another site's requests cannot displace a sign-in that the user began.
        ticket = session.sign_ins.offer(f"initiated:{self.caller_name}", options, self.browser)
        start = [("Sign in", url_path_join(self.base_url, "jupyter-oidc", "start", ticket))] if ticket else []
        self.show(
            Page(
                f"Sign in at {provider}?",
                (
                    "Another page asks you to sign in here.",
                    f"You would be sent to {urlsplit(session.settings.issuer).netloc}.",
                    "Go on only if you expected this.",
                ),
                "\N{BLACK QUESTION MARK ORNAMENT}",
                links=(*start, ("Back to JupyterLab", self.base_url)),
            )
        )

    @public_route(protection="has no effect: it turns a form into the address that GET judges, for Jupyter's user only")
    async def post(self, provider: str) -> None:
        """Redirect the form's parameters to GET, with which the browser sends Jupyter's cookie (I-1)."""
        self.services.sessions.of_provider(provider)
        fields = self.form()
        if not fields:
            raise RequestInvalid("The request to sign in is no form, or an empty one.", detail="initiate.form")
        self.set_status(303)
        self.set_header("Location", f"{self.request.path}?{urlencode(fields)}")
        self.set_header("Cache-Control", "no-store")
        self.set_header("Referrer-Policy", "no-referrer")
        self.finish()
