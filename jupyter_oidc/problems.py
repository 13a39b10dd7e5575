"""The exceptions for every refusal, as one closed tree.

::

    Problem                      status, code, message, action, retryable
    ├── RequestProblem           the caller's request is not accepted (4xx)
    ├── SessionProblem           the caller is known, but no person is signed in, or not strongly enough (401)
    ├── AccessProblem            the caller may not do this (403, 404, 405)
    ├── ProviderProblem          the provider's answer is wrong or missing (502, 503)
    ├── UpstreamProblem          the API behind the proxy cannot be reached (502, 504)
    └── LocalProblem             our own settings or storage (500, 503)

Each leaf has a stable ``code``, which is part of the public contract (the table of errors in the reference).
The text is ours and never quotes a peer: ``message`` describes the error, ``action`` the next step.
``params`` are the facts that the code knows which decides (:mod:`jupyter_oidc.facts`); the front adds those of the
place, and the sentences are written from both, in the reader's language (:mod:`jupyter_oidc.language`).
``detail`` is a finer reason code for the audit trail (``id_token.nonce``), also ours.
These exceptions are for broken expectations; expected outcomes are values (``sessions/grant.py``).
"""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING, ClassVar

from jupyter_oidc.language import Sentence, joined, needs

if TYPE_CHECKING:
    from typing_extensions import Self

    from jupyter_oidc.facts import Fact, Facts


class Problem(Exception):
    """Base of the tree; never raised itself.

    ``retryable`` says whether the same request may succeed later without any change;
    ``retry_after`` is then the number of seconds to wait, if it is known.
    ``exact`` are messages with their actions that need facts: the first whose facts are all known takes the place of the
    defaults, and an action of ``None`` is the default one.
    ``given`` are the message and the action that this occurrence has instead of those of its class.
    """

    code: ClassVar[str]
    status: ClassVar[int]
    default_message: ClassVar[str]
    default_action: ClassVar[str]
    exact: ClassVar[tuple[tuple[str, str | None], ...]] = ()
    retryable: ClassVar[bool] = False

    def __init__(
        self,
        message: str | None = None,
        *,
        action: str | None = None,
        detail: str | None = None,
        retry_after: float | None = None,
        params: Facts | None = None,
    ) -> None:
        self.given = (message, action)
        self.detail = detail or self.code
        self.retry_after = retry_after
        self.params: dict[str, Fact] = dict(params or {})
        if retry_after is not None:
            self.params["seconds"] = max(1, ceil(retry_after))
        self._write_sentences()
        super().__init__(self.message)

    def at(self, place: Facts) -> Self:
        """Return this problem with the facts of its ``place``, such as the API of the route; its own facts come first."""
        return self._with({**place, **self.params})

    def bare(self) -> Self:
        """Return this problem for a caller who is not known: without the facts about this server's settings."""
        return self._with({name: fact for name, fact in self.params.items() if name == "seconds"})

    def _with(self, params: dict[str, Fact]) -> Self:
        """Return another problem that differs by its ``params`` alone."""
        # NOTE: not by 'copy', which a library may change for all exceptions of a process, and tblib, which distributed
        # installs, does: its copies share their attributes, so the problem that others hold would change, too.
        other = type(self).__new__(type(self), *self.args)
        other.__dict__.update(self.__dict__)
        other.params = params
        other._write_sentences()  # noqa: SLF001 - its own copy
        return other

    @property
    def title(self) -> Sentence:
        """The message without any fact, the same for every occurrence (RFC 9457, 3.1.3)."""
        return Sentence(self.default_message)

    @property
    def text(self) -> Sentence:
        """Message and action."""
        return joined(self.message, self.action)

    def _write_sentences(self) -> None:
        given_message, given_action = self.given
        message, action = self.default_message, self.default_action
        for exact_message, exact_action in self.exact:
            if needs(exact_message + (exact_action or "")) <= self.params.keys():
                message, action = exact_message, exact_action or action
                break
        self.message = self._sentence(given_message or message)
        self.action = self._sentence(given_action or action)

    def _sentence(self, text: str) -> Sentence:
        return text.knowing(self.params) if isinstance(text, Sentence) else Sentence(text, self.params)


