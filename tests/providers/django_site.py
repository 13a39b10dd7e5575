"""A Django project in one file, with Django OAuth Toolkit as its identity provider; runs in an environment of its own.

``python django_site.py FOLDER serve PORT | register CLIENT CALLBACK SIGNED_OUT | end-sessions LOGIN``
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIServer, make_server

import django
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from django.conf import settings
from django.core.management import call_command
from django.core.wsgi import get_wsgi_application
from django.urls import include, path

FOLDER, COMMAND, *WORDS = sys.argv[1:]
ACCESS_TOKEN_SECONDS = 300
TEMPLATE = "<form method=post>{% csrf_token %}<input name=username><input type=password name=password><button>Go</button></form>"


def kept(name: str, make: Callable[[], str]) -> str:
    """Return the text in the file ``name``, made once."""
    file = Path(FOLDER) / name
    if not file.exists():
        file.write_text(make(), encoding="utf-8")
    return file.read_text(encoding="utf-8")


def new_key() -> str:
    """Return an RSA key in PEM."""
    return (
        rsa.generate_private_key(public_exponent=65_537, key_size=2048)
        .private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
        )
        .decode()
    )


settings.configure(
    ALLOWED_HOSTS=["127.0.0.1"],
    SECRET_KEY="only for the tests",
    ROOT_URLCONF=__name__,
    LOGIN_URL="/login/",
    USE_TZ=True,
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": str(Path(FOLDER) / "db.sqlite3")}},
    INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions", "oauth2_provider"],
    MIDDLEWARE=[
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
    ],
    TEMPLATES=[
        {
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "APP_DIRS": True,
            "OPTIONS": {
                "context_processors": ["django.template.context_processors.request"],
            },
        }
    ],
    OAUTH2_PROVIDER={
        "OIDC_ENABLED": True,
        "OIDC_RSA_PRIVATE_KEY": kept("key.pem", new_key),
        "OIDC_RP_INITIATED_LOGOUT_ENABLED": True,
        "OIDC_RP_INITIATED_LOGOUT_DELETE_TOKENS": True,
        "SCOPES": {"openid": "Who you are", "profile": "Your name", "email": "Your address"},
        "ACCESS_TOKEN_EXPIRE_SECONDS": ACCESS_TOKEN_SECONDS,
        "ROTATE_REFRESH_TOKEN": True,
        "REFRESH_TOKEN_REUSE_PROTECTION": True,
        "PKCE_REQUIRED": True,
        "ALLOWED_SCHEMES": ["http", "https"],
    },
)
django.setup()

from django.contrib.auth import get_user_model  # noqa: E402 - Django has to be set up first
from django.contrib.auth.views import LoginView  # noqa: E402
from django.template import engines  # noqa: E402
from oauth2_provider.models import (  # noqa: E402
    get_access_token_model,
    get_application_model,
    get_refresh_token_model,
)


class Login(LoginView):  # type: ignore[misc]  # NOTE: Django has no types here
    """Django's own login, with a page that has a form and nothing else."""

    def render_to_response(self, context: object, **_: object) -> Any:
        """Show the form."""
        from django.http import HttpResponse

        del context
        return HttpResponse(engines["django"].from_string(TEMPLATE).render({}, self.request))


urlpatterns = [path("login/", Login.as_view()), path("o/", include("oauth2_provider.urls"))]


class Threaded(ThreadingMixIn, WSGIServer):
    """Answers several requests at once."""

    daemon_threads = True


def serve(port: str) -> None:
    """Make the database and the person if they are not there, and serve."""
    call_command("migrate", verbosity=0)
    users = get_user_model()
    if not users.objects.filter(username="ada").exists():
        users.objects.create_user("ada", "ada@example.com", "analytical", first_name="Ada", last_name="Example")
    make_server("127.0.0.1", int(port), get_wsgi_application(), server_class=Threaded).serve_forever()


def register(client: str, callback: str, signed_out: str) -> None:
    """Register a public client."""
    applications = get_application_model()
    applications.objects.filter(client_id=client).delete()
    applications.objects.create(
        client_id=client,
        name=client,
        client_type=applications.CLIENT_PUBLIC,
        authorization_grant_type=applications.GRANT_AUTHORIZATION_CODE,
        redirect_uris=callback,
        post_logout_redirect_uris=signed_out,
        algorithm=applications.RS256_ALGORITHM,
        skip_authorization=True,
    )


def end_sessions(login: str) -> None:
    """Take all tokens of the person back."""
    for model in (get_refresh_token_model(), get_access_token_model()):
        model.objects.filter(user__username=login).delete()


if __name__ == "__main__":
    commands: dict[str, Callable[..., None]] = {"serve": serve, "register": register, "end-sessions": end_sessions}
    commands[COMMAND](*WORDS)
