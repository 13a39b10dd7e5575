"""Sign in at any OpenID Connect provider from JupyterLab; tokens never leave the Jupyter server.

In a notebook::

    import jupyter_oidc as oidc

    oidc.sign_in()
    oidc.api("orders").get("items").json()

Importing this package imports nothing heavy: every name below is loaded when it is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jupyter_oidc.kernel.errors import (
        AudienceRefused,
        BadHeader,
        BadPath,
        BodyTooLarge,
        CallerForbidden,
        CallFailed,
        CallRefused,
        ClientTooSlow,
        ClockSkew,
        ConfigurationInvalid,
        ContractError,
        CsrfFailed,
        DiscoveryFailed,
        EgressProxyAuth,
        Forbidden,
        GrantInvalid,
        HeadersTooLarge,
        IdpUnavailable,
        IdTokenRejected,
        IssuerMismatch,
        LogoutTokenInvalid,
        MethodNotAllowed,
        NotAKernel,
        NotSignedIn,
        OIDCError,
        OIDCWarning,
        Overloaded,
        ProviderUnclear,
        RequestInvalid,
        ResponseMalformed,
        RouteForbidden,
        ServerNotFound,
        SessionExpired,
        SignInCancelled,
        SignInDeclined,
        SignInRefused,
        SignInTimeout,
        StateInvalid,
        StateUsed,
        StepUpRequired,
        StorageUnavailable,
        TlsUntrusted,
        TokenResponseInvalid,
        UnknownApi,
        UnknownFlow,
        UnknownProvider,
        UpstreamProtocolError,
        UpstreamTimeout,
        UpstreamUnreachable,
        UserinfoRejected,
    )
    from jupyter_oidc.kernel.session import api, async_api, auth, endpoint, session, sign_in, sign_out

__version__ = "0.1.0"

_CALLS = ("api", "async_api", "auth", "endpoint", "session", "sign_in", "sign_out")

_CLIENT_ALONE = (
    "This is the kernel helper alone, of jupyter_oidc_client. A Jupyter server needs all of jupyter_oidc in its own "
    "environment: pip install jupyter_oidc. If it is there already, the client hides it: pip uninstall jupyter_oidc_client."
)

__all__ = [
    "AudienceRefused",
    "BadHeader",
    "BadPath",
    "BodyTooLarge",
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
    "NotAKernel",
    "NotSignedIn",
    "OIDCError",
    "OIDCWarning",
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
    "__version__",
    "api",
    "async_api",
    "auth",
    "endpoint",
    "session",
    "sign_in",
    "sign_out",
]


if not TYPE_CHECKING:  # NOTE: else a type checker would take every name for one of ours, of type Any.

    def __getattr__(name: str) -> Any:
        if name not in __all__:
            raise AttributeError(f"module 'jupyter_oidc' has no attribute {name!r}")
        return getattr(import_module(f"jupyter_oidc.kernel.{'session' if name in _CALLS else 'errors'}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)


def load_ipython_extension(shell: Any) -> None:
    """Add the ``%oidc`` magic: ``%load_ext jupyter_oidc``."""
    import_module("jupyter_oidc.kernel.magics").load(shell)


def _jupyter_server_extension_points() -> list[dict[str, Any]]:
    try:
        extension = import_module("jupyter_oidc.server.extension")
    except ModuleNotFoundError as missing:
        if missing.name != "jupyter_oidc.server":
            raise
        raise ModuleNotFoundError(_CLIENT_ALONE, name=missing.name, path=__file__) from None
    return [{"module": "jupyter_oidc.server.extension", "app": extension.JupyterOIDC}]


def _jupyter_labextension_paths() -> list[dict[str, str]]:
    return [{"src": "labextension", "dest": "@jupyter-oidc/labextension"}]
