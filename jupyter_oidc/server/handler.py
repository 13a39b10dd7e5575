"""The base of every handler: authenticates the caller, checks the envelope and renders errors.

It authenticates and renders; it decides nothing about sessions or APIs.
"""

from __future__ import annotations

import asyncio
import json
import math
import os
import re
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl

from jupyter_core.utils import ensure_async
from jupyter_server.auth.identity import User
from jupyter_server.base.handlers import APIHandler
from jupyter_server.prometheus.log_functions import prometheus_log_method
from jupyter_server.utils import url_path_join
from tornado.web import HTTPError, stream_request_body

from jupyter_oidc import contract
from jupyter_oidc.adapters.telemetry.named_log import SERVER
from jupyter_oidc.compat.tornado import end_body_wait
from jupyter_oidc.contract import ContractBroken
from jupyter_oidc.contract.version import CONTRACT_HEADER, CONTRACT_VERSION
from jupyter_oidc.errors import (
    BodyTooLarge,
    ClientTooSlow,
    ConfigurationInvalid,
    CsrfFailed,
    Forbidden,
    GrantInvalid,
    Problem,
    RequestInvalid,
)
from jupyter_oidc.server.access_rule import RESOURCE, AccessRule, access_rule_of, public_route
from jupyter_oidc.server.browser_location import BrowserLocation
from jupyter_oidc.server.diagnostics_cache import DiagnosticsCache
from jupyter_oidc.server.kernel_grants import grant_in
from jupyter_oidc.server.kernel_peer import is_on_this_machine
from jupyter_oidc.server.kernel_streams import KernelStreams
from jupyter_oidc.server.loopback import LoopbackListeners
from jupyter_oidc.server.problems import defect_text, error_reply, problem_of
from jupyter_oidc.server.silent_sign_in import can_sign_in_silently, page_host
from jupyter_oidc.sessions.strategy import pins_callback
from jupyter_oidc.settings.redirect_uri import leads_through_hub

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable, Iterable
    from types import TracebackType

    from tornado.httputil import HTTPServerRequest

    from jupyter_oidc.clock import Clock
    from jupyter_oidc.compose import Services
    from jupyter_oidc.entropy import Entropy
    from jupyter_oidc.server.diagnostics_cache import MakeDiagnosticContext
    from jupyter_oidc.server.kernel_grants import KernelGrants
    from jupyter_oidc.server.sharing import Sharing, SharingMode
    from jupyter_oidc.sessions.service import SessionService
    from jupyter_oidc.sessions.strategy import Browser
    from jupyter_oidc.settings import Finding, Provider, Settings

MAX_BODY_BYTES: Final = 65_536
"""Bytes of a request body that are kept on any route; the proxy keeps none."""

MAX_DRAIN_SECONDS: Final = 10.0
"""Seconds that a refused caller has for the rest of its body: no more than an admitted one."""

BODY_TIMEOUT_SECONDS: Final = 10.0
"""Seconds for a body of 64 KiB at most that a verb waits for: a slow one would hold a connection for ever."""

MAX_NUMBER_DIGITS: Final = 18
"""Characters of one number in a body or parameter; with the point, the sign and the exponent."""

SIGN_OUT_COOKIE_PREFIX: Final = "jupyter-oidc-sign-out-"
MAX_COOKIES_OF_A_NAME: Final = 8
"""Cookies of one name that are tried: programs at other ports of this host can plant some, at other paths."""

EXPOSED_HEADERS: Final = f"{CONTRACT_HEADER}, X-OIDC-Error, X-OIDC-Request-Id, Retry-After"
"""The headers of ours that a page of another origin may read, where Jupyter's CORS policy admits that page."""

_RULES_OF_WHAT_IS_KNOWN: Final = ("additionalProperties", "enum", "anyOf")
"""Rules that the request of a newer client breaks: it is refused, since what it asks for must not be left out (ADR 48)."""

MAX_FIELDS: Final = 50
MAX_KNOWN_HOSTS: Final = 100
FORM_MEDIA_TYPE: Final = "application/x-www-form-urlencoded"
_LENGTH: Final = re.compile(r"[0-9]{1,18}\Z")
"""The form of a ``Content-Length``; before the body is read, tornado has not checked it."""


