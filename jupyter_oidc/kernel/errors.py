"""Exceptions of the kernel helper, named after the error codes of the contract.

Every one has ``code``, ``message``, ``action`` and, where it helps, a ``link``, and the facts that the server knows.
In a notebook it shows the author's own lines, those of this package and of the HTTP libraries left out, and below them
what happened, what to do, and the id by which the server's log names it.
Message and action are in the language of the kernel; a refusal of the server is told by its sentences.
"""

from __future__ import annotations

import sys
import traceback
from html import escape
from typing import TYPE_CHECKING, Any, ClassVar

from jupyter_oidc.contract.reader import word_in
from jupyter_oidc.kernel.library_frames import author_traceback
from jupyter_oidc.kernel.plain_text import plain
from jupyter_oidc.language import _, heard, told

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "AudienceRefused",
    "BadHeader",
    "BadPath",
    "BodyTooLarge",
    "BrokerUnavailable",
    "CallFailed",
    "CallRefused",
    "CallerForbidden",
    "ClientTooSlow",
    "ClockSkew",
    "ConfigurationInvalid",
    "ContractError",
    "CsrfFailed",
    "DiscoveryFailed",
    "EgressProxyAuth",
    "Forbidden",
    "GrantInvalid",
    "HeadersTooLarge",
    "IdTokenRejected",
    "IdpUnavailable",
    "IssuerMismatch",
    "LogoutTokenInvalid",
    "MethodNotAllowed",
    "NoOperations",
    "NotAKernel",
    "NotSignedIn",
    "OIDCError",
    "OIDCWarning",
    "OpenapiInvalid",
    "Overloaded",
    "ProviderUnclear",
    "RequestInvalid",
    "ResponseMalformed",
    "RouteForbidden",
    "ServerNotFound",
    "SessionExpired",
    "SignInCancelled",
    "SignInDeclined",
    "SignInRefused",
    "SignInTimeout",
    "StateInvalid",
    "StateUsed",
    "StepUpRequired",
    "StorageUnavailable",
    "TlsUntrusted",
    "TokenResponseInvalid",
    "UnknownApi",
    "UnknownFlow",
    "UnknownProvider",
    "UpstreamProtocolError",
    "UpstreamTimeout",
    "UpstreamUnreachable",
    "UserinfoRejected",
]
"""The errors and warnings: `jupyter_oidc` has them all by these names."""


class OIDCError(Exception):
    """Base of all exceptions of the helper.

    ``code`` is the stable word of the contract, or of the helper's own errors; ``message`` describes the error,
    ``action`` is the next step for the user, ``retryable`` says whether the same call may work later, ``request_id``
    finds the error in the server's log. ``params`` are the facts of the error by name; the attributes ``api`` to
    ``seconds`` are those that many errors have, and empty where the server does not know them.
    """

    code: str = "oidc_error"

    def __init__(
        self,
        message: str,
        *,
        action: str = "",
        link: str | None = None,
        retryable: bool = False,
        request_id: str | None = None,
        params: Mapping[str, object] | None = None,
    ) -> None:
        self.message = message
        self.action = action
        self.link = link if link is None or link.isprintable() else None
        self.retryable = retryable
        self.request_id = request_id
        self.params = dict(params or {})
        super().__init__(message)

    @property
    def api(self) -> str | None:
        """The API of the call."""
        return self._text("api")

    @property
    def provider(self) -> str | None:
        """The provider of the API, or of the session."""
        return self._text("provider")

    @property
    def methods(self) -> list[str]:
        """The methods that the API opens."""
        return self._texts("methods")

    @property
    def paths(self) -> list[str]:
        """The paths below which the API is open; none if all of it is."""
        return self._texts("paths")

    @property
    def missing(self) -> list[str]:
        """The scopes that the provider does not give."""
        return self._texts("scopes")

    @property
    def names(self) -> list[str]:
        """The names that exist, the nearest first."""
        return self._texts("names")

    @property
    def seconds(self) -> int | None:
        """The seconds after which the call may work."""
        seconds = self.params.get("seconds")
        return int(seconds) if isinstance(seconds, (int, float)) else None

    def _text(self, name: str) -> str | None:
        fact = self.params.get(name)
        return fact if isinstance(fact, str) else None

    def _texts(self, name: str) -> list[str]:
        fact = self.params.get(name)
        return [str(one) for one in fact] if isinstance(fact, (list, tuple)) else []

    def __str__(self) -> str:
        parts = [self.message, self.action, self.link or ""]
        return " ".join(plain(part) for part in parts if part)

    def _render_traceback_(self) -> list[str]:
        """Return what IPython shows: the author's own lines, the last of them at the end, then the error in a few lines."""
        lines = [f"{type(self).__name__}: {self.message}", self.action, self.link or ""]
        if self.request_id:
            place = [_("API {name}", name=self.api)] if self.api else []
            place += [_("provider {name}", name=self.provider)] if self.provider else []
            place.append(_("request {name}", name=self.request_id))
            lines.append(f"({', '.join([self.code, *place])})")
        return [*self._author_lines(), *(plain(line) for line in lines if line)]

    def _author_lines(self) -> list[str]:
        """Return the traceback without the frames of libraries, in the form that the notebook is set to."""
        frames = author_traceback(self.__traceback__)
        if frames is None:
            return []
        module: Any = sys.modules.get("IPython")
        shell = module.get_ipython() if module is not None else None
        if shell is None:
            return [line.rstrip("\n") for line in traceback.format_tb(frames)]
        shown: list[str] = shell.InteractiveTB.structured_traceback(type(self), self, frames)
        ends_with_error = bool(shown) and str(self) in shown[-1]
        return shown[:-1] if ends_with_error else shown

    def _repr_html_(self) -> str:
        open_it = escape(_("Open"))
        link = f' <a href="{escape(self.link)}" target="_blank" rel="noopener">{open_it}</a>' if self.link else ""
        return f"<p><b>{escape(self.message)}</b><br>{escape(self.action)}{link}</p>"


