"""Map an answer that is no token, now or at all, to the error that the caller receives."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from jupyter_oidc.language import N_
from jupyter_oidc.problems import IdpUnavailable, NotSignedIn, SessionExpired, StorageUnavailable
from jupyter_oidc.sessions.grant import TryLater

if TYPE_CHECKING:
    from jupyter_oidc.problems import Problem
    from jupyter_oidc.sessions.grant import SignInNeeded

_MESSAGES_BY_REASON: Final = {
    "renewal_refused": (
        N_("The provider{provider_name} refuses to renew the session."),
        N_("Try again in a moment; if it goes on, sign in again."),
    ),
    "provider_configuration": (
        N_("The provider{provider_name} refuses to renew the session because of how this client is set up."),
        N_("Ask your administrator to check the client's settings at the provider."),
    ),
    "egress_proxy_auth": (
        N_("The session cannot be renewed: the egress proxy of this network does not let this server through."),
        N_("Ask your administrator to set egress_proxy_credentials of the provider."),
    ),
    "tls_untrusted": (
        N_(
            "The session cannot be renewed: the certificate that the provider{provider_name} presents is not trusted on this machine."
        ),
        N_("Ask your administrator whether something on the way opens TLS, and to check ca_bundle of the provider."),
    ),
    "configuration_invalid": (
        N_("The session cannot be renewed: something that the settings name is missing."),
        N_("Ask your administrator to check the files and secrets that the provider's settings name."),
    ),
}
"""Message and action for the reasons that do not end by themselves; all others are transient failures."""


ASK_DOCTOR: Final = N_("Run 'jupyter oidc doctor' on the machine of the Jupyter server; it names the folder.")


def problem_without_token(answer: SignInNeeded | TryLater) -> Problem:
    """Return the problem of a caller who needs a token and gets this ``answer``."""
    if isinstance(answer, TryLater):
        return retry_later_problem(answer)
    return SessionExpired() if answer.code == "session_expired" else NotSignedIn()


def retry_later_problem(later: TryLater) -> IdpUnavailable | StorageUnavailable:
    """Return ``later`` as a problem with the time of the next attempt (B6, B8); a storage fault has its own class."""
    if later.reason == StorageUnavailable.code:
        return StorageUnavailable(
            N_(
                "The session cannot be renewed: the place where it is stored, or where servers take turns at "
                "it, cannot be used on this machine."
            ),
            action=later.remedy or ASK_DOCTOR,
            detail=later.reason,
            retry_after=later.seconds,
        )
    message, action = _MESSAGES_BY_REASON.get(later.reason, (None, None))
    return IdpUnavailable(message, action=action, detail=later.reason, retry_after=later.seconds)