_SIGN_IN_AGAIN = "Sign in again."
_TRY_AGAIN = "Try again in a moment."
_ASK_ADMIN = "Ask your administrator to check the provider's settings."
_READ_DOCS = "Compare the call with the API reference of jupyter_oidc."


class RequestProblem(Problem):
    """The caller's request is not accepted."""

    status = 400
    default_action = _READ_DOCS


class RequestInvalid(RequestProblem):
    """A body, parameter or envelope does not match its contract."""

    code = "request_invalid"
    default_message = "The request does not match its contract."


class BadPath(RequestProblem):
    """A proxied path could lead outside the API it names."""

    code = "bad_path"
    default_message = "This path is not allowed through the API proxy."
    default_action = "Use a plain path below the API's base URL, without dot segments or encoded slashes."


class BadHeader(RequestProblem):
    """A header cannot be forwarded safely."""

    code = "bad_header"
    default_message = "A request header cannot be forwarded."
    default_action = "Send printable ASCII header values without line breaks."


class StateInvalid(RequestProblem):
    """The callback belongs to no sign-in that this browser began (R-2, R-4)."""

    code = "state_invalid"
    default_message = "This sign-in was not started in this browser, or it took longer than ten minutes."
    default_action = "Go back to JupyterLab and sign in again."


class StateUsed(RequestProblem):
    """The callback was already used (R-3)."""

    code = "state_used"
    default_message = "This sign-in has already been finished."
    default_action = "Go back to JupyterLab. Sign in again if it does not show your name."


class ResponseMalformed(RequestProblem):
    """The provider's answer to the browser has a form that no specification allows (R-1, R-7, R-8)."""

    code = "response_malformed"
    default_message = "The provider sent the browser back with an answer that cannot be used."
    default_action = "Try again. If it happens again, ask your administrator to check the response mode."


class LogoutTokenInvalid(RequestProblem):
    """A back-channel logout token failed a check (OpenID Connect Back-Channel Logout 1.0, 2.6)."""

    code = "logout_token_invalid"
    default_message = "The logout token was refused."


class SessionProblem(Problem):
    """The caller is known, but there is no usable session."""

    status = 401
    default_action = _SIGN_IN_AGAIN


class NotSignedIn(SessionProblem):
    """No person is signed in at this provider."""

    code = "not_signed_in"
    default_message = "Nobody is signed in."
    default_action = "Sign in, then run this again."
    exact = (
        (
            "Nobody is signed in at '{provider}', which the API '{api}' needs.",
            "Sign in at '{provider}', then run this again.",
        ),
        ("Nobody is signed in at '{provider}'.", "Sign in at '{provider}', then run this again."),
    )


class SessionExpired(SessionProblem):
    """The provider ended the session."""

    code = "session_expired"
    default_message = "The session has ended."
    exact = (
        ("The session at '{provider}', which the API '{api}' needs, has ended.", "Sign in at '{provider}' again."),
        ("The session at '{provider}' has ended.", "Sign in at '{provider}' again."),
    )


class StepUpRequired(SessionProblem):
    """The API demands a stronger or more recent sign-in (RFC 9470)."""

    code = "step_up_required"
    default_message = "The API{api_name} asks for a stronger sign-in."
    default_action = "Sign in again to confirm that it is you."


class GrantInvalid(SessionProblem):
    """A kernel grant or kernel proof is unknown, expired, replayed or forged."""

    code = "grant_invalid"
    default_message = "This kernel could not prove that it belongs to this Jupyter server."
    default_action = "Restart the kernel and run this again."


class AccessProblem(Problem):
    """The caller may not do this."""

    status = 403
    default_action = "Ask your administrator for access."