class OIDCWarning(UserWarning):
    """Base of warnings: a call works, but not as its caller may expect.

    Filter them with ``warnings.filterwarnings``.
    """


class _NeedsSignIn(OIDCError):
    """Base of errors that a sign-in resolves; ``link`` leads to JupyterLab, if the server knows its public address."""

    how: ClassVar[str] = "oidc.sign_in()"


class RequestInvalid(OIDCError):
    """The call does not match its contract."""

    code = "request_invalid"


class BadPath(OIDCError):
    """The path is not allowed through the proxy."""

    code = "bad_path"


class BadHeader(OIDCError):
    """A header cannot be forwarded."""

    code = "bad_header"


class StateInvalid(OIDCError):
    """The callback belongs to no sign-in of that browser."""

    code = "state_invalid"


class StateUsed(OIDCError):
    """The sign-in was already finished."""

    code = "state_used"


class ResponseMalformed(OIDCError):
    """The provider's answer to the browser cannot be used."""

    code = "response_malformed"


class LogoutTokenInvalid(OIDCError):
    """A logout token was refused."""

    code = "logout_token_invalid"


class NotSignedIn(_NeedsSignIn):
    """No user is signed in."""

    code = "not_signed_in"


class SessionExpired(_NeedsSignIn):
    """The provider ended the session."""

    code = "session_expired"


class StepUpRequired(_NeedsSignIn):
    """The API demands a stronger sign-in."""

    code = "step_up_required"
    # NOTE: the server names the API, which sign_in() needs: without it, an active session returns at once.
    how = ""


class GrantInvalid(OIDCError):
    """This kernel could not prove that it belongs to the server."""

    code = "grant_invalid"


class CsrfFailed(OIDCError):
    """The request came from another site or without an XSRF token."""

    code = "csrf_failed"


class Forbidden(OIDCError):
    """The server does not admit this caller."""

    code = "forbidden"


class RouteForbidden(OIDCError):
    """The settings do not allow this part of the API."""

    code = "route_forbidden"


class CallerForbidden(OIDCError):
    """The settings do not allow this API to kernels."""

    code = "caller_forbidden"


class UnknownProvider(OIDCError):
    """No provider of that name."""

    code = "unknown_provider"


class UnknownApi(OIDCError):
    """No API of that name."""

    code = "unknown_api"


class NoOperations(OIDCError):
    """The settings name no OpenAPI document for this API, or the document has no such operation."""

    code = "no_operations"


class UnknownFlow(OIDCError):
    """The sign-in is not known any more."""

    code = "unknown_flow"


class MethodNotAllowed(OIDCError):
    """The settings do not allow this method of the API."""

    code = "method_not_allowed"


class ClientTooSlow(OIDCError):
    """The request body arrived too slowly."""

    code = "client_too_slow"


class BodyTooLarge(OIDCError):
    """The request body is too large."""

    code = "body_too_large"


class HeadersTooLarge(OIDCError):
    """The request headers are too large."""

    code = "headers_too_large"


class SignInCancelled(OIDCError):
    """The sign-in was cancelled."""

    code = "sign_in_cancelled"


class SignInDeclined(OIDCError):
    """The sign-in was declined at the provider."""

    code = "sign_in_declined"


class SignInRefused(OIDCError):
    """The provider refused the sign-in."""

    code = "sign_in_refused"


class ConfigurationInvalid(OIDCError):
    """The server's settings contain mistakes."""

    code = "configuration_invalid"


