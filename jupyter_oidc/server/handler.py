"""The base of every handler: authenticates the caller, checks the envelope and renders errors.

It authenticates and renders; it decides nothing about sessions or APIs.
"""

from __future__ import annotations

import asyncio
import os
import re
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any, Final

from jupyter_core.utils import ensure_async
from jupyter_server.auth.identity import User
from jupyter_server.base.handlers import APIHandler
from jupyter_server.prometheus.log_functions import prometheus_log_method
from jupyter_server.utils import url_path_join
from tornado.web import HTTPError, stream_request_body

from jupyter_oidc.adapters.telemetry.named_log import SERVER
from jupyter_oidc.compat.tornado import end_body_wait
from jupyter_oidc.contract.version import CONTRACT_HEADER, CONTRACT_VERSION
from jupyter_oidc.facts import facts
from jupyter_oidc.language import N_, joined, of_header, speaking
from jupyter_oidc.problems import (
    BodyTooLarge,
    ClientTooSlow,
    ConfigurationInvalid,
    CsrfFailed,
    Forbidden,
    GrantInvalid,
    Problem,
)
from jupyter_oidc.server.access_guard import RESOURCE, guard_verbs, guarded
from jupyter_oidc.server.kernel_grants import PREFIX
from jupyter_oidc.server.problems import problem_of
from jupyter_oidc.sessions.delegation import PREFIX as WORKER_PREFIX
from jupyter_oidc.sessions.delegation import calls_only, ended
from jupyter_oidc.web.access_rule import AccessRule, access_rule_of, public_route
from jupyter_oidc.web.bearer import grant_in
from jupyter_oidc.web.problems import defect_text, error_reply
from jupyter_oidc.web.request import MAX_BODY_BYTES, Caller, Headers, Request

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable
    from types import TracebackType

    from jupyter_oidc.compose import Services
    from jupyter_oidc.facts import Fact
    from jupyter_oidc.server.context import Context
    from jupyter_oidc.server.kernel_grants import KernelRun
    from jupyter_oidc.sessions.delegation import WorkerGrant
    from jupyter_oidc.sessions.strategy import Browser
    from jupyter_oidc.web.reply import Reply

BODY_TIMEOUT_SECONDS: Final = 10.0
"""Seconds for a body of 64 KiB at most that a verb waits for: a slow one would hold a connection for ever."""

_EXPOSED: Final = "Access-Control-Expose-Headers"
EXPOSED_HEADERS: Final = f"{CONTRACT_HEADER}, X-OIDC-Error, X-OIDC-Request-Id, Retry-After"
"""The headers of ours that a page of another origin may read, where Jupyter's CORS policy admits that page."""

_LENGTH: Final = re.compile(r"[0-9]{1,18}\Z")
"""The form of a ``Content-Length``; before the body is read, tornado has not checked it."""


@lru_cache(maxsize=100)
def _kernel_user(kernel_id: str) -> User:
    """Return Jupyter's user object for a kernel."""
    return User(username=f"kernel-{kernel_id}")


