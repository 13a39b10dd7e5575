"""Law 2, one reader: only ``secret_access`` looks inside a ``Secret``, and only named modules may import it.

Proved able to fail: ``test_another_reader_is_noticed`` and ``test_a_look_past_secret_access_is_noticed`` seed a
module of each kind and see it caught.
"""

from __future__ import annotations

from tests.laws.source import Module, modules, seeded

READERS = {
    "jupyter_oidc.adapters.broker.broker_client": "writes the Hub's token on the wire to a broker",
    "jupyter_oidc.broker.hub_api": "hands the Hub's tokens to JupyterHub's own library",
    "jupyter_oidc.broker.hub_login": "seals the Hub's token of a browser in its cookie, and reads it there",
    "jupyter_oidc.adapters.network.client_certificate": "hands the key of a client certificate to OpenSSL",
    "jupyter_oidc.adapters.network.forward_proxy": "writes the egress proxy's credentials into the header for it",
    "jupyter_oidc.adapters.provider.forward_proxy_client": "writes that header on the wire to the provider's proxy",
    "jupyter_oidc.adapters.upstream.forward_proxy_pool": "writes that header on the wire to an API's proxy",
    "jupyter_oidc.adapters.storage.entry_codec": "writes the refresh token into the text that is stored, and reads it there",
    "jupyter_oidc.adapters.network.peer_certificate": "writes the egress proxy's header on the wire, to look through it",
    "jupyter_oidc.adapters.provider.provider_http": "writes credentials on the wire",
    "jupyter_oidc.adapters.storage.jwe_file": "encrypts that text with the storage key",
    "jupyter_oidc.adapters.storage.secret_keeping": "writes a client secret that a set-up was given where its reference leads",
    "jupyter_oidc.adapters.storage.storage_key": "takes the variable with the storage keys apart",
    "jupyter_oidc.adapters.upstream.upstream_http": "writes the bearer token on the wire",
    "jupyter_oidc.adapters.storage.vault_keyring": "stores the refresh token",
    "jupyter_oidc.protocol.audience": "reads for whom an access token says it is, to notice that it is not for an API",
    "jupyter_oidc.protocol.client_assertion": "makes a signing key of the client secret",
    "jupyter_oidc.protocol.client_key": "parses the client's private key",
    "jupyter_oidc.protocol.dpop": "signs proofs with the session's key, and hashes the access token for ath",
    "jupyter_oidc.protocol.id_token": "hashes the access token for at_hash",
    "jupyter_oidc.protocol.jws": "parses and verifies signed objects, and makes an HMAC key of the client secret",
    "jupyter_oidc.adapters.storage.database.access_codec": "writes the access tokens that replicas share, to be sealed",
    "jupyter_oidc.adapters.storage.database.grants": "reads what it has unsealed of a worker grant, which holds no token",
    "jupyter_oidc.adapters.storage.database.postgres": "gives the driver the address of the database, with its password",
    "jupyter_oidc.protocol.message": "parses reply bodies, and opens form fields for the adapter that sends them",
    "jupyter_oidc.protocol.confirmation": "reads to which certificate an access token is bound",
    "jupyter_oidc.protocol.pasted": "takes the pasted address apart",
    "jupyter_oidc.protocol.pkce": "hashes the verifier",
    "jupyter_oidc.sessions.plain_values": "writes the ID token into the fields of the form that posts it to the provider",
}


def unlisted_readers(found: list[Module]) -> list[str]:
    return [
        module.name
        for module in found
        if "jupyter_oidc.secret_access" in module.imports()
        and module.name not in READERS
        and module.name != "jupyter_oidc.secret_access"
    ]


def burglars(found: list[Module]) -> list[str]:
    return [
        module.name
        for module in found
        if "_Secret__value" in module.text and module.name not in ("jupyter_oidc.secret_access", "jupyter_oidc.secret")
    ]


def test_only_listed_modules_read_secrets() -> None:
    assert unlisted_readers(modules()) == []


def test_the_list_of_readers_names_no_module_that_stopped_reading() -> None:
    readers = {module.name for module in modules() if "jupyter_oidc.secret_access" in module.imports()}
    assert set(READERS) - readers == set()


def test_nobody_looks_past_secret_access() -> None:
    assert burglars(modules()) == []


def test_another_reader_is_noticed() -> None:
    leak = seeded("def show(s):\n    from jupyter_oidc.secret_access import reveal\n    return reveal(s)\n")
    assert unlisted_readers([leak]) == ["jupyter_oidc.seeded"]


def test_a_look_past_secret_access_is_noticed() -> None:
    assert burglars([seeded("x = secret._Secret__value")]) == ["jupyter_oidc.seeded"]