class IssuerMismatch(OIDCError):
    """The provider is not the configured one."""

    code = "issuer_mismatch"


class DiscoveryFailed(OIDCError):
    """The provider's metadata cannot be used."""

    code = "discovery_failed"


class TokenResponseInvalid(OIDCError):
    """The provider's token response cannot be used."""

    code = "token_response_invalid"


class IdTokenRejected(OIDCError):
    """The provider's ID token was refused."""

    code = "id_token_rejected"


class UserinfoRejected(OIDCError):
    """The provider's user information was refused."""

    code = "userinfo_rejected"


class AudienceRefused(OIDCError):
    """The provider issues no token for this API."""

    code = "audience_refused"


class ClockSkew(OIDCError):
    """The clocks of server and provider differ too much."""

    code = "clock_skew"


class UpstreamUnreachable(OIDCError):
    """The API cannot be reached."""

    code = "upstream_unreachable"


class UpstreamProtocolError(OIDCError):
    """The API breaks HTTP."""

    code = "upstream_protocol_error"


class TlsUntrusted(OIDCError):
    """A certificate is not trusted."""

    code = "tls_untrusted"


class EgressProxyAuth(OIDCError):
    """The forward proxy of the server refuses the server's credentials."""

    code = "egress_proxy_auth"


class IdpUnavailable(OIDCError):
    """The provider cannot be reached."""

    code = "idp_unavailable"


class StorageUnavailable(OIDCError):
    """The session's store cannot be used."""

    code = "storage_unavailable"


class Overloaded(OIDCError):
    """Too many requests run at once."""

    code = "overloaded"


class BrokerUnavailable(OIDCError):
    """The broker that holds the sessions does not answer."""

    code = "broker_unavailable"


class OpenapiInvalid(OIDCError):
    """The OpenAPI document of this API cannot be had or read."""

    code = "openapi_invalid"


class UpstreamTimeout(OIDCError):
    """The API did not answer in time."""

    code = "upstream_timeout"


class ServerNotFound(OIDCError):
    """The Jupyter server of this kernel cannot be found or reached."""

    code = "server_not_found"


class NotAKernel(OIDCError):
    """This process has no kernel connection file to prove its identity with."""

    code = "not_a_kernel"


class ContractError(OIDCError):
    """The server answered something that its contract does not allow."""

    code = "contract_broken"


class SignInTimeout(OIDCError):
    """The sign-in was not finished in time."""

    code = "sign_in_timeout"


class ProviderUnclear(OIDCError):
    """Several providers are configured, and none was named."""

    code = "provider_unclear"


class CallRefused(OIDCError):
    """The server refuses the call (a status of 400 to 499) with a ``code`` that this version does not know."""

    code = "call_refused"


class CallFailed(OIDCError):
    """The call, or the sign-in, fails at the server with a ``code`` that this version does not know."""

    code = "call_failed"


LOCAL = (ServerNotFound, NotAKernel, ContractError, SignInTimeout, ProviderUnclear, CallRefused, CallFailed)
"""Raised by the helper itself; the server knows none of them."""


def _public() -> dict[str, type[OIDCError]]:
    kinds = [kind for kind in globals().values() if isinstance(kind, type) and issubclass(kind, OIDCError)]
    return {kind.code: kind for kind in kinds if kind.code != "oidc_error" and kind not in LOCAL}


BY_CODE: dict[str, type[OIDCError]] = _public()
"""The exception for every code of the contract."""


def of_reply(body: dict[str, Any], status: int | None = None) -> OIDCError:
    """Return the exception for an ``error`` message that was read by its contract.

    A code of a newer server becomes the exception of the class of its ``status`` (RFC 9110, 15), with that code.
    The link comes from the server, which may know the address of JupyterLab for browsers; this process's own address of the
    server may be another one.
    """
    code, known = word_in(body, "code"), BY_CODE.get(body["code"])
    kind = known or (CallRefused if status is not None and 400 <= status < 500 else CallFailed)
    message, action = (told(heard(body[text], body.get(f"{text}_sentences") or ())) for text in ("message", "action"))
    link = None if known else body.get("link")
    if issubclass(kind, _NeedsSignIn):
        link, provider = body.get("link"), body.get("params", {}).get("provider")
        how = kind.how.replace("()", f"({provider!r})") if provider else kind.how
        if link is not None:
            action += " " + (_("Run {call} or open JupyterLab:", call=how) if how else "JupyterLab:")
        elif how:
            action += " " + _("Run {call}, or open the sign-in panel in JupyterLab.", call=how)
    error = kind(
        message,
        action=action,
        link=link,
        retryable=body["retryable"],
        request_id=body["request_id"],
        params=body.get("params"),
    )
    if known is None and code is not None:
        error.code = code
    return error