@dataclass(slots=True)
class Context:
    """The state that all handlers share.

    ``build_services`` makes the services when the first request needs them, and so does not delay a server's start;
    ``settings`` is ``None`` if ``findings`` keep them from existing; ``proxy_prefix`` is the path above the APIs.
    """

    build_services: Callable[[Settings], Services]
    settings: Settings | None
    findings: tuple[Finding, ...]
    grants: KernelGrants
    entropy: Entropy
    make_diagnostic_context: MakeDiagnosticContext
    clock: Clock
    proxy_prefix: str
    browser_location: BrowserLocation = field(default_factory=BrowserLocation)
    loopback_listeners: LoopbackListeners = field(default_factory=LoopbackListeners)
    kernel_streams: KernelStreams = field(default_factory=KernelStreams)
    allow_remote_kernels: bool = False
    under_hub: bool = False
    sharing: Sharing | None = None
    _services: Services | None = None
    _hosts: dict[str, bool] = field(default_factory=dict)
    _diagnostics_cache: DiagnosticsCache | None = None

    @property
    def diagnostics_cache(self) -> DiagnosticsCache:
        """The cached reports of ``diagnostics`` on the context of ``make_diagnostic_context``."""
        if self._diagnostics_cache is None:
            self._diagnostics_cache = DiagnosticsCache(self.make_diagnostic_context, self.clock)
        return self._diagnostics_cache

    @property
    def built_services(self) -> Services | None:
        """The services, if they were ever made."""
        return self._services

    def notify_sessions(self, kind: str) -> None:
        """Publish an event of ``kind`` for every session, because a property of this server has changed."""
        for session in self._services.sessions if self._services is not None else ():
            session.publish(kind)

    @property
    def sharing_mode(self) -> SharingMode:
        """The sharing mode: whether other users than the owner have used this server."""
        return "none" if self.sharing is None else self.sharing.mode

    @property
    def services(self) -> Services | None:
        """The services, made at the first call."""
        if self._services is None and self.settings is not None:
            self._services = self.build_services(self.settings)
        return self._services

    def public_url(self, provider: Provider | None = None) -> str | None:
        """Return the address at which a browser reaches this server, or ``None`` if it is unknown.

        A sign-in at ``provider`` that comes back here has to start at the host of its redirect URI.
        """
        every = (provider,) if provider is not None else self.settings.providers if self.settings else ()
        own_host = self.browser_location.has_own_host  # which a redirect URI at the Hub does not name
        pinned = next(
            (
                one.redirect_uri
                for one in every
                if pins_callback(one) and not (own_host and leads_through_hub(one.redirect_uri, one.name))
            ),
            None,
        )
        return self.browser_location.public_url(pinned)

    async def reload(self, settings: Settings) -> None:
        """Apply other ``settings``; sessions that they do not concern go on (D9).

        Services that were not built yet are made under the earlier settings, which decide about a stored session's
        access; if those had mistakes, every provider is a new one (ADR 30).
        """
        if self._services is None:
            self._services = self.build_services(self.settings or replace(settings, providers=()))
        self.settings, self.findings, self._diagnostics_cache = settings, (), None
        await self._services.reload(settings, self._install)

    def _install(self, services: Services) -> None:
        self._services = services

    def require_local_kernel(self, request: HTTPServerRequest) -> None:
        """Refuse a kernel on another machine, unless the settings allow it; raises ``GrantInvalid`` (Q8.12)."""
        if not self.allow_remote_kernels and not is_on_this_machine(request):
            raise GrantInvalid(
                "Kernel grants are for kernels on the Jupyter server's own machine.",
                action="If kernels of this server run elsewhere, ask your administrator to set "
                "c.JupyterOIDC.allow_remote_kernels = True.",
                detail="grant.address",
            )

    def allows_host(self, host: str, check: Callable[[], bool]) -> bool:
        """Return the result of Jupyter's ``check`` of ``host``, cached for the first hundred names."""
        known = self._hosts.get(host)
        if known is None:
            known = bool(check())
            if len(self._hosts) < MAX_KNOWN_HOSTS:
                self._hosts[host] = known
        return known

    def is_known_host(self, host: str) -> bool:
        """Return whether ``host`` has been allowed before."""
        return self._hosts.get(host, False)

    async def aclose(self) -> None:
        """Close the services, if they were ever made, and every listener."""
        await self.loopback_listeners.aclose()
        self.kernel_streams.close()
        if self._services is not None:
            await self._services.aclose()


class _NumberTooLong(Exception):
    """A number of a body with too many digits: arithmetic with it would fail, or take long."""


