"""The border of the sessions: what routes may ask of them (ADR 45).

The arguments and results of :class:`SessionApi` are plain values: texts, numbers, and frozen dataclasses and tuples of
these, so that every call can be sent to another process as JSON. It holds no token: a route cannot even
ask for one; the proxy does, through :mod:`jupyter_oidc.sessions.token_api`.
A :class:`~jupyter_oidc.problems.Problem` is a value too: it crosses the border by its code, texts and seconds.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from jupyter_oidc.contract.strategy import RequestedStrategy, Strategy
    from jupyter_oidc.problems import Problem
    from jupyter_oidc.sessions.delegation import Delegation, IssuedGrant, WorkerGrant
    from jupyter_oidc.sessions.pending import ShownCode, SignInState
    from jupyter_oidc.sessions.revocation import Revoked
    from jupyter_oidc.sessions.strategy import Browser
    from jupyter_oidc.sessions.summary import ApiAccess, Summary

Parameters = tuple[tuple[str, str], ...]
"""The fields of a query or form, in order, repeated ones included."""

Shown = Literal["document", "elsewhere", "unknown"]
"""The browser's request for a sign-out page: as a document, for another use that may read it, or unknown."""


@dataclass(frozen=True, slots=True)
class ProviderSettings:
    """The settings of one provider that decide about addresses and pages; those in force, or those of a sign-in.

    ``pins_server`` says that the browser comes back to the callback route at ``redirect_uri``, ``pins_callback`` also
    that this tells the host of the Jupyter server.
    """

    name: str
    issuer: str
    redirect_uri: str | None
    response_mode: Literal["query", "form_post"]
    pins_server: bool
    pins_callback: bool


@dataclass(frozen=True, slots=True)
class ProviderEntry:
    """One provider in the list; ``comes_back_silently`` says that a page that opens may try to sign in here now.

    The route has still to compare the host of that page.
    """

    settings: ProviderSettings
    state: str
    comes_back_silently: bool


@dataclass(frozen=True, slots=True)
class ApiEntry:
    """One API of the proxy, with the state of its session; ``has_operations``: the settings name an OpenAPI document."""

    name: str
    provider: str
    base_url: str
    methods: tuple[str, ...]
    callers: tuple[str, ...]
    state: str
    access: ApiAccess
    path_prefixes: tuple[str, ...] = ("/",)
    title: str | None = None
    description: str | None = None
    example: str | None = None
    docs_url: str | None = None
    has_operations: bool = False


@dataclass(frozen=True, slots=True)
class Concerned:
    """Whom a logout token names: a person, a session of theirs at the provider, or both (Back-Channel Logout 1.0, 2.4)."""

    subject: str | None
    sid: str | None


@dataclass(frozen=True, slots=True)
class SignInRequest:
    """A sign-in as its ``caller`` asks for it; ``by_user`` is false for a kernel.

    ``next`` is a local path that the route has checked. The fields of the same name in the contract
    ``sign-in.request`` say what the others mean.
    """

    caller: str
    by_user: bool
    browser: Browser
    next: str | None = None
    prompt: str | None = None
    silent: bool = False
    login_hint: str | None = None
    ui_locales: tuple[str, ...] = ()
    acr_values: tuple[str, ...] = ()
    api: str | None = None
    strategy: RequestedStrategy = "auto"


@dataclass(frozen=True, slots=True)
class SignIn:
    """One sign-in attempt as it stands now; ``expires_in`` are whole seconds.

    ``settings`` are those that it was begun under (ADR 30), ``next`` the local path for afterwards.
    ``overtaken``: the person got in by another sign-in. ``asks``: it waits for the answer to a question (A26).
    """

    flow: str
    settings: ProviderSettings
    strategy: Strategy
    state: SignInState
    expires_in: int
    silent: bool = False
    next: str | None = None
    overtaken: bool = False
    asks: bool = False
    code: ShownCode | None = None
    problem: Problem | None = None

    @property
    def provider(self) -> str:
        """The provider's name."""
        return self.settings.name


@dataclass(frozen=True, slots=True)
class StartedSignIn:
    """A sign-in that has begun; ``ticket`` opens its start page once, and is ``None`` for a sign-in by code."""

    sign_in: SignIn
    ticket: str | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class Departure:
    """The way to the provider: its address, and the cookie that binds the sign-in to this browser (A-9)."""

    url: str = field(repr=False)
    binding: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class PersonQuestion:
    """Asks whether ``instead`` replaces the person ``now``, whose session may be over (A26)."""

    now: str
    instead: str
    is_over: bool