class CsrfFailed(AccessProblem):
    """The request could have been forged by another site."""

    code = "csrf_failed"
    default_message = "The request did not come from this Jupyter server's own pages."
    default_action = "Reload JupyterLab and try again."


class Forbidden(AccessProblem):
    """The request carries no valid Jupyter authentication, or the user is not authorised."""

    code = "forbidden"
    default_message = "This needs a Jupyter user who may use jupyter_oidc."
    default_action = "Log in to the Jupyter server, or ask its owner for access."


class RouteForbidden(AccessProblem):
    """The configuration does not allow this part of the API."""

    code = "route_forbidden"
    default_message = "The settings of this API do not open this path."
    default_action = "Ask your administrator to add the path to the API's path_prefixes."
    exact = (
        (
            "The API '{api}' does not open '{path}'. It opens what is below {paths}.",
            "Use a path below these, or ask your administrator to add this one to the API's path_prefixes.",
        ),
    )


class CallerForbidden(AccessProblem):
    """The API is not open to this kind of caller (browser or kernel)."""

    code = "caller_forbidden"
    default_message = "The settings of this API do not admit this kind of caller."
    default_action = "Ask your administrator to change the API's callers."
    exact = (
        (
            "The API '{api}' does not admit a {caller} as its caller. It admits: {callers}.",
            "Ask your administrator to add '{caller}' to the API's callers.",
        ),
    )


class UnknownProvider(AccessProblem):
    """No provider of that name is configured."""

    code = "unknown_provider"
    status = 404
    default_message = "No provider of this name is configured."
    default_action = "Check the name against the list of providers."
    exact = (
        (
            "No provider is called '{provider}'. Did you mean '{nearest}'?",
            "Use one of the providers that this server has: '{names}'.",
        ),
        ("No provider is called '{provider}'.", "Use one of the providers that this server has: '{names}'."),
        ("No provider of this name is configured.", "Use one of the providers that this server has: '{names}'."),
    )


class UnknownApi(AccessProblem):
    """No API of that name is configured."""

    code = "unknown_api"
    status = 404
    default_message = "No API of this name is configured."
    default_action = "Check the name against the list of APIs."
    exact = (
        ("No API is called '{api}'. Did you mean '{nearest}'?", "Use one of the APIs that this server has: '{names}'."),
        ("No API is called '{api}'.", "Use one of the APIs that this server has: '{names}'."),
        ("No API of this name is configured.", "Use one of the APIs that this server has: '{names}'."),
    )


class NoOperations(AccessProblem):
    """The settings of the API name no OpenAPI document, or the document has no such operation."""

    code = "no_operations"
    status = 404
    default_message = "The settings of the API{api_name} name no OpenAPI document."
    default_action = "Ask your administrator to set openapi of the API, or call it by a path that you know."


class UnknownFlow(AccessProblem):
    """No sign-in with that id is under way or was finished within the last minutes."""

    code = "unknown_flow"
    status = 404
    default_message = "This sign-in is not known here; it may have ended or expired."
    default_action = "Start the sign-in again."


class MethodNotAllowed(AccessProblem):
    """The route or the API does not answer this HTTP method."""

    code = "method_not_allowed"
    status = 405
    default_message = "This HTTP method is not allowed here."
    default_action = "Use one of the methods that the API lists."
    exact = (
        (
            "The API '{api}' does not open {method}. It opens {methods} below {paths}.",
            "Use one of these, or ask your administrator to add {method} to the API's methods.",
        ),
        (
            "The API '{api}' does not open {method}. It opens {methods}.",
            "Use one of these, or ask your administrator to add {method} to the API's methods.",
        ),
    )


class ClientTooSlow(RequestProblem):
    """The caller sends the request body too slowly."""

    code = "client_too_slow"
    status = 408
    default_message = "The request body arrived too slowly."
    default_action = "Send the request again over a better connection."
    retryable = True


