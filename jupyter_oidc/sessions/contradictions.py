"""Finds contradictions between settings and a provider's metadata, before a sign-in that must fail opens a browser.

Sign-ins and diagnostics use the same rules, so that a report names the errors of a sign-in.
Only an explicit member of the metadata counts: a member that is absent or unusable contradicts nothing, and neither
does a list that a provider may leave incomplete (Discovery 1.0, 3: ``scopes_supported``).
A new rule is one more line in ``RULES``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, get_args

from jupyter_oidc.language import Sentence, counted, joined, sentence
from jupyter_oidc.problems import ConfigurationInvalid, DiscoveryFailed
from jupyter_oidc.protocol.dpop import ALGORITHM as DPOP_ALGORITHM
from jupyter_oidc.sessions.algorithms import id_token_algs
from jupyter_oidc.sessions.request_parameters import uses_pushed_request
from jupyter_oidc.settings.algorithms import KEY_ALGORITHMS, SECRET_ALGORITHMS
from jupyter_oidc.settings.client_authentication import SIGNS_WITH
from jupyter_oidc.settings.model import AuthMethod, ResponseMode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from jupyter_oidc.problems import Problem
    from jupyter_oidc.protocol.discovery import Metadata
    from jupyter_oidc.settings import Provider

Subject = Literal[
    "PKCE",
    "DPoP",
    "client certificate",
    "client authentication",
    "authorization request",
    "ID token",
    "user information",
]


@dataclass(frozen=True, slots=True)
class SignInPlan:
    """The plan of a sign-in: the settings, the values that were chosen where they leave them open, and the strategy.

    ``assertion_alg`` signs the client's assertions, if it sends any.
    ``by_code`` is a sign-in without an authorization request (RFC 8628).
    """

    settings: Provider
    metadata: Metadata
    assertion_alg: str | None = None
    by_code: bool = False


@dataclass(frozen=True, slots=True)
class Contradiction:
    """One contradiction: ``detail`` is a stable name, ``action`` is for the author of the settings or the registration.

    ``kind`` says where it can be corrected: in the settings (``ConfigurationInvalid``), or at the provider alone.
    """

    about: Subject
    detail: str
    message: Sentence
    action: Sentence
    kind: type[ConfigurationInvalid | DiscoveryFailed] = ConfigurationInvalid

    def problem(self, others: int = 0) -> Problem:
        """Return the problem that refuses a sign-in; it gives the number of ``others``, which it does not name."""
        action = sentence("Ask your administrator: {action}", action=self.action)
        more = counted(
            others,
            "{number} more are listed by: jupyter oidc doctor.",
            "{number} more are listed by: jupyter oidc doctor.",
        )
        return self.kind(self.message, action=joined(action, more if others else None), detail=self.detail)


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule; ``only_by_browser`` says that it is about the authorization request."""

    judge: Callable[[SignInPlan], Contradiction | None]
    only_by_browser: bool = False


def contradictions(plan: SignInPlan) -> tuple[Contradiction, ...]:
    """Return every contradiction, in the order of the rules."""
    rules = [rule for rule in RULES if not (plan.by_code and rule.only_by_browser)]
    return tuple(found for rule in rules if (found := rule.judge(plan)) is not None)


def check_contradictions(plan: SignInPlan) -> None:
    """Refuse a sign-in that cannot succeed; raises the ``Problem`` of the first contradiction."""
    found = contradictions(plan)
    if found:
        raise found[0].problem(len(found) - 1)


def _without_pkce(plan: SignInPlan) -> Contradiction | None:
    """D-11; RFC 8414, 2: ``code_challenge_methods_supported``."""
    if _takes(plan.metadata.code_challenge_methods, "S256"):
        return None
    return Contradiction(
        "PKCE",
        "discovery.pkce",
        sentence("The provider does not support PKCE with S256, and without it no sign-in is started."),
        sentence("Allow PKCE with S256 for this client at the provider."),
        DiscoveryFailed,
    )


def _unknown_proofs(plan: SignInPlan) -> Contradiction | None:
    """X-1; RFC 9449, 5.1: ``dpop_signing_alg_values_supported``."""
    if not plan.settings.dpop_bound_access_tokens or _takes(plan.metadata.dpop_signing_algs, DPOP_ALGORITHM):
        return None
    return Contradiction(
        "DPoP",
        "discovery.dpop",
        sentence(
            "The provider does not take DPoP proofs that are signed with {dpop_algorithm}.",
            dpop_algorithm=DPOP_ALGORITHM,
        ),
        sentence(
            "Set dpop_bound_access_tokens to False, or allow {dpop_algorithm} for DPoP at the provider.",
            dpop_algorithm=DPOP_ALGORITHM,
        ),
    )


