"""The certified provider dressed up as each provider that there is a preset for, with the checks of its APIs.

A dressing says how the provider behaves; the settings for it stand in the preset and in ``write``, the part that an
administrator adds. Nothing here is a setting that a real administrator could not make.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.support.certified_provider import Dress, ProviderDocument, Resource
from tests.support.provider_document import ACCOUNTS

CLIENT = "jupyter"
ORDERS = "https://orders.example.com"
_NO_END_SESSION = {"rpInitiatedLogout": {"enabled": False}}


@dataclass(frozen=True, slots=True)
class Dressing:
    """One provider.

    ``write`` and ``api`` are the settings besides preset, issuer and client; the functions get the provider's address
    without a slash at the end. ``must_say`` are claims of a token that an API requires, and ``must_not_say`` such that
    its tokens never have.
    ``signs_out`` is the parameter under which the browser's way back is sent, ``None`` where there is no such page.
    """

    document: ProviderDocument
    write: Callable[[str], dict[str, Any]] = lambda _: {}
    api: dict[str, Any] = field(default_factory=dict)
    must_say: dict[str, Any] = field(default_factory=dict)
    must_not_say: tuple[str, ...] = ()
    revoked: str = "done"
    rotates: bool = True
    signs_out: str | None = None
    entitlements: tuple[str, ...] = ()
    secret: str = ""


def _accounts(**claims: Any) -> dict[str, dict[str, Any]]:
    person = {key: value for key, value in ACCOUNTS["user1"].items() if key not in ("roles", "permissions")}
    return {"user1": {**person, **claims}}


def _one_api(name: str, audience: str, **more: Any) -> dict[str, Any]:
    return {"resources": {name: Resource(audience)}, "default_resource": name, "use_granted_resource": True, **more}


DRESSINGS: dict[str, Dressing] = {
    "clerk": Dressing(
        ProviderDocument(
            **_one_api("urn:any", "urn:any"),
            accounts=_accounts(public_metadata={"roles": ["analyst"]}),
            claims_in_id_token=True,
            features=_NO_END_SESSION,
            dress=Dress(
                access_token_without_audience=True, userinfo_takes_api_tokens=True, asks_for_consent=True, rotates=False
            ),
        ),
        api={"api_bearer_token_source": "id_token"},
        must_say={"aud": CLIENT},
        rotates=False,
        entitlements=("analyst",),
    ),
    "cognito": Dressing(
        ProviderDocument(
            **_one_api("urn:any", "urn:any"),
            accounts=_accounts(**{"cognito:groups": ["analysts"]}),
            claims_in_id_token=True,
            features=_NO_END_SESSION,
            dress=Dress(
                path="/eu-central-1_AbCdEfGhI",
                metadata_without=("code_challenge_methods_supported", "grant_types_supported"),
                refuses_scopes=("offline_access",),
                refresh_token="always",
                rotates=False,
                access_token_without_audience=True,
                userinfo_takes_api_tokens=True,
                logout_page=True,
            ),
        ),
        write=lambda base: {"end_session_endpoint": f"{base}/logout"},
        must_say={"client_id": CLIENT},
        must_not_say=("aud",),
        rotates=False,
        signs_out="logout_uri",
        entitlements=("analysts",),
    ),
    "keycloak": Dressing(
        ProviderDocument(
            **_one_api("urn:orders", "orders"),
            accounts=_accounts(realm_access={"roles": ["analyst", "offline_access"]}),
            dress=Dress(path="/realms/corp", userinfo_takes_api_tokens=True, asks_for_consent=True),
        ),
        must_say={"aud": "orders"},
        signs_out="post_logout_redirect_uri",
        entitlements=("analyst", "offline_access"),
    ),
    "django-oauth-toolkit": Dressing(
        ProviderDocument(
            **_one_api("urn:any", "urn:any"),
            accounts=_accounts(groups=["Analysts"]),
            dress=Dress(
                path="/o",
                refuses_scopes=("offline_access",),
                refresh_token="always",
                access_token_without_audience=True,
                userinfo_takes_api_tokens=True,
            ),
        ),
        must_say={"client_id": CLIENT},
        must_not_say=("aud",),
        signs_out="post_logout_redirect_uri",
        entitlements=("Analysts",),
    ),
    "entra": Dressing(
        ProviderDocument(
            resources={"urn:orders": Resource("6f1c-orders")},
            default_resource="urn:orders",
            accounts=_accounts(roles=["Orders.Read"]),
            claims_in_id_token=True,
            features={"revocation": {"enabled": False}},
            dress=Dress(
                path="/8eaef023-2b34-4da1-9baa-8bc8c9d6a490/v2.0",
                metadata_without=("code_challenge_methods_supported", "authorization_response_iss_parameter_supported"),
                scopes_name_apis={"api://6f1c-orders/.default": "urn:orders"},
                asks_for_consent=True,
            ),
        ),
        api={"scopes": ["api://6f1c-orders/.default"]},
        must_say={"aud": "6f1c-orders"},
        revoked="not-supported",
        signs_out="post_logout_redirect_uri",
        entitlements=("Orders.Read",),
    ),
    "okta": Dressing(
        ProviderDocument(
            **_one_api("urn:default", "api://default"),
            accounts=_accounts(groups=["Everyone", "Analysts"]),
            dress=Dress(path="/oauth2/default", userinfo_takes_api_tokens=True, asks_for_consent=True),
        ),
        must_say={"aud": "api://default"},
        entitlements=("Everyone", "Analysts"),
        signs_out="post_logout_redirect_uri",
    ),
    "auth0": Dressing(
        ProviderDocument(
            resources={ORDERS: Resource(ORDERS)},
            use_granted_resource=True,
            accounts=_accounts(permissions=["orders.read"]),
            claims_in_id_token=True,
            dress=Dress(ends_with="/", userinfo_takes_api_tokens=True, asks_for_consent=True),
        ),
        write=lambda _: {"audience": ORDERS},
        must_say={"aud": ORDERS},
        signs_out="post_logout_redirect_uri",
        entitlements=("orders.read",),
    ),
    "google": Dressing(
        ProviderDocument(
            accounts=_accounts(hd="example.com"),
            claims_in_id_token=True,
            features=_NO_END_SESSION,
            dress=Dress(
                metadata_without=("authorization_response_iss_parameter_supported",),
                refuses_scopes=("offline_access",),
                refresh_token="access_type",
                rotates=False,
            ),
        ),
        write=lambda _: {"client_secret": "env:CORP_SECRET"},
        must_say={"aud": CLIENT},
        rotates=False,
        entitlements=("example.com",),
        secret="a secret of a web application, longer than thirty-two",
    ),
}