class BodyTooLarge(RequestProblem):
    """The request body exceeds the limit."""

    code = "body_too_large"
    status = 413
    default_message = "The request body is larger than allowed."
    default_action = "Send less, or ask your administrator to raise the limit."
    exact = (
        (
            "The request body is larger than the {max_bytes} bytes that the API '{api}' takes.",
            "Send less, or ask your administrator to raise max_request_bytes of the API.",
        ),
        ("The request body is larger than the {max_bytes} bytes that are allowed here.", "Send less at once."),
    )


class HeadersTooLarge(RequestProblem):
    """The request headers exceed the limit."""

    code = "headers_too_large"
    status = 431
    default_message = "The request headers are larger than allowed."
    default_action = "Send fewer or shorter headers."


class QueryTooLong(HeadersTooLarge):
    """The query of a proxied call exceeds the limit (C3; RFC 9110, 15.5.15)."""

    status = 414
    default_message = "The query string is longer than 32 KiB."
    default_action = "Send a shorter query, or send the values in the body of a POST."


class SignInCancelled(RequestProblem):
    """The sign-in was cancelled before it finished."""

    code = "sign_in_cancelled"
    status = 409
    default_message = "The sign-in was cancelled."
    default_action = "Sign in again when you are ready."


class SignInDeclined(RequestProblem):
    """The provider reports that the user, or a policy, declined: ``access_denied`` (R-7)."""

    code = "sign_in_declined"
    status = 409
    default_message = "The sign-in was declined at the provider."
    default_action = "Sign in again, or ask your administrator whether your account may use this application."


class SignInRefused(RequestProblem):
    """The provider refused the sign-in with another error code, which ``detail`` and the message name (R-7)."""

    code = "sign_in_refused"
    status = 409
    default_message = "The provider refuses the sign-in."
    default_action = "Sign in again. If it happens again, ask your administrator to check the provider's settings."


class ProviderProblem(Problem):
    """The provider's answer is wrong or missing."""

    status = 502
    default_action = _ASK_ADMIN


class IssuerMismatch(ProviderProblem):
    """The provider names another issuer than the configured one (D-5, R-5, R-6)."""

    code = "issuer_mismatch"
    default_message = "The provider is not the one in the settings: its issuer differs."
    default_action = "Ask your administrator to set the issuer exactly as the provider writes it."
    exact = (("The provider '{provider}' is not the one in the settings: its issuer differs.", None),)


class DiscoveryFailed(ProviderProblem):
    """The provider metadata cannot be used (D-3, D-4, D-7)."""

    code = "discovery_failed"
    default_message = "The provider's metadata cannot be used."
    exact = (("The metadata of the provider '{provider}' cannot be used.", None),)


class TokenResponseInvalid(ProviderProblem):
    """The answer of the token endpoint is no token response (section N)."""

    code = "token_response_invalid"
    default_message = "The provider's token endpoint gave an answer that cannot be used."
    default_action = "Try again. If it happens again, ask your administrator to check the provider."
    exact = (("The token endpoint of the provider '{provider}' gave an answer that cannot be used.", None),)


class IdTokenRejected(ProviderProblem):
    """The ID token failed validation (section V); ``detail`` names the check."""

    code = "id_token_rejected"
    default_message = "The provider's ID token was refused."
    exact = (("The ID token of the provider '{provider}' was refused.", None),)


class UserinfoRejected(ProviderProblem):
    """The UserInfo response failed validation (section U)."""

    code = "userinfo_rejected"
    default_message = "The provider's user information was refused."
    exact = (("The user information of the provider '{provider}' was refused.", None),)


class AudienceRefused(ProviderProblem):
    """The provider does not issue a token for this API."""

    code = "audience_refused"
    default_message = "The provider does not issue an access token for this API."
    exact = (
        (
            "The provider '{provider}' does not issue an access token for the API '{api}', which needs the scopes '{scopes}'.",
            (
                "Ask your administrator to allow these scopes for this client at the provider, or to correct the API's "
                "audience, resource and scopes."
            ),
        ),
        (
            "The provider '{provider}' does not issue an access token for the API '{api}'.",
            (
                "Ask your administrator to compare the API's audience, resource and scopes with what the provider allows "
                "this client."
            ),
        ),
    )