@dataclass(frozen=True, slots=True)
class InitiatedLogin:
    """A third party's request for a sign-in that was well-formed (section I)."""

    settings: ProviderSettings
    login_hint: str | None
    target: str | None


@dataclass(frozen=True, slots=True)
class SignOutTicket:
    """The ticket to a sign-out page: ``value`` works once, and only in a browser with the cookie ``binding``, if set."""

    page: str
    value: str = field(repr=False)
    binding: str | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class SignedOut:
    """The result of a sign-out; the link carries no token, and with a ``ticket`` a page of ours leads there."""

    settings: ProviderSettings
    revoked: Revoked
    end_session_url: str | None
    ticket: SignOutTicket | None = None


@dataclass(frozen=True, slots=True)
class SignOutForm:
    """The form by which a browser signs out at the provider (ADR 39); ``link`` is the way without it.

    Its ``fields`` may hold the ID token: they are written into one page and kept nowhere.
    ``binding`` is a cookie for the browser's return. ``method`` is ``get`` for a form without an ID token.
    """

    page: str
    action: str
    method: Literal["get", "post"]
    origins: tuple[str, ...]
    link: str
    fields: Parameters = field(repr=False)
    binding: str = field(repr=False)


class SessionApi(Protocol):
    """What a route may ask; every method raises the :class:`~jupyter_oidc.problems.Problem` for its caller.

    A method with ``provider`` raises ``UnknownProvider``, one with ``flow`` ``UnknownFlow``.
    """

    # -- what there is -------------------------------------------------------------------------------------

    async def providers(self, browser: Browser, *, under_hub: bool) -> tuple[ProviderEntry, ...]:
        """Return the providers in the order of the settings."""
        ...

    async def settings(self, provider: str) -> ProviderSettings:
        """Return the settings in force."""
        ...

    async def every_settings(self) -> tuple[ProviderSettings, ...]:
        """Return the settings in force of all providers; unlike ``providers`` it looks at no session."""
        ...

    async def apis(self) -> tuple[ApiEntry, ...]:
        """Return the APIs in the order of the settings."""
        ...

    async def summary(self, provider: str, *, since: int = -1, wait_seconds: float = 0.0) -> Summary:
        """Return the session once its sequence number differs from ``since``, or after ``wait_seconds``.

        ``{instance}-{sequence}`` of the result is an entity tag.
        """
        ...

    # -- sign-in -------------------------------------------------------------------------------------------

    async def begin_sign_in(self, provider: str, request: SignInRequest, *, under_hub: bool) -> StartedSignIn:
        """Begin a sign-in; ``under_hub`` decides whether a silent one is on without a setting."""
        ...

    async def sign_in(self, provider: str, flow: str, *, wait_seconds: float = 0.0) -> SignIn:
        """Return the sign-in, as soon as it has ended, or after ``wait_seconds``."""
        ...

    async def cancel_sign_in(self, provider: str, flow: str) -> SignIn:
        """Cancel; a sign-in that has ended stays as it is."""
        ...

    async def cancel_sign_ins(self, provider: str) -> Summary:
        """Cancel every sign-in that waits for the person, by whichever caller it was begun, and return the summary."""
        ...

    async def complete_sign_in(self, provider: str, flow: str, caller: str, redirect_url: str) -> SignIn:
        """End the sign-in of ``caller`` with the address at which the provider left the browser (A32)."""
        ...

    async def use_ticket(self, ticket: str) -> SignIn:
        """Use a start ticket, once; raises ``StateInvalid``."""
        ...

    async def depart(
        self,
        provider: str,
        flow: str,
        redirect_uri: str,
        *,
        server_name: str = "",
        timeout_seconds: float | None = None,
    ) -> Departure:
        """Bind the sign-in to a browser; raises ``IdpUnavailable`` after ``timeout_seconds``."""
        ...

    async def fail_sign_in(self, provider: str, flow: str, problem: Problem) -> None:
        """End the sign-in by a problem of its way to the provider."""
        ...

    async def sign_in_of_state(self, provider: str, state: str) -> SignIn | None:
        """Return the sign-in whose answer holds ``state``; whether this browser may end it is judged later."""
        ...

    async def take_answer(
        self, provider: str, answer: Parameters, bindings: tuple[str, ...], *, only: str | None = None
    ) -> SignIn:
        """End a sign-in with the provider's answer, from a browser with the cookies ``bindings`` (R-2, R-9).

        ``only`` is the flow of a sign-in whose answer arrives elsewhere than at the callback route.
        """
        ...

    async def refuse_answer(
        self, provider: str, answer: Parameters, bindings: tuple[str, ...], problem: Problem, *, only: str | None = None
    ) -> SignIn:
        """End the sign-in of an answer in a wrong form by ``problem``, or raise that (Q1.12)."""
        ...

    async def ended_sign_in(self, provider: str, flow: str, bindings: tuple[str, ...]) -> SignIn | None:
        """Return how a sign-in ended, to its own browser, else ``None``."""
        ...

    async def retry_ticket(self, provider: str, flow: str) -> str:
        """Return a start ticket for another attempt like this one (E-1)."""
        ...

    async def question(self, provider: str, flow: str, bindings: tuple[str, ...]) -> PersonQuestion:
        """Return the question to the person at the browser; raises ``StateInvalid`` and ``StateUsed``."""
        ...

    async def answer_question(self, provider: str, flow: str, bindings: tuple[str, ...], *, change: bool) -> SignIn:
        """Take the answer, which ends the sign-in; raises ``StateInvalid``."""
        ...

    async def initiation(self, provider: str, parameters: Parameters) -> InitiatedLogin:
        """Read a third party's request for a sign-in; raises ``RequestInvalid`` (section I)."""
        ...

    async def offer_sign_in(
        self, provider: str, caller: str, browser: Browser, *, next_path: str | None, login_hint: str | None
    ) -> str | None:
        """Return a start ticket for a sign-in that begins when it is used; ``None`` if no link is enough."""
        ...

    # -- the session ---------------------------------------------------------------------------------------

    async def refresh(self, provider: str) -> Summary:
        """Refresh the access token now; raises ``NotSignedIn``, ``SessionExpired`` and the problem to wait for."""
        ...

    async def sign_out(self, provider: str, *, bound: bool) -> SignedOut:
        """End the session here, then at the provider; ``bound`` ties a page to the requesting browser."""
        ...

    async def sign_out_link(self, provider: str) -> str | None:
        """Return the link by which a person ends the provider's session."""
        ...

    async def sign_out_page_of_ticket(self, provider: str, ticket: str) -> str | None:
        """Return the page that ``ticket`` opens, and consume nothing; its cookie has that name."""
        ...

    async def open_sign_out_page(
        self, provider: str, ticket: str, bindings: tuple[str, ...], shown: Shown
    ) -> SignOutForm:
        """Use the ticket, once; raises ``StateInvalid``."""
        ...

    async def sign_out_page_of_state(self, provider: str, state: str) -> str | None:
        """Return the page whose sign-out ``state`` ends, and consume nothing."""
        ...

    async def came_back(self, provider: str, state: str, bindings: tuple[str, ...]) -> bool:
        """Return whether ``state`` ends a sign-out that began on a page in this browser; true once."""
        ...

    # -- workers -------------------------------------------------------------------------------------------

    async def delegate(self, delegation: Delegation) -> IssuedGrant:
        """Make a grant for workers; raises ``UnknownApi``, ``NotSignedIn``, ``SessionExpired``, ``RequestInvalid``."""
        ...

    async def worker_grants(self) -> tuple[WorkerGrant, ...]:
        """Return the grants that live, of all providers, the oldest first."""
        ...

    async def renew_worker_grants(self, grant_ids: tuple[str, ...]) -> tuple[str, ...]:
        """Renew the leases of these grants; return those that live."""
        ...

    async def revoke_worker_grant(self, grant_id: str) -> WorkerGrant | None:
        """End a grant and return it; ``None`` if there is none of that id."""
        ...

    async def concerned_by_logout(self, provider: str, logout_token: str) -> Concerned:
        """Return whom the provider's logout token names, without any effect; raises ``LogoutTokenInvalid``."""
        ...

    async def end_by_provider(self, provider: str, logout_token: str) -> None:
        """End the session that the provider's logout token names; raises ``LogoutTokenInvalid`` (B-14 to B-16)."""
        ...
