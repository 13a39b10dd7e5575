"""The authorization endpoint: builds the URL for the browser, and judges the answer that the browser brings back.

This module refuses to look at a code before the answer around it is sound: only :func:`read_callback` mints
the :class:`VerifiedCallback` that the token request accepts.
It does not know which states are pending; the session layer does, and asks for the state first.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal
from urllib.parse import parse_qsl, urlencode, urlsplit

from jupyter_oidc.language import N_
from jupyter_oidc.problems import (
    ConfigurationInvalid,
    DiscoveryFailed,
    IssuerMismatch,
    ResponseMalformed,
    StateInvalid,
)
from jupyter_oidc.protocol.json_value import printable
from jupyter_oidc.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jupyter_oidc.protocol.discovery import Metadata

_MAX_STATE_CHARACTERS: Final = 128
_MAX_CODE_CHARACTERS: Final = 8192
_TOKENS: Final = frozenset({"id_token", "access_token", "refresh_token"})
_READ: Final = _TOKENS | {"code", "state", "iss", "error", "response"}
"""The parameters of an answer that this module reads."""

_MINT: Final = object()

ERRORS: Final = frozenset(
    {
        # RFC 6749, 4.1.2.1
        "access_denied",
        "invalid_request",
        "invalid_scope",
        "server_error",
        "temporarily_unavailable",
        "unauthorized_client",
        "unsupported_response_type",
        # OpenID Connect Core 1.0, 3.1.2.6
        "account_selection_required",
        "consent_required",
        "interaction_required",
        "invalid_request_object",
        "invalid_request_uri",
        "login_required",
        "registration_not_supported",
        "request_not_supported",
        "request_uri_not_supported",
        # RFC 8707, 2; OpenID Connect Core Error Code unmet_authentication_requirements 1.0, 2
        "invalid_target",
        "unmet_authentication_requirements",
    },
)
"""The registered error codes of an authorization response; any other becomes ``other``."""


@dataclass(frozen=True, slots=True)
class AuthorizationRequest:
    """The parameters of one authorization request (OpenID Connect Core 1.0, 3.1.2.1; A-1, A-8).

    ``max_age`` is in seconds.
    ``dpop_jkt`` is the thumbprint of the key that the code is bound to (RFC 9449, 10).
    ``more`` are parameters from the settings that no specification defines; none replaces ours.
    The caller has to remember ``max_age`` and ``acr_values`` for V-13 and V-14.
    """

    client_id: str
    redirect_uri: str
    scopes: tuple[str, ...]
    state: str
    nonce: str
    code_challenge: str
    response_mode: Literal["query", "form_post"] = "query"
    prompt: str | None = None
    max_age: int | None = None
    acr_values: tuple[str, ...] = ()
    audience: str | None = None
    resource: str | None = None
    login_hint: str | None = None
    ui_locales: tuple[str, ...] = ()
    dpop_jkt: str | None = None
    more: tuple[tuple[str, str], ...] = ()


def authorization_url(metadata: Metadata, request: AuthorizationRequest) -> str:
    """Return the URL for the browser; the endpoint's own query stays in front (RFC 6749, 3.1; A-6).

    Raises the errors of :func:`parameters_of` and :func:`to_endpoint`.
    """
    return to_endpoint(metadata, parameters_of(request))


def parameters_of(request: AuthorizationRequest) -> dict[str, str]:
    """Return the parameters to send, by the browser or pushed (RFC 9126, 2.1).

    ``openid`` is added to the scopes if it is missing (A-2).
    Raises :class:`ConfigurationInvalid` for a redirect URI with a fragment.
    """
    if "#" in request.redirect_uri:
        raise ConfigurationInvalid(N_("The redirect URI in the settings must not contain a fragment (#)."))
    scopes = request.scopes if "openid" in request.scopes else ("openid", *request.scopes)
    parameters = {
        "response_type": "code",
        "client_id": request.client_id,
        "redirect_uri": request.redirect_uri,
        "scope": " ".join(scopes),
        "state": request.state,
        "nonce": request.nonce,
        "code_challenge": request.code_challenge,
        "code_challenge_method": "S256",
        "response_mode": None if request.response_mode == "query" else request.response_mode,
        "prompt": request.prompt,
        "max_age": None if request.max_age is None else str(request.max_age),
        "acr_values": " ".join(request.acr_values) or None,
        "audience": request.audience,
        "resource": request.resource,
        "login_hint": request.login_hint,
        # NOTE: older settings name it in ``more``; it had no key of its own then.
        "ui_locales": " ".join(request.ui_locales) or dict(request.more).get("ui_locales"),
        "dpop_jkt": request.dpop_jkt,
    }
    sent = {name: value for name, value in request.more if name not in parameters}
    sent.update((name, value) for name, value in parameters.items() if value is not None)
    return sent


def to_endpoint(metadata: Metadata, sent: dict[str, str]) -> str:
    """Return the URL of the authorization endpoint with ``sent`` in its query.

    Raises :class:`DiscoveryFailed` if the endpoint's own query already holds one of these names.
    """
    endpoint = metadata.authorization_endpoint
    kept = urlsplit(endpoint).query
    if any(name in sent for name, _ in parse_qsl(kept, keep_blank_values=True)):
        raise DiscoveryFailed(
            N_("The provider's authorization_endpoint already contains a parameter that belongs to the request."),
            detail="discovery.authorization_endpoint",
        )
    return with_query(endpoint, sent)


def with_query(endpoint: str, parameters: dict[str, str]) -> str:
    """Return ``endpoint`` with ``parameters`` behind the query that it already has (A-6, L-5)."""
    kept = endpoint.rstrip("?&")
    return kept + ("&" if "?" in kept else "?") + urlencode(parameters)


def state_of(parameters: Sequence[tuple[str, str]]) -> str:
    """Return the state of a callback, so that its sign-in can be looked up (R-1, R-2, R-4).

    Raises :class:`ResponseMalformed` if the answer has a form that was not requested (one of its parameters twice, a
    signed ``response``, no parameter because the answer stayed in the fragment; A8, A9), and
    :class:`StateInvalid` if there is no state, or one too long to be ours (A1).
    """
    state = _once(parameters).get("state", "")
    if not 0 < len(state) <= _MAX_STATE_CHARACTERS:
        raise StateInvalid
    return state


@dataclass(frozen=True, slots=True)
class ExpectedCallback:
    """The issuer that an answer has to come from; ``iss_required`` is from the metadata (RFC 9207, 2.4)."""

    issuer: str
    iss_required: bool


@dataclass(frozen=True, slots=True)
class VerifiedCallback:
    """An authorization code from an answer that passed every check; only :func:`read_callback` can make one."""

    code: Secret
    _mint: object = field(repr=False, compare=False)

    def __post_init__(self) -> None:
        """Refuse an instance from anywhere else, with ``TypeError``."""
        if self._mint is not _MINT:
            raise TypeError("only read_callback makes a VerifiedCallback")


@dataclass(frozen=True, slots=True)
class Declined:
    """The provider refused; ``error`` is a registered code or ``other``, never the provider's own text (R-7)."""

    error: str


