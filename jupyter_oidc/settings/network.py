"""How a destination is reached: the keys that a provider and an API have in common for corporate networks.

There is no key that turns the verification of a certificate off, and there will be none (H-1, G-4).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Protocol, TypedDict
from urllib.parse import urlsplit

from jupyter_oidc.settings.model import SecretRef

if TYPE_CHECKING:
    from typing import Literal

NO_PROXY_AT_ALL: Final = "none"
"""What ``egress_proxy`` says where even a proxy of the environment is not to be used."""

_REFERENCE: Final = "Write 'env:NAME', 'file:PATH' or 'keyring:SERVICE/USER'; a secret never stands in the settings."


class NetworkSettings(TypedDict):
    """The arguments that a :class:`Provider` and an :class:`Api` take alike."""

    egress_proxy: str | None
    egress_proxy_credentials: SecretRef | None
    client_certificate: str | None
    client_certificate_key: SecretRef | None
    client_certificate_password: SecretRef | None


class _At(Protocol):
    def add(self, key: str, problem: str, instead: str) -> None: ...


class _Keys(Protocol):
    @property
    def at(self) -> _At: ...

    def take(self, key: str) -> Any: ...

    def text(self, key: str) -> str | None: ...


def read_network(keys: _Keys) -> NetworkSettings:
    """Read the keys, and report every mistake."""
    proxy, credentials = _egress_proxy(keys), _reference(keys, "egress_proxy_credentials")
    if credentials is not None and proxy in (None, NO_PROXY_AT_ALL):
        instead = "Write the proxy's address there; credentials go to no proxy that the settings do not name."
        keys.at.add("egress_proxy", "is missing, and egress_proxy_credentials needs it", instead)
    certificate = keys.text("client_certificate")
    key, password = (_reference(keys, f"client_certificate_{part}") for part in ("key", "password"))
    if certificate is None and (key or password):
        instead = "Write the path of the PEM file with the certificate there."
        keys.at.add("client_certificate", "is missing, and its key or password is given", instead)
    return {
        "egress_proxy": proxy,
        "egress_proxy_credentials": credentials,
        "client_certificate": certificate,
        "client_certificate_key": key,
        "client_certificate_password": password,
    }


def _egress_proxy(keys: _Keys) -> str | None:
    key = "egress_proxy"
    value = keys.text(key)
    if value is None or value == NO_PROXY_AT_ALL:
        return value
    try:
        parts = urlsplit(value)
        host, port = parts.hostname, parts.port
    except ValueError:
        parts, host, port = urlsplit(""), None, None
    if "@" in value:
        instead = "Remove it, and name a secret of the form user:password in egress_proxy_credentials."
        keys.at.add(key, "holds a user name or password", instead)
    elif parts.scheme != "http" or not host or not port or parts.path not in ("", "/") or parts.query or parts.fragment:
        instead = "Write 'http://proxy.example.com:3128', with its port, or 'none'; TLS runs inside it, to its end."
        keys.at.add(key, "is not the address of an http proxy", instead)
    elif not value.isascii():
        keys.at.add(key, "is not the address of an http proxy", "Write its host name in ASCII letters.")
    else:
        return f"http://{f'[{host}]' if ':' in host else host}:{port}"
    return None


def _reference(keys: _Keys, key: str) -> SecretRef | None:
    value = keys.take(key)
    if value is None:
        return None
    scheme, _, name = value.partition(":") if isinstance(value, str) else ("", "", "")
    if name and name.isprintable():
        known: Literal["env", "file", "keyring"]
        for known in ("env", "file", "keyring"):
            if scheme == known:
                return SecretRef(known, name)
    keys.at.add(key, "is not a reference (its value is not shown here)", _REFERENCE)
    return None