def _whole(digits: str) -> int:
    if len(digits) > MAX_NUMBER_DIGITS:
        raise _NumberTooLong
    return int(digits)


def _decimal(digits: str) -> float:
    number = float(digits) if len(digits) <= MAX_NUMBER_DIGITS else math.inf
    if not math.isfinite(number):
        raise _NumberTooLong
    return number


@lru_cache(maxsize=100)
def _kernel_user(kernel_id: str) -> User:
    """Return Jupyter's user object for a kernel."""
    return User(username=f"kernel-{kernel_id}")


def fields_of(text: str) -> list[tuple[str, str]] | None:
    """Return the fields of a form or query, in order, repeated ones included; ``None`` beyond 50 or if malformed."""
    try:
        return parse_qsl(text, keep_blank_values=True, max_num_fields=MAX_FIELDS, errors="strict")
    except ValueError:
        return None


def cookies_in(headers: Iterable[str], name: str) -> list[str]:
    """Return the values of the first eight cookies of that ``name`` in the ``Cookie`` headers.

    Other cookies are skipped, even malformed ones, because every program on this host, at any port, can set cookies
    here; ours need no quotes.
    """
    pairs = (pair.strip().partition("=") for header in headers for pair in header.split(";"))
    return [value for given, _, value in pairs if given == name][:MAX_COOKIES_OF_A_NAME]


