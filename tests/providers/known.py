"""The providers at which the journey is made, by the names that the command takes."""

from __future__ import annotations

from tests.providers.canaille import Canaille
from tests.providers.django_oauth_toolkit import DjangoOAuthToolkit
from tests.providers.keycloak import Keycloak
from tests.providers.oauth2_mock_server import OAuth2MockServer

PROVIDERS: dict[str, type[Keycloak | DjangoOAuthToolkit | Canaille | OAuth2MockServer]] = {
    "keycloak": Keycloak,
    "django-oauth-toolkit": DjangoOAuthToolkit,
    "canaille": Canaille,
    "oauth2-mock-server": OAuth2MockServer,
}
