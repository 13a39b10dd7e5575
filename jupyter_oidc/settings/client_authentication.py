"""Reads the settings for client authentication: the keys of a provider that have to fit together (T-3 to T-9)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Protocol, TypedDict

from jupyter_oidc.language import N_, sentence
from jupyter_oidc.settings.algorithms import KEY_ALGORITHMS, SECRET_ALGORITHMS
from jupyter_oidc.settings.secret_reference import Keys

if TYPE_CHECKING:
    from jupyter_oidc.settings.model import AuthMethod, SecretRef

SIGNS_WITH: Final = {"client_secret_jwt": SECRET_ALGORITHMS, "private_key_jwt": KEY_ALGORITHMS}


class ClientAuthentication(TypedDict):
    """The arguments that a :class:`Provider` takes."""

    client_secret: SecretRef | None
    token_endpoint_auth_method: AuthMethod
    token_endpoint_auth_signing_alg: str | None
    client_assertion_key: SecretRef | None
    client_assertion_key_id: str | None


class _Keys(Keys, Protocol):
    def value(self, key: str) -> Any: ...

    def choice(self, key: str, default: str | None, options: tuple[str, ...]) -> Any: ...


def read_client_authentication(keys: _Keys, id_token_alg: str) -> ClientAuthentication:
    """Read the keys, and report every mistake; an ``id_token_alg`` with HMAC needs a client secret too (K-9)."""
    method: AuthMethod = keys.value("token_endpoint_auth_method")
    secret, key = keys.value("client_secret"), keys.value("client_assertion_key")
    key_id = keys.value("client_assertion_key_id")
    alg = keys.take("token_endpoint_auth_signing_alg")
    if keys.take("token_endpoint_auth_method") in (None, method):  # an unknown method has no known keys
        _check_secret(keys, method, secret, id_token_alg)
        _check_key(keys, method, key, key_id)
        alg = _signing_alg(keys, method)
    return {
        "client_secret": secret,
        "token_endpoint_auth_method": method,
        "token_endpoint_auth_signing_alg": alg,
        "client_assertion_key": key,
        "client_assertion_key_id": key_id,
    }


def _check_secret(keys: _Keys, method: AuthMethod, secret: SecretRef | None, id_token_alg: str) -> None:
    if secret is None and keys.take("client_secret") is not None:
        return  # already reported
    add, by_secret = keys.at.add, id_token_alg.startswith("HS")
    if not method.startswith("client_secret") and secret is not None and not by_secret:
        instead = N_("Write 'client_secret_basic', or remove the client_secret.")
        add(
            "token_endpoint_auth_method",
            sentence("is '{method}', but a client_secret is given", method=method),
            instead,
            "contradictory",
        )
    if method.startswith("client_secret") and secret is None:
        instead = N_("Write 'env:NAME' or another reference.")
        add("client_secret", sentence("is missing, and '{entry}' needs it", entry=method), instead, "missing")
    if by_secret and secret is None:
        instead = N_("Write 'RS256', or give the client_secret.")
        add("id_token_signed_response_alg", N_("needs a client_secret"), instead, "contradictory")


def _check_key(keys: _Keys, method: AuthMethod, key: SecretRef | None, key_id: str | None) -> None:
    add, written = keys.at.add, keys.take("client_assertion_key") is not None
    if method == "private_key_jwt" and not written:
        instead = N_("Write 'file:PATH' or another reference to the private key, as PEM or JWK.")
        add("client_assertion_key", sentence("is missing, and '{entry}' needs it", entry=method), instead, "missing")
    elif method != "private_key_jwt" and (key is not None or key_id is not None):
        instead = N_("Write 'private_key_jwt', or remove the key.")
        add(
            "token_endpoint_auth_method",
            sentence("is '{method}', but a key for assertions is given", method=method),
            instead,
            "contradictory",
        )


def _signing_alg(keys: _Keys, method: AuthMethod) -> str | None:
    name, fitting = "token_endpoint_auth_signing_alg", SIGNS_WITH.get(method)
    if fitting is not None:
        alg: str | None = keys.choice(name, None, fitting)
        return alg
    if keys.take(name) is not None:
        instead = N_("Remove it; it belongs to 'private_key_jwt' and 'client_secret_jwt'.")
        keys.at.add(name, sentence("has no meaning for '{method}'", method=method), instead, "contradictory")
    return None