@stream_request_body
class OidcHandler(APIHandler):
    """Base of all routes of the extension.

    Bodies arrive piece by piece, so that no caller fills the memory of this process on a route that reads a few lines.
    """

    max_drained_bytes = MAX_BODY_BYTES
    """Bytes of a body that a refusal waits for."""

    max_drain_seconds = MAX_DRAIN_SECONDS
    """Seconds for which a refusal waits for the body."""

    body_timeout_seconds = BODY_TIMEOUT_SECONDS
    """Seconds from the head of a request to the end of its body, for every caller."""

    def initialize(self, context: Context) -> None:
        """Store the context that the route table passes."""
        self.context = context
        self.kernel_id: str | None = None
        self._passed_rule: AccessRule | None = None
        self._deferred_refusal: Problem | HTTPError | None = None
        self._answered_problem: Problem | None = None
        self._answered_flow = ""
        self._is_audited = False
        self._drain_timer: asyncio.TimerHandle | None = None
        self._body = bytearray()
        self._body_is_too_large = False

    @property
    def log(self) -> logging.Logger:
        """The logger of our routes."""
        return SERVER

    @cached_property
    def request_id(self) -> str:
        """The id by which the log names an error."""
        return self.context.entropy.token(96)

    # -- the caller ----------------------------------------------------------------------------------------

    async def prepare(self) -> None:  # type: ignore[override]  # NOTE: as APIHandler does
        """Authenticate and admit the caller, or raise once a small body has arrived.

        A refusal before the end of the request closes the connection, and a client that is still sending then, or sends
        its next request on it, often never reads the answer. A large body, or one that the client holds back
        (``Expect``), is refused at once; the wait for a slow body ends after a time limit.
        """
        try:
            await self._authenticate()
        except (Problem, HTTPError) as refusal:
            if isinstance(refusal, BodyTooLarge) or not self._drains_body():
                raise
            self._deferred_refusal = refusal
            self._drain_timer = asyncio.get_running_loop().call_later(self.max_drain_seconds, self._end_drain)

        else:
            if self._body_is_awaited():
                self._drain_timer = asyncio.get_running_loop().call_later(
                    self.body_timeout_seconds, self._time_body_out
                )

    def _body_is_awaited(self) -> bool:
        """Return whether a verb waits for a whole body, which its caller could send too slowly."""
        headers = self.request.headers
        return "Transfer-Encoding" in headers or headers.get("Content-Length", "0") != "0"

    def _time_body_out(self) -> None:
        """Refuse a body that is not complete in time; the connection closes behind the answer."""
        end_body_wait(self.request, ClientTooSlow())

    def _drains_body(self) -> bool:
        headers, length = self.request.headers, self.declared_length
        small = length is not None and length <= self.max_drained_bytes and "Transfer-Encoding" not in headers
        return small and "Expect" not in headers and self._access_rule() is not None

    @property
    def declared_length(self) -> int | None:
        """The bytes of the body that the caller announces, 0 without a header; ``None`` if that is no number."""
        length = self.request.headers.get("Content-Length", "0")
        return int(length) if _LENGTH.match(length) else None

    def _end_drain(self) -> None:
        """Send the refusal before the end of the body; the connection closes behind it."""
        end_body_wait(self.request, None)

    def on_connection_close(self) -> None:
        """Stop waiting for a client that has gone."""
        super().on_connection_close()
        self._cancel_drain_timer()

    def on_finish(self) -> None:
        """Drop a refusal: its frames refer to this handler, and no cycle may stay behind (ADR 17)."""
        self._cancel_drain_timer()
        self._deferred_refusal = self._answered_problem = None

    def _cancel_drain_timer(self) -> None:
        if self._drain_timer is not None:
            self._drain_timer.cancel()
            self._drain_timer = None

    async def _authenticate(self) -> None:
        """Authenticate a kernel by its grant, and every other caller as Jupyter does."""
        grant = grant_in(self.request.headers.get("Authorization", ""))
        if grant is not None:
            # This path trusts no cookie, so no request can be forged with one, and no XSRF token is needed.
            if not self.context.allows_host(self.request.host, self.check_host):
                raise Forbidden
            self.context.require_local_kernel(self.request)
            self._set_kernel_user(self.context.grants.kernel_of(grant))
            return
        try:
            await super().prepare()
        except HTTPError as error:
            if error.status_code == 404:  # Jupyter's refusal of a foreign origin
                raise CsrfFailed from None
            raise
        if self._is_foreign() and not self._is_public() and not self.token_authenticated:
            raise CsrfFailed

    def _set_kernel_user(self, kernel_id: str) -> None:
        """Set the kernel ``kernel_id``, whose grant is valid, as the caller."""
        self.kernel_id = kernel_id
        self.current_user = self._jupyter_current_user = _kernel_user(kernel_id)

    def _is_foreign(self) -> bool:
        """Return whether the browser says that another site's page caused this request (C32).

        Another port of this host, or another name of this domain, is the same *site* and sends our cookies along; it
        passes only with an ``Origin`` that Jupyter's own check has accepted.
        """
        headers = self.request.headers
        if self._is_page_navigation():
            return False
        site = headers.get("Sec-Fetch-Site", "")
        return site == "cross-site" or (site == "same-site" and "Origin" not in headers)

    def _is_page_navigation(self) -> bool:
        """Return whether the request is a navigation to a page, and the verb declares ``from_other_sites``."""
        rule, headers = self._access_rule(), self.request.headers
        whole_page = (headers.get("Sec-Fetch-Mode"), headers.get("Sec-Fetch-Dest")) == ("navigate", "document")
        return rule is not None and rule.from_other_sites and whole_page and "Origin" not in headers

    def check_xsrf_cookie(self) -> None:
        """Enforce XSRF as the server does, and refuse with our code."""
        if self._is_public():
            return
        try:
            super().check_xsrf_cookie()
        except HTTPError:
            raise CsrfFailed from None

    def check_origin(self, origin_to_satisfy_tornado: str = "") -> bool:
        """Check the origin as the server does, except for public routes, which name their own protection."""
        return self._is_public() or bool(super().check_origin(origin_to_satisfy_tornado))

    def raise_deferred_refusal(self) -> None:
        """Raise the refusal that waited for the end of the body."""
        self._cancel_drain_timer()
        if self._deferred_refusal is not None:
            raise self._deferred_refusal

    async def admit(self, rule: AccessRule) -> None:
        """Check the caller against ``rule``, or raise; a second call uses the first result."""
        self.raise_deferred_refusal()
        if self._passed_rule is rule:
            return
        await self._check_access(rule)
        self._passed_rule = rule

    async def _check_access(self, rule: AccessRule) -> None:
        if self.kernel_id is not None:
            if "kernel" not in rule.callers:
                raise GrantInvalid("A kernel grant does not open this route.", detail="grant.route")
            return
        user = self.current_user
        if not user or "user" not in rule.callers:
            raise Forbidden
        owner = os.environ.get("JUPYTERHUB_USER")
        if owner and getattr(user, "username", None) != owner:
            if self.context.sharing is not None:
                self.context.sharing.notice_current_user()
            raise Forbidden("This session belongs to the owner of the server.")
        if not await ensure_async(self.authorizer.is_authorized(self, user, rule.action or "", RESOURCE)):
            raise Forbidden
        self.context.browser_location.note(self.request.host, self.request.headers)

    @property
    def caller_name(self) -> str:
        """The caller's name for counting and for the owner of a sign-in: the kernel, or the Jupyter user.

        All requests with Jupyter's token have the same name, since Jupyter invents a new user for each of them.
        """
        if self.kernel_id:
            return f"kernel:{self.kernel_id}"
        return "token" if self.token_authenticated else f"user:{getattr(self.current_user, 'username', '')}"

    @property
    def browser(self) -> Browser:
        """The location of the caller's browser."""
        return self.context.browser_location.of_caller(self.request.host, is_kernel=self.kernel_id is not None)

    def can_try_silent_sign_in(self, session: SessionService) -> bool:
        """Return whether the page that sends this request may try to sign in by itself; a kernel has no page."""
        return self.kernel_id is None and can_sign_in_silently(
            session,
            under_hub=self.context.under_hub,
            browser=self.browser,
            host=page_host(self.request.host, self.request.headers),
            public_url=self.context.public_url(session.settings),
        )

    @property
    def services(self) -> Services:
        """The services; raises ``ConfigurationInvalid`` with all findings if there are none."""
        services = self.context.services
        if services is None:
            listed = " ".join(f"({number}) {finding}" for number, finding in enumerate(self.context.findings, 1))
            raise ConfigurationInvalid(f"The settings of jupyter_oidc contain mistakes: {listed}")
        return services

    def _is_public(self) -> bool:
        rule = self._access_rule()
        return rule is not None and rule.protection is not None

    def _access_rule(self) -> AccessRule | None:
        return access_rule_of(getattr(self, (self.request.method or "").lower(), None))

    # -- the envelope --------------------------------------------------------------------------------------

    def data_received(self, chunk: bytes) -> None:
        """Keep a piece of the body, unless there is too much of it already or the request is refused."""
        if self._deferred_refusal is not None:
            return
        self._body_is_too_large = self._body_is_too_large or len(self._body) + len(chunk) > MAX_BODY_BYTES
        if not self._body_is_too_large:
            self._body += chunk

    @property
    def body(self) -> bytes:
        """The request's body; raises ``BodyTooLarge`` beyond 64 KiB."""
        if self._body_is_too_large:
            raise BodyTooLarge
        return bytes(self._body)

    def form(self) -> list[tuple[str, str]] | None:
        """Return the fields of a form in the body as :func:`fields_of` does, or ``None`` if the body is no form."""
        return fields_of(self.body.decode("latin-1")) if self._media_type() == FORM_MEDIA_TYPE else None

    def _media_type(self) -> str:
        return self.request.headers.get("Content-Type", "").partition(";")[0].strip().lower()

    def envelope(self, name: str) -> dict[str, Any]:
        """Return the JSON body if it matches the contract ``name``; an empty body counts as ``{}``."""
        body = self.body
        if not body:
            return self._matching(name, {})
        if self._media_type() != "application/json":
            # A form of another site could send these types without a preflight (C32).
            raise CsrfFailed("The request body is not sent as application/json.")
        try:
            message = json.loads(body, parse_int=_whole, parse_float=_decimal, parse_constant=_decimal)
        except _NumberTooLong:
            raise RequestInvalid("The request body holds a number that is too long, or none.") from None
        except (ValueError, RecursionError):
            raise RequestInvalid("The request body is not JSON.") from None
        return self._matching(name, message)

    def _matching(self, name: str, message: object) -> dict[str, Any]:
        try:
            return contract.check(name, message)
        except ContractBroken as broken:
            if broken.rule in _RULES_OF_WHAT_IS_KNOWN:
                raise RequestInvalid(
                    f"The request asks for something that this server does not know: {broken.where} ({broken.rule}).",
                    action="Leave it out, or install a newer jupyter_oidc in the environment of the Jupyter server.",
                ) from None
            raise RequestInvalid(f"The request does not match its contract: {broken.where} ({broken.rule}).") from None

    def seconds_to_wait(self) -> float:
        """Return the ``wait`` query parameter in seconds, 0 to 60; raises ``RequestInvalid``."""
        text = self.get_query_argument("wait", "0")
        try:
            seconds = float(text)
        except ValueError:
            seconds = -1.0
        if not 0 <= seconds <= 60:
            raise RequestInvalid("'wait' is not a number of seconds from 0 to 60.")
        return seconds

    def cookies_named(self, name: str) -> list[str]:
        """Return the values of the browser's first eight cookies of that ``name``."""
        return cookies_in(self.request.headers.get_list("Cookie"), name)

    def remember_sign_out(self, page: str, binding: str, path: str, seconds: float) -> None:
        """Set the cookie that binds the sign-out ``page`` to this browser, for ``path`` and for some ``seconds``."""
        self.set_cookie(
            SIGN_OUT_COOKIE_PREFIX + page,
            binding,
            path=path,
            max_age=int(seconds),
            httponly=True,
            secure=self.request.protocol == "https",
            samesite="Lax",
        )

    # -- answers -------------------------------------------------------------------------------------------

    def set_default_headers(self) -> None:
        """Say which contract this reply keeps to, beside Jupyter's own headers."""
        super().set_default_headers()
        self._name_contract()

    def _name_contract(self) -> None:
        """Set the header with the number of the contract; an API's answer is not ours, and never has it (ADR 48)."""
        self.set_header(CONTRACT_HEADER, str(CONTRACT_VERSION))

    def set_cors_headers(self) -> None:
        """Set the headers of Jupyter's own CORS policy; a page that it admits may read our headers, too."""
        super().set_cors_headers()
        if "Access-Control-Allow-Origin" in self._headers:
            self.set_header("Access-Control-Expose-Headers", EXPOSED_HEADERS)

    def answer(self, view: dict[str, Any], status: int = 200) -> None:
        """Send ``view`` as uncacheable JSON."""
        self.set_status(status)
        self.set_header("Cache-Control", "no-store")
        self.finish(json.dumps(view, allow_nan=False))

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Render any error by the one table of ``problems``."""
        error = kwargs["exc_info"][1] if kwargs.get("exc_info") else HTTPError(status_code)
        problem = problem_of(error)
        self.note_refusal(problem)
        reply = error_reply(problem, self.request_id, self.context.public_url())
        self.set_status(reply.status)
        self._name_contract()
        for name, value in reply.headers:
            self.set_header(name, value)
        self.set_header("Cache-Control", "no-store")
        self.finish(json.dumps(reply.body))

    def note_refusal(self, problem: Problem | None, flow: str = "", *, is_audited: bool = False) -> None:
        """Keep the problem and its sign-in for the log; ``is_audited`` says that the audit trail has it already."""
        self._answered_problem, self._is_audited = problem, is_audited
        self._answered_flow = flow or self._answered_flow

    @property
    def provider_name(self) -> str | None:
        """The configured provider that the route names, or ``None``."""
        below = url_path_join(self.base_url, "jupyter-oidc/providers/")
        given = getattr(self, "path_args", None)  # NOTE: tornado sets it after some of its refusals
        name = given[0] if given and self.request.path.startswith(below) else None
        known = self.context.settings.providers if self.context.settings else ()
        return next((one.name for one in known if one.name == name), None)

    def log_exception(
        self,
        typ: type[BaseException] | None,
        value: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        """Log a defect by its type and place; its text could quote a secret (D14)."""
        if isinstance(value, (Problem, HTTPError)) or typ is None:
            return
        self.log.error("jupyter_oidc: %s [%s]", defect_text(typ, tb), self.request_id)

    def _log(self) -> None:
        """Write the access log without path parameters and query, which carry codes, tickets and grants."""
        status, problem, provider = self.get_status(), self._answered_problem, self.provider_name
        if self.request.method not in self.SUPPORTED_METHODS:
            self.request.method = "OTHER"  # NOTE: it may be long, and each value would be a time series
        if status >= 400:
            self._log_refusal(status, problem)
        services = self.context.built_services
        if problem and provider and services and not self._is_audited:
            services.event_log.refusal(provider, self._answered_flow or self.request_id, problem.code, problem.detail)
        prometheus_log_method(self)  # type: ignore[no-untyped-call]

    def _log_refusal(self, status: int, problem: Problem | None) -> None:
        """Write the log line that is found by ``request_id``."""
        write = self.log.error if status == 500 else self.log.warning
        write(
            "jupyter_oidc: %s %s %s %.0fms %s[%s]",
            status,
            self.request.method,
            type(self).__name__,
            1000 * self.request.request_time(),
            f"{problem.code} ({problem.detail}) flow {self._answered_flow or '-'} " if problem else "",
            self.request_id,
        )

    @public_route(protection="says nothing but the server's own CORS policy")
    async def options(self, *args: str, **kwargs: str) -> None:  # type: ignore[override]
        """Answer a preflight as the server does."""
        super().options(*args, **kwargs)
        self._name_contract()
        self.set_status(204)
        self.finish()