class ClockSkew(ProviderProblem):
    """The clocks of this machine and the provider differ too much."""

    code = "clock_skew"
    default_message = "The clocks of this machine and of the provider{provider_name} differ too much."
    default_action = "Set this machine's clock, then sign in again."


class TlsUntrusted(ProviderProblem):
    """A certificate cannot be verified (H-1)."""

    code = "tls_untrusted"
    default_message = "The other side's certificate is not trusted on this machine."
    default_action = "Ask your administrator to add the certificate authority to the trust store."


class EgressProxyAuth(ProviderProblem):
    """The forward proxy refuses our credentials (C35); the call reached neither the provider nor the API."""

    code = "egress_proxy_auth"
    default_message = "The egress proxy of this network asks for a user name and password, or refuses those it got."
    default_action = "Ask your administrator to set egress_proxy_credentials."


class IdpUnavailable(ProviderProblem):
    """The provider cannot be reached: a transient failure."""

    code = "idp_unavailable"
    status = 503
    default_message = "The provider{provider_name} cannot be reached at the moment."
    default_action = _TRY_AGAIN
    retryable = True
    exact = (("The provider{provider_name} cannot be reached at the moment.", "Try again in {seconds}."),)


class UpstreamProblem(Problem):
    """The API behind the proxy cannot be reached or breaks HTTP."""

    status = 502
    default_action = "Try again, or ask the owner of the API{api_name}."
    retryable = True


class UpstreamUnreachable(UpstreamProblem):
    """No connection to the API."""

    code = "upstream_unreachable"
    default_message = "The API{api_name} cannot be reached."


class UpstreamProtocolError(UpstreamProblem):
    """The API's answer is not valid HTTP."""

    code = "upstream_protocol_error"
    default_message = "The API{api_name} gave an answer that is not valid HTTP."


class UpstreamTimeout(UpstreamProblem):
    """The API did not answer in time."""

    code = "upstream_timeout"
    status = 504
    default_message = "The API{api_name} did not answer in time."


class OpenapiInvalid(UpstreamProblem):
    """The API's OpenAPI document cannot be had or read; the message says where and why."""

    code = "openapi_invalid"
    default_message = "The OpenAPI document of the API{api_name} cannot be read."
    default_action = "Ask the owner of the API, or your administrator to check openapi of the API."
    retryable = False


class LocalProblem(Problem):
    """Our own settings, storage or load."""

    status = 503
    default_action = _TRY_AGAIN


class ConfigurationInvalid(LocalProblem):
    """The settings contain mistakes; the message lists all of them."""

    code = "configuration_invalid"
    status = 500
    default_message = "The settings of jupyter_oidc contain mistakes."
    default_action = "Ask your administrator to correct the settings."


class StorageUnavailable(LocalProblem):
    """The store for the refresh token cannot be used."""

    code = "storage_unavailable"
    default_message = "The store for the session cannot be used."
    default_action = "Unlock your keyring, then try again."
    retryable = True


class Overloaded(LocalProblem):
    """Too many requests run or wait at once."""

    code = "overloaded"
    default_message = "Too many calls are under way."
    retryable = True


class BrokerUnavailable(LocalProblem):
    """The broker that holds the sessions does not answer; the request has not reached it."""

    code = "broker_unavailable"
    default_message = "The broker that holds the sessions does not answer."
    default_action = (
        "Try again in a moment; sessions stay. If it goes on, tell the administrator of this machine or Hub."
    )
    retryable = True


def _leaves(kind: type[Problem]) -> list[type[Problem]]:
    below = kind.__subclasses__()
    if not below:
        return [kind]
    return [leaf for child in below for leaf in _leaves(child)]


BY_CODE: dict[str, type[Problem]] = {leaf.code: leaf for leaf in _leaves(Problem)}
"""Every public code and the class that carries it."""