def read_callback(
    expected: ExpectedCallback,
    parameters: Sequence[tuple[str, str]],
) -> VerifiedCallback | Declined:
    """Judge an answer whose state was already matched (RFC 6749, 4.1.2; RFC 9207, 2.4; R-5 to R-8).

    The issuer is compared first, so that neither a code nor an error of another issuer counts.
    Raises :class:`IssuerMismatch` and :class:`ResponseMalformed`.
    """
    answer = _once(parameters)
    issuer = answer.get("iss")
    if issuer is None and expected.iss_required:
        raise IssuerMismatch(
            N_("The provider promises to name itself in its answer and did not."),
            action=N_("Start the sign-in again from JupyterLab."),
            detail="callback.iss",
        )
    if issuer is not None and issuer != expected.issuer:
        raise IssuerMismatch(
            N_("The answer comes from another provider than the one that was asked."),
            action=N_("Start the sign-in again from JupyterLab. If it happens again, tell your administrator."),
            detail="callback.iss",
        )
    if not _TOKENS.isdisjoint(answer):
        raise ResponseMalformed(
            N_("The provider put a token into the address of the page."),
            action=N_("Ask your administrator to set the client's response type to code."),
            detail="callback.token",
        )
    error, code = answer.get("error"), answer.get("code")
    if error is not None and code is not None:
        raise ResponseMalformed(
            N_("The provider's answer is both a success and an error."),
            detail="callback.both",
        )
    if error:
        return Declined(error if error in ERRORS else "other")
    if not printable(code) or len(code) > _MAX_CODE_CHARACTERS:
        raise ResponseMalformed(N_("The provider's answer contains no usable code."), detail="callback.code")
    return VerifiedCallback(Secret(code), _MINT)


def _once(parameters: Sequence[tuple[str, str]]) -> dict[str, str]:
    """Return the parameters that are read as a dict; none of them may occur twice (RFC 6749, 3.1; R-1).

    Other parameters may occur, and be repeated (RFC 6749, 4.1.2: unrecognized parameters are ignored).
    """
    read = [(name, value) for name, value in parameters if name in _READ]
    answer = dict(read)
    if len(answer) != len(read):
        raise ResponseMalformed(
            N_("The provider's answer contains a parameter twice."),
            detail="callback.duplicate",
        )
    if not parameters or "response" in answer:
        raise ResponseMalformed(
            N_("The provider answered in a response mode that was not asked for."),
            action=N_("Ask your administrator to set the client's response mode to query or form_post."),
            detail="callback.response_mode",
        )
    return answer