def _other_client_method(plan: SignInPlan) -> Contradiction | None:
    """T-3; Discovery 1.0, 3: ``token_endpoint_auth_methods_supported``; many accept ``none`` without listing it."""
    method, listed = plan.settings.token_endpoint_auth_method, plan.metadata.token_endpoint_auth_methods
    if method == "none" or _takes(listed, method):
        return None
    return Contradiction(
        "client authentication",
        "token.auth_method",
        sentence("The provider does not list the client authentication method {method}.", method=method),
        _other_method(plan),
    )


def _other_assertion_alg(plan: SignInPlan) -> Contradiction | None:
    """T-9; Discovery 1.0, 3: ``token_endpoint_auth_signing_alg_values_supported``."""
    alg, listed = plan.assertion_alg, plan.metadata.token_endpoint_auth_signing_algs
    if alg is None or _takes(listed, alg):
        return None
    fitting = SIGNS_WITH.get(plan.settings.token_endpoint_auth_method, ())
    another = _set("token_endpoint_auth_signing_alg", listed, fitting)
    return Contradiction(
        "client authentication",
        "token.auth_signing_alg",
        sentence("The provider does not take a client's assertion that is signed with {alg}.", alg=alg),
        another if set(fitting) & (listed or set()) else _other_method(plan),
    )


def _other_method(plan: SignInPlan) -> Sentence:
    methods = (one for one in get_args(AuthMethod) if one != plan.settings.token_endpoint_auth_method)
    return _set("token_endpoint_auth_method", plan.metadata.token_endpoint_auth_methods, methods)


def _pushing_forbidden(plan: SignInPlan) -> Contradiction | None:
    """P-1; RFC 9126, 5: ``require_pushed_authorization_requests``."""
    if not plan.metadata.requires_pushed_requests or uses_pushed_request(plan.settings, plan.metadata):
        return None
    return Contradiction(
        "authorization request",
        "discovery.require_pushed_authorization_requests",
        sentence("The provider takes pushed authorization requests only, and the settings forbid them."),
        sentence("Set pushed_authorization_requests to 'auto'."),
    )


def _nowhere_to_push(plan: SignInPlan) -> Contradiction | None:
    """P-1; RFC 9126, 5: ``pushed_authorization_request_endpoint``."""
    if not uses_pushed_request(plan.settings, plan.metadata) or plan.metadata.pushed_authorization_request_endpoint:
        return None
    return Contradiction(
        "authorization request",
        "discovery.pushed_authorization_request_endpoint",
        sentence(
            "Authorization requests have to be pushed, and the provider's metadata name no usable endpoint for that."
        ),
        sentence("Set pushed_authorization_requests to 'auto', or enable that endpoint at the provider."),
        DiscoveryFailed,
    )


def _no_issuer_in_answers(plan: SignInPlan) -> Contradiction | None:
    """FAPI 2.0 Security Profile, 5.3.3.2; RFC 9207, 3: ``authorization_response_iss_parameter_supported``."""
    if plan.settings.profile is None or plan.metadata.iss_parameter_supported:
        return None
    return Contradiction(
        "authorization request",
        "discovery.authorization_response_iss_parameter_supported",
        sentence("The provider does not say that it names itself in its answers (iss), and the profile asks for that."),
        sentence("Enable that at the provider, or remove 'profile' from the settings."),
        DiscoveryFailed,
    )


def _unbound_tokens(plan: SignInPlan) -> Contradiction | None:
    """RFC 8705, 3.3: ``tls_client_certificate_bound_access_tokens``; without the member it is false."""
    if not plan.settings.tls_client_certificate_bound_access_tokens or plan.metadata.certificate_bound_tokens:
        return None
    return Contradiction(
        "client certificate",
        "discovery.certificate_bound",
        sentence("The provider does not say that it binds access tokens to a client certificate."),
        sentence("Enable that at the provider, or set tls_client_certificate_bound_access_tokens to False."),
    )


def _signed_only(plan: SignInPlan) -> Contradiction | None:
    """RFC 9101, 10.5: ``require_signed_request_object``."""
    if not plan.metadata.requires_signed_requests:
        return None
    return Contradiction(
        "authorization request",
        "discovery.require_signed_request_object",
        sentence("The provider takes signed request objects only, and this version sends none."),
        sentence("Let this client send unsigned authorization requests at the provider, if its policy allows that."),
        DiscoveryFailed,
    )


def _no_code(plan: SignInPlan) -> Contradiction | None:
    """Discovery 1.0, 3: ``response_types_supported``."""
    if _takes(plan.metadata.response_types, "code"):
        return None
    return Contradiction(
        "authorization request",
        "discovery.response_types_supported",
        sentence("The provider does not list the response type 'code', and no other is used here."),
        sentence("Allow the authorization code flow at the provider."),
        DiscoveryFailed,
    )


