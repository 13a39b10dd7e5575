"""The table of routes: every path that a front serves below ``jupyter-oidc``, with the function of each verb.

The proxy and what belongs to one front alone are not in it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Final, Literal
from urllib.parse import unquote

from jupyter_oidc.language import Sentence, sentence
from jupyter_oidc.web.access_rule import AccessRule, access_rule_of
from jupyter_oidc.web.reply import Reply
from jupyter_oidc.web.routes.apis import show_apis, show_example, show_operations
from jupyter_oidc.web.routes.backchannel_logout import end_session_by_provider
from jupyter_oidc.web.routes.callback import take_answer_of_form, take_answer_of_query
from jupyter_oidc.web.routes.diagnostics import show_diagnostics
from jupyter_oidc.web.routes.grants import make_grant, renew_leases, revoke_grant, show_grants
from jupyter_oidc.web.routes.initiate_login import offer_sign_in, turn_form_into_address
from jupyter_oidc.web.routes.person import ask_person, take_persons_answer
from jupyter_oidc.web.routes.session import refresh_session, show_providers, show_session, sign_out
from jupyter_oidc.web.routes.sign_in import (
    begin_sign_in,
    cancel_sign_in,
    cancel_sign_ins,
    complete_sign_in,
    watch_sign_in,
)
from jupyter_oidc.web.routes.sign_out_pages import show_sign_out_page, show_signed_out
from jupyter_oidc.web.routes.start import start_sign_in

_PLACEHOLDER: Final = re.compile(r"{\w+}")

Method = Literal["GET", "POST", "DELETE"]
RouteFunction = Callable[..., Coroutine[Any, Any, Reply]]
"""Takes a :class:`~jupyter_oidc.web.front.Call` and the arguments in the path, as texts; raises a ``Problem``."""

Problems = Literal["json", "page", "page to a browser"]
"""How a front shows a problem: as JSON, as a page, or as a page to a client that reads pages and as JSON to others.

With the last one a browser without a login is sent to the login page.
"""


@dataclass(frozen=True, slots=True)
class Route:
    """One path; ``{name}`` stands for one segment, which the functions get as an argument.

    ``name`` is for the log. ``failure`` is the title of a problem's page.
    Only a route that ``tracks_activity`` keeps an idle server alive: pages poll the others.
    """

    name: str
    path: str
    verbs: tuple[tuple[Method, RouteFunction], ...]
    problems: Problems = "json"
    failure: Sentence | None = None
    tracks_activity: bool = True

    @property
    def pattern(self) -> str:
        """The path as a regular expression, with a group for each argument in it."""
        return _PLACEHOLDER.sub("([^/]+)", self.path)

    @property
    def is_page(self) -> bool:
        """Whether browsers come here as to a page."""
        return self.problems != "json"

    def shows_page(self, accept: str) -> bool:
        """Return whether a problem is a page for a client whose ``Accept`` says ``accept``."""
        return self.problems == "page" or (self.problems != "json" and "text/html" in accept)

    def rule_of(self, method: str) -> AccessRule | None:
        """Return the access rule of the verb ``method``, or ``None`` if the route has no such verb."""
        return next((access_rule_of(function) for verb, function in self.verbs if verb == method), None)


_PROVIDER: Final = "jupyter-oidc/providers/{provider}"

TABLE: Final = (
    Route("Providers", "jupyter-oidc/providers", (("GET", show_providers),), tracks_activity=False),
    Route("Session", f"{_PROVIDER}/session", (("GET", show_session),), tracks_activity=False),
    Route("SignIn", f"{_PROVIDER}/sign-in", (("POST", begin_sign_in), ("DELETE", cancel_sign_ins))),
    Route(
        "SignInProgress",
        f"{_PROVIDER}/sign-in/{{flow}}",
        (("GET", watch_sign_in), ("DELETE", cancel_sign_in)),
        tracks_activity=False,
    ),
    Route("Complete", f"{_PROVIDER}/sign-in/{{flow}}/complete", (("POST", complete_sign_in),)),
    Route("Start", "jupyter-oidc/start/{ticket}", (("GET", start_sign_in),), problems="page"),
    Route(
        "Callback",
        f"{_PROVIDER}/callback",
        (("GET", take_answer_of_query), ("POST", take_answer_of_form)),
        problems="page",
    ),
    Route(
        "Person",
        f"{_PROVIDER}/callback/person",
        (("GET", ask_person), ("POST", take_persons_answer)),
        problems="page to a browser",
    ),
    Route("Refresh", f"{_PROVIDER}/refresh", (("POST", refresh_session),)),
    Route("SignOut", f"{_PROVIDER}/sign-out", (("POST", sign_out),)),
    Route(
        "SignOutPage",
        f"{_PROVIDER}/sign-out/{{ticket}}",
        (("GET", show_sign_out_page),),
        problems="page to a browser",
        failure=sentence("Sign-out did not work"),
    ),
    Route("SignedOut", f"{_PROVIDER}/signed-out", (("GET", show_signed_out),), problems="page"),
    Route(
        "InitiateLogin",
        f"{_PROVIDER}/initiate-login",
        (("GET", offer_sign_in), ("POST", turn_form_into_address)),
        problems="page to a browser",
    ),
    Route("BackchannelLogout", f"{_PROVIDER}/backchannel-logout", (("POST", end_session_by_provider),)),
    Route("Grants", "jupyter-oidc/grants", (("POST", make_grant), ("GET", show_grants)), tracks_activity=False),
    Route("Grant", "jupyter-oidc/grants/{grant}", (("DELETE", revoke_grant),)),
    Route("GrantLeases", "jupyter-oidc/grant-leases", (("POST", renew_leases),), tracks_activity=False),
    Route("Diagnostics", "jupyter-oidc/diagnostics", (("GET", show_diagnostics),), tracks_activity=False),
    Route("Apis", "jupyter-oidc/apis", (("GET", show_apis),), tracks_activity=False),
    Route("Operations", "jupyter-oidc/apis/{api}/operations", (("GET", show_operations),), tracks_activity=False),
    Route("OperationExample", "jupyter-oidc/apis/{api}/operations/example", (("GET", show_example),)),
)
"""Every route, in the order of the reference."""

_PATTERNS: Final = tuple((re.compile(route.pattern), route) for route in TABLE)


def route_at(path: str) -> tuple[Route, tuple[str, ...]] | None:
    """Return the route at ``path``, which has no slash at its beginning, and the arguments in it; ``None`` if there is none."""
    for pattern, route in _PATTERNS:
        match = pattern.fullmatch(path)
        if match is not None:
            return route, tuple(unquote(argument) for argument in match.groups())
    return None
