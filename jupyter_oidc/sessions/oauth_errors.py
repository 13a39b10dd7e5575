"""Maps a provider's error codes to their meanings: one table for both endpoints, for sign-ins and for refreshes.

Each registered code has a category, which decides what the session does, and a text, which tells the user what to do.
Codes that are not in the table have become ``other`` before they come here; a peer's own text never does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from jupyter_oidc.language import N_, Sentence
from jupyter_oidc.problems import IdpUnavailable, Problem, SignInDeclined, SignInRefused
from jupyter_oidc.protocol.id_token import ACR_TOO_WEAK_DETAIL

Category = Literal["declined", "spent", "person", "scope", "audience", "set-up", "transient", "other"]
"""``person``: a person has to interact.

``set-up``: settings here or at the provider; ``spent``: the code or token is used up.
"""

Place = Literal["authorization", "token", "device", "pushed"]
"""The endpoint that refuses a sign-in: authorization, token, device authorization, or pushed authorization requests."""


@dataclass(frozen=True, slots=True)
class Meaning:
    """The meaning of one code; ``says`` holds the code as ``{error}``."""

    category: Category
    says: str
    action: str


_LATER: Final = N_("Try again in a moment. If it stays so, ask the provider's administrator.")
_NO_OBJECTS: Final = N_(
    "Ask your administrator to switch off what makes the provider expect signed requests of this client."
)
_FLOW: Final = N_("Ask your administrator to allow this client the authorization code grant at the provider.")
_DEVICE_FLOW: Final = N_("Ask your administrator to allow this client the device authorization grant at the provider.")
_OTHER: Final = Meaning(
    "other",
    N_("The provider refuses the sign-in for a reason that has no registered name ({error})."),
    N_("Sign in again. If it happens again, ask your administrator to look for it in the provider's log."),
)

NO_CHOICE_DETAIL: Final = "authorization.no_choice_of_accounts"
"""The finer reason of a sign-in that asked for a choice which the provider does not offer."""

MEANINGS: Final[dict[str, Meaning]] = {
    "access_denied": Meaning("declined", SignInDeclined.default_message, SignInDeclined.default_action),
    "invalid_grant": Meaning(
        "spent",
        N_(
            "The provider does not accept the code of this sign-in: it was used already, is too old, or "
            "belongs to another client ({error})."
        ),
        N_(
            "Sign in again. If it happens again, ask your administrator to compare client_id and "
            "redirect_uri with the registration."
        ),
    ),
    "expired_token": Meaning(
        "spent", N_("The code of this sign-in has run out ({error})."), N_("Sign in again to get a new code.")
    ),
    "invalid_token": Meaning(
        "spent",
        N_("The provider does not accept what this sign-in has sent it as proof ({error})."),
        N_("Sign in again."),
    ),
    "login_required": Meaning(
        "person",
        N_("The provider wants you to log in there ({error})."),
        N_("Sign in again, and log in on the provider's page."),
    ),
    "interaction_required": Meaning(
        "person",
        N_("The provider has to ask you something ({error})."),
        N_("Sign in again, and answer what the provider's page asks."),
    ),
    "consent_required": Meaning(
        "person",
        N_("The provider wants your consent first ({error})."),
        N_("Sign in again and agree on the provider's page, or ask your administrator to consent for everybody."),
    ),
    "account_selection_required": Meaning(
        "person",
        N_("The provider does not know which of your accounts is meant ({error})."),
        N_("Sign in again, and choose an account."),
    ),
    "unmet_authentication_requirements": Meaning(
        "person",
        N_("The provider could not sign you in as strongly as was asked for ({error})."),
        N_("Sign in again with a second factor. If you have none, ask your administrator for one."),
    ),
    "invalid_scope": Meaning(
        "scope",
        N_("The provider does not allow this application a scope that was asked for ({error})."),
        N_(
            "Ask your administrator to remove it from 'scopes' in the settings (often it is "
            "offline_access), or to allow it there."
        ),
    ),
    "invalid_target": Meaning(
        "audience",
        N_("The provider does not issue tokens for the API that was named ({error})."),
        N_("Ask your administrator to compare 'audience' in the settings with what the provider calls the API."),
    ),
    "invalid_client": Meaning(
        "set-up",
        N_("The provider does not recognise this application, or not its secret or key ({error})."),
        N_(
            "Ask your administrator to check client_id, client_secret and token_endpoint_auth_method in "
            "the settings; of a key, 'jupyter oidc doctor' shows the public half and the id that the "
            "provider has to know."
        ),
    ),
    "unauthorized_client": Meaning(
        "set-up", N_("The provider does not let this application sign people in this way ({error})."), _FLOW
    ),
    "unsupported_grant_type": Meaning(
        "set-up", N_("The provider does not exchange this kind of code for tokens ({error})."), _FLOW
    ),
    "unsupported_response_type": Meaning(
        "set-up", N_("The provider does not give this application a code ({error})."), _FLOW
    ),
    "invalid_request": Meaning(
        "set-up",
        N_("The provider finds the request of this application wrong ({error})."),
        N_(
            "Ask your administrator to compare redirect_uri, response_mode and the client's "
            "registration; the provider's log says more."
        ),
    ),
    "invalid_request_object": Meaning("set-up", N_("The provider misses a signed request ({error})."), _NO_OBJECTS),
    "invalid_redirect_uri": Meaning(
        "set-up",
        N_("The provider does not know the address to which it is to send the browser back ({error})."),
        N_("Ask your administrator to compare redirect_uri with the client's registration."),
    ),
    "invalid_request_uri": Meaning(
        "set-up",
        N_("The provider does not know the pushed request of this sign-in, or it has run out ({error})."),
        N_(
            "Sign in again. If it happens again, ask your administrator to set "
            "pushed_authorization_requests to 'always'."
        ),
    ),
    "request_not_supported": Meaning(
        "set-up", N_("The provider speaks of a signed request, and there is none ({error})."), _NO_OBJECTS
    ),
    "request_uri_not_supported": Meaning(
        "set-up",
        N_("The provider does not take pushed requests ({error})."),
        N_("Ask your administrator to set pushed_authorization_requests to 'never', or to allow them at the provider."),
    ),
    "registration_not_supported": Meaning(
        "set-up",
        N_("The provider does not know this client ({error})."),
        N_("Ask your administrator to check client_id in the settings."),
    ),
    "invalid_dpop_proof": Meaning(
        "other",
        N_("The provider does not accept the proof of possession ({error})."),
        N_("Set this machine's clock. If that is right, ask your administrator to check dpop_bound_access_tokens."),
    ),
    "use_dpop_nonce": Meaning(
        "other",
        N_("The provider asks for a nonce in the proof of possession again and again ({error})."),
        N_("Try again. If it happens again, ask your administrator to check dpop_bound_access_tokens."),
    ),
    "server_error": Meaning("transient", N_("The provider reports an error of its own ({error})."), _LATER),
    "temporarily_unavailable": Meaning(
        "transient", N_("The provider is overloaded or being looked after ({error})."), _LATER
    ),
    "authorization_pending": _OTHER,
    "slow_down": _OTHER,
    "other": _OTHER,
}
"""The meaning of each registered code."""


def acr_too_weak() -> SignInRefused:
    """Return the problem of a sign-in that the provider completed at another level than requested (Q5.14)."""
    action = MEANINGS["unmet_authentication_requirements"].action
    return SignInRefused(
        N_("The provider signed you in, but not as strongly as was asked for."),
        action=action,
        detail=ACR_TOO_WEAK_DETAIL,
    )


def no_choice_of_accounts(error: str) -> SignInRefused | None:
    """Return the problem of a sign-in that asked for a choice of accounts, if ``error`` may mean that there is none.

    A provider that does not know the prompt may answer ``invalid_request`` (OpenID Connect Core 1.0, 3.1.2.6).
    """
    if error != "invalid_request":
        return None
    return SignInRefused(
        Sentence(N_("The provider offers no choice of accounts ({error})."), {"error": error}),
        action=N_("Try again: the provider then asks you to log in instead."),
        detail=NO_CHOICE_DETAIL,
    )


def category_of(error: str) -> Category:
    """Return the category of ``error``."""
    return MEANINGS.get(error, _OTHER).category


def refusal_of(error: str, place: Place, *, by_code: bool = False) -> Problem:
    """Return the problem of a sign-in that the provider refused with ``error``; its text and detail hold the code.

    ``by_code`` marks a sign-in by code (RFC 8628); ``place`` is the endpoint that refused it.
    """
    meaning = MEANINGS.get(error, _OTHER)
    if meaning.category == "declined":
        return SignInDeclined(detail=f"declined.{error}")
    kind = IdpUnavailable if meaning.category == "transient" else SignInRefused
    action = _DEVICE_FLOW if meaning.action == _FLOW and (by_code or place == "device") else meaning.action
    return kind(Sentence(meaning.says, {"error": error}), action=action, detail=f"{place}.{error}")