def _no_code_grant(plan: SignInPlan) -> Contradiction | None:
    """Discovery 1.0, 3: ``grant_types_supported``; without the member it is authorization_code and implicit."""
    if _takes(plan.metadata.grant_types, "authorization_code"):
        return None
    return Contradiction(
        "authorization request",
        "discovery.grant_types_supported",
        sentence(
            "The provider does not list the grant type 'authorization_code', which every sign-in by browser uses."
        ),
        sentence("Allow the authorization code flow at the provider."),
        DiscoveryFailed,
    )


def _other_response_mode(plan: SignInPlan) -> Contradiction | None:
    """OAuth 2.0 Multiple Response Types 1.0, 2; Discovery 1.0, 3: ``response_modes_supported``."""
    mode, listed = plan.settings.response_mode, plan.metadata.response_modes
    if _takes(listed, mode):
        return None
    return Contradiction(
        "authorization request",
        "discovery.response_modes_supported",
        sentence("The provider does not list the response mode '{mode}'.", mode=mode),
        _set("response_mode", listed, get_args(ResponseMode)),
    )


def _other_prompt(plan: SignInPlan) -> Contradiction | None:
    """Initiating User Registration 1.0, 4: ``prompt_values_supported``; any other is refused with status 400."""
    listed = plan.metadata.prompt_values
    unknown = [word for word in (plan.settings.prompt or "").split() if not _takes(listed, word)]
    if not unknown:
        return None
    return Contradiction(
        "authorization request",
        "discovery.prompt_values_supported",
        sentence("The provider does not list the prompt '{prompt}'.", prompt=" ".join(unknown)),
        sentence("Remove it from 'prompt'."),
    )


def _other_id_token_alg(plan: SignInPlan) -> Contradiction | None:
    """G-3; Discovery 1.0, 3: ``id_token_signing_alg_values_supported``."""
    alg, listed = plan.settings.id_token_signed_response_alg, plan.metadata.id_token_signing_algs
    if any(_takes(listed, one) for one in id_token_algs(plan.settings, plan.metadata)):
        return None
    return Contradiction(
        "ID token",
        "discovery.id_token_signing_alg_values_supported",
        sentence("The provider does not sign ID tokens with {alg}.", alg=alg)
        if alg
        else sentence("The provider signs ID tokens with no algorithm that this client may accept."),
        _set("id_token_signed_response_alg", listed, (*KEY_ALGORITHMS, *SECRET_ALGORITHMS)),
    )


def _other_userinfo_alg(plan: SignInPlan) -> Contradiction | None:
    """U-7; Discovery 1.0, 3: ``userinfo_signing_alg_values_supported``."""
    alg, listed = plan.settings.userinfo_signed_response_alg, plan.metadata.userinfo_signing_algs
    if alg is None or _takes(listed, alg):
        return None
    return Contradiction(
        "user information",
        "discovery.userinfo_signing_alg_values_supported",
        sentence("The provider does not sign UserInfo with {alg}.", alg=alg),
        _remove_or_set(_both(listed, (*KEY_ALGORITHMS, *SECRET_ALGORITHMS))),
    )


RULES: Final = (
    Rule(_without_pkce),
    Rule(_unknown_proofs),
    Rule(_unbound_tokens),
    Rule(_other_client_method),
    Rule(_other_assertion_alg),
    Rule(_pushing_forbidden, only_by_browser=True),
    Rule(_nowhere_to_push, only_by_browser=True),
    Rule(_no_issuer_in_answers, only_by_browser=True),
    Rule(_signed_only, only_by_browser=True),
    Rule(_no_code, only_by_browser=True),
    Rule(_no_code_grant, only_by_browser=True),
    Rule(_other_response_mode, only_by_browser=True),
    Rule(_other_prompt, only_by_browser=True),
    Rule(_other_id_token_alg),
    Rule(_other_userinfo_alg),
)


def _takes(listed: frozenset[str] | None, value: str) -> bool:
    """Return whether a list allows ``value``; an absent list allows everything."""
    return listed is None or value in listed


def _set(setting: str, listed: Iterable[str] | None, known: Iterable[str]) -> Sentence:
    """Return the action that names the values which are both listed and known here."""
    values = _both(listed, known)
    if not values:
        return sentence("Set {setting} to one that it lists, which is none that is known here.", setting=setting)
    return sentence("Set {setting} to one that it lists: {values}.", setting=setting, values=values)


def _remove_or_set(values: str) -> Sentence:
    if not values:
        return sentence(
            "Remove userinfo_signed_response_alg for an unsigned answer, or set it to one that it lists, "
            "which is none that is known here."
        )
    return sentence(
        "Remove userinfo_signed_response_alg for an unsigned answer, or set it to one that it lists: {values}.",
        values=values,
    )


def _both(listed: Iterable[str] | None, known: Iterable[str]) -> str:
    """Return the values that are both listed and known here; no other text of the provider is repeated."""
    return ", ".join(value for value in known if value in set(listed or ()))