@stream_request_body
class OidcHandler(APIHandler):
    """Base of all routes of the extension.

    Bodies arrive piece by piece, so that no caller fills the memory of this process on a route that reads a few lines.
    """

    max_drained_bytes = MAX_BODY_BYTES
    """Bytes of a body that a refusal waits for."""

    body_timeout_seconds = BODY_TIMEOUT_SECONDS
    """Seconds from the head of a request to the end of its body, for every caller."""

    def __init_subclass__(cls, **options: Any) -> None:
        """Put its declared access rule in front of every verb of the subclass."""
        super().__init_subclass__(**options)
        guard_verbs(cls)

    def initialize(self, context: Context) -> None:
        """Store the context that the route table passes."""
        self.context = context
        self.kernel_id: str | None = None
        self.kernel_run: KernelRun | None = None
        self.worker: WorkerGrant | None = None
        self.worker_text = ""
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
            self._drain_timer = asyncio.get_running_loop().call_later(self.context.max_drain_seconds, self._end_drain)

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
        """Authenticate a kernel or worker by its grant, and every other caller as Jupyter does."""
        authorization = self.request.headers.get("Authorization", "")
        grant = grant_in(authorization, PREFIX)
        worker_grant = grant_in(authorization, WORKER_PREFIX) if grant is None else None
        if grant is not None or worker_grant is not None:
            # This path trusts no cookie, so no request can be forged with one, and no XSRF token is needed.
            if not self.context.allows_host(self.request.host, self.check_host):
                raise Forbidden
            if worker_grant is not None:
                await self._authenticate_worker(worker_grant)
            elif grant is not None:
                self.context.require_local_kernel(self.request)
                self.kernel_run = run = self.context.grants.run_of(grant)
                self._set_kernel_user(run.kernel_id)
            return
        try:
            await super().prepare()
        except HTTPError as error:
            if error.status_code == 404:  # Jupyter's refusal of a foreign origin
                raise CsrfFailed from None
            raise
        if self._is_foreign() and not self._is_public() and not self.token_authenticated:
            raise CsrfFailed

    async def _authenticate_worker(self, text: str) -> None:
        """Authenticate a worker by its grant, which a broker judges itself; raises ``GrantInvalid``."""
        services, leases = self.context.built_services, self.context.worker_leases
        if leases is not None:
            leases.require_backed(text)
        elif services is None:  # nobody has made a grant
            raise ended()
        else:
            self.worker = await self.context.workers.use(text, services.worker_grants)
        self.context.require_local_worker(self.request)
        self.worker_text = text
        self.current_user = self._jupyter_current_user = _kernel_user("" if self.worker is None else self.worker.id)

    @property
    def is_worker(self) -> bool:
        """Whether a worker calls."""
        return bool(self.worker_text)

    def caller_lasts(self) -> Callable[[], bool] | None:
        """Return a function that tells whether the kernel or worker that calls still may; ``None`` for a page."""
        context, run, worker = self.context, self.kernel_run, self.worker
        if worker is not None:
            grants, name = self.services.worker_grants, worker.id
            return lambda: context.workers.lasts(name, grants)
        return None if run is None else lambda: context.grants.lasts(run)

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
        if rule.is_public or self._passed_rule is rule:
            return
        await self._check_access(rule)
        self._passed_rule = rule

    async def _check_access(self, rule: AccessRule) -> None:
        if self.is_worker:
            if "worker" not in rule.callers:
                raise calls_only()
            return
        if self.kernel_id is not None:
            if "kernel" not in rule.callers:
                raise GrantInvalid(N_("A kernel grant does not open this route."), detail="grant.route")
            return
        user = self.current_user
        if not user or "user" not in rule.callers:
            raise Forbidden
        owner = os.environ.get("JUPYTERHUB_USER")
        if owner and getattr(user, "username", None) != owner:
            if self.context.sharing is not None:
                self.context.sharing.notice_current_user()
            raise Forbidden(N_("This session belongs to the owner of the server."))
        if not await ensure_async(self.authorizer.is_authorized(self, user, rule.action or "", RESOURCE)):
            raise Forbidden
        self.context.browser_location.note(self.request.host, self.request.headers)

    @property
    def caller_name(self) -> str:
        """The caller's name for counting and for the owner of a sign-in: the kernel, or the Jupyter user.

        All requests with Jupyter's token have the same name, since Jupyter invents a new user for each of them.
        """
        if self.is_worker:
            return "worker:" + ("" if self.worker is None else self.worker.id)
        if self.kernel_id:
            return f"kernel:{self.kernel_id}"
        return "token" if self.token_authenticated else f"user:{getattr(self.current_user, 'username', '')}"

    @property
    def browser(self) -> Browser:
        """The location of the caller's browser."""
        return self.context.browser_location.of_caller(self.request.host, is_kernel=self.kernel_id is not None)

    @property
    def services(self) -> Services:
        """The services; raises ``ConfigurationInvalid`` with all findings if there are none."""
        services = self.context.services
        if services is None:
            listed = (finding.numbered(number) for number, finding in enumerate(self.context.findings, 1))
            raise ConfigurationInvalid(joined(N_("The settings of jupyter_oidc contain mistakes:"), *listed))
        return services

    def _is_public(self) -> bool:
        rule = self._access_rule()
        return rule is not None and rule.is_public

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

    def received(self) -> Request:
        """Return the request as a value; its body has arrived."""
        request = self.request
        return Request(
            request.method or "",
            request.path,
            self.caller(),
            tuple(self.path_args),
            request.query,
            Headers(request.headers.get_all()),
            None if self._body_is_too_large else bytes(self._body),
        )

    def caller(self) -> Caller:
        """Return the caller, who has been authenticated."""
        if self.is_worker:
            return Caller("worker", self.caller_name)
        if self.kernel_id is not None:
            return Caller("kernel", self.caller_name)
        return Caller("public") if self._is_public() else Caller("user", self.caller_name, self.token_authenticated)

    # -- answers -------------------------------------------------------------------------------------------

    def set_default_headers(self) -> None:
        """Say which contract this reply keeps to, beside Jupyter's own headers."""
        super().set_default_headers()
        self._name_contract()

    def _name_contract(self) -> None:
        """Set the header with the number of the contract; an API's answer is not ours, and never has it (ADR 48)."""
        self.set_header(CONTRACT_HEADER, str(CONTRACT_VERSION))

    def _expose_headers(self) -> None:
        """Let a page that Jupyter's own CORS policy admits read the headers of ours, beside those of the settings."""
        if "Access-Control-Allow-Origin" in self._headers:
            others = self._headers.get(_EXPOSED)
            self.set_header(_EXPOSED, EXPOSED_HEADERS if others is None else f"{others}, {EXPOSED_HEADERS}")

    def send(self, reply: Reply) -> None:
        """Send ``reply``, and keep its problem for the log."""
        self._name_contract()
        if reply.refusal is not None:
            refusal = reply.refusal
            self.note_refusal(refusal.problem, refusal.flow, is_audited=refusal.is_audited)
        self.set_status(reply.status, reply.reason)
        for name, value in reply.headers:
            self.set_header(name, value)
        for name in reply.drops:
            self.clear_header(name)
        for cookie in reply.cookies:
            self.set_cookie(cookie.name, cookie.value, **cookie.attributes)
        self._expose_headers()
        self.finish(reply.body or None, set_content_type=reply.media_type)

    def compute_etag(self) -> str | None:
        """Leave an ETag to the route that sets its own."""
        return None if "Etag" in self._headers else super().compute_etag()

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Render any error by the one table of ``problems``."""
        error = kwargs["exc_info"][1] if kwargs.get("exc_info") else HTTPError(status_code)
        problem = problem_of(error)
        self.note_refusal(problem)
        accept = self.request.headers.get("Accept", "")
        told = problem and self.disclosed(problem)
        with speaking(self.language):
            reply = error_reply(told, self.request_id, self.context.public_url(), accept)
        self.send(reply)

    @property
    def language(self) -> str:
        """The language in which the caller wants to read (RFC 9110, 12.5.4)."""
        return of_header(self.request.headers.get("Accept-Language", ""))

    def disclosed(self, problem: Problem) -> Problem:
        """Return ``problem`` with the facts of this route; a caller who was not admitted learns none at all."""
        is_admitted = self._passed_rule is not None or self.kernel_id is not None
        return problem.at(self.place()) if is_admitted else problem.bare()

    def place(self) -> dict[str, Fact]:
        """Return the facts of this route: the provider that it names, if that is configured."""
        return facts(provider=self.provider_name)

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

    @guarded
    @public_route(protection="says nothing but the server's own CORS policy")
    async def options(self, *args: str, **kwargs: str) -> None:  # type: ignore[override]
        """Answer a preflight as the server does."""
        super().options(*args, **kwargs)
        self._name_contract()
        self.set_status(204)
        self.finish()
