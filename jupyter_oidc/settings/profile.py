"""A security profile: one setting that sets the values it demands, and reports every setting that contradicts it.

``fapi2`` is the FAPI 2.0 Security Profile, as far as a client can ensure it (5.3.3, 5.4).
This module refuses to weaken: a setting against the profile is a mistake, and is never replaced silently.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Protocol

from jupyter_oidc.language import N_, any_of, sentence
from jupyter_oidc.settings.model import PROFILE_ALGORITHMS, TLS_METHODS
from jupyter_oidc.settings.secret_reference import Keys
from jupyter_oidc.strategies import STRATEGIES, facts_of

if TYPE_CHECKING:
    from collections.abc import Mapping

_CERTIFICATE_BOUND_TOKENS: Final = "tls_client_certificate_bound_access_tokens"
_DPOP_BOUND_TOKENS: Final = "dpop_bound_access_tokens"
_METHODS: Final = ("private_key_jwt", *TLS_METHODS)
_STRATEGIES: Final = tuple(one for one in STRATEGIES if facts_of(one).in_profile)


class _Keys(Keys, Protocol):
    body: dict[str, Any]

    def fill_defaults(self, defaults: Mapping[str, Any]) -> None: ...


def apply_profile(keys: _Keys, profile: str | None) -> None:
    """Fill in the values that ``profile`` demands for missing keys, and report those that contradict it."""
    if profile is None:
        return
    keys.fill_defaults(
        {
            "pushed_authorization_requests": "always",
            "token_endpoint_auth_method": "private_key_jwt",
            _DPOP_BOUND_TOKENS: keys.body.get(_CERTIFICATE_BOUND_TOKENS) is not True,
        }
    )
    body = keys.body
    for key, fitting in (
        ("pushed_authorization_requests", ("always",)),
        ("token_endpoint_auth_method", _METHODS),
        ("id_token_signed_response_alg", (None, *PROFILE_ALGORITHMS)),
        ("userinfo_signed_response_alg", (None, *PROFILE_ALGORITHMS)),
        ("token_endpoint_auth_signing_alg", (None, *PROFILE_ALGORITHMS)),
        ("redirect_strategy", (None, "auto", *_STRATEGIES)),
        ("api_bearer_token_source", (None, "access_token")),
    ):
        if body.get(key) not in fitting:
            words = [f"'{one}'" for one in fitting if one is not None]
            _report(keys, key, sentence("Write {alternatives}.", alternatives=any_of(words)))
    if body.get(_DPOP_BOUND_TOKENS) is not True and body.get(_CERTIFICATE_BOUND_TOKENS) is not True:
        _report(
            keys, _DPOP_BOUND_TOKENS, sentence("Write True, or set {entry} to True.", entry=_CERTIFICATE_BOUND_TOKENS)
        )
    if body.get("allow_insecure_loopback"):
        _report(keys, "allow_insecure_loopback", N_("Remove it; provider and APIs are reached by https."))
    for key in ("metadata_url", "endpoints"):
        if body.get(key):
            _report(
                keys, key, N_("Remove it; endpoints are those that the provider's metadata name, below the issuer.")
            )


def check_api(keys: _Keys, profile: str | None) -> None:
    """Report an API that contradicts ``profile`` by being called with an ID token, which is not sender-constrained."""
    if profile is not None and keys.body.get("api_bearer_token_source") not in (None, "access_token"):
        _report(keys, "api_bearer_token_source", N_("Write 'access_token', or remove it."))


def _report(keys: _Keys, key: str, instead: str) -> None:
    keys.at.add(key, N_("contradicts the profile 'fapi2'"), instead, "contradictory")
