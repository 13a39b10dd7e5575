"""Acts of Canaille's administrator, by its own models; runs in an environment of its own, beside ``canaille run``.

``python canaille_site.py FOLDER prepare ISSUER | register CLIENT SECRET CALLBACK SIGNED_OUT | end-sessions LOGIN``; the
folder is where ``canaille.toml`` and the database are.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from joserfc.jwk import RSAKey

FOLDER, COMMAND, *WORDS = sys.argv[1:]
SCOPES = ["openid", "profile", "email"]


def prepare(issuer: str) -> None:
    """Write the settings, make the database and the person."""
    key = RSAKey.generate_key(2048, auto_kid=True).as_dict(private=True)
    pairs = ", ".join(f'{name} = "{value}"' for name, value in key.items())
    Path("canaille.toml").write_text(
        f'SECRET_KEY = "only for the tests"\n'
        f'SERVER_NAME = "{urlsplit(issuer).netloc}"\n'
        f'PREFERRED_URL_SCHEME = "http"\n'
        f"[CANAILLE]\n"
        f"[CANAILLE_SQL]\n"
        f'DATABASE_URI = "sqlite:///{Path.cwd()}/canaille.sqlite"\n'
        f"[CANAILLE_OIDC]\n"
        f"ACTIVE_JWKS = [{{ {pairs} }}]\n",
        encoding="utf-8",
    )
    with Opened() as (backend, models):
        person = models.User(
            user_name="ada",
            formatted_name="Ada Example",
            given_name="Ada",
            family_name="Example",
            emails=["ada@example.com"],
            password="analytical",
        )
        backend.save(person)


def register(client_id: str, secret: str, callback: str, signed_out: str) -> None:
    """Register a client with the values that Canaille's own page for it fills in; its audience is itself."""
    with Opened() as (backend, models):
        known = backend.get(models.Client, client_id=client_id)
        if known:
            backend.delete(known)
        client = models.Client(
            client_id=client_id,
            client_secret=secret,
            client_name=client_id,
            client_uri="https://jupyter.example.com",
            redirect_uris=[callback],
            post_logout_redirect_uris=[signed_out],
            grant_types=["authorization_code", "refresh_token"],
            response_types=["code"],
            scope=SCOPES,
            token_endpoint_auth_method="client_secret_basic",
            application_type="web",
            id_token_signed_response_alg="RS256",
        )
        backend.save(client)
        client.audience = [client]
        backend.save(client)


def end_sessions(login: str) -> None:
    """Take all tokens of the person back."""
    with Opened() as (backend, models):
        for token in backend.query(models.Token, subject=backend.get(models.User, user_name=login)):
            backend.delete(token)


class Opened:
    """The application's context with its database, and the models."""

    def __enter__(self) -> tuple[Any, Any]:
        from canaille import create_app
        from canaille.app import models
        from canaille.backends import Backend

        self._context = create_app().app_context()
        self._context.__enter__()
        self._session = Backend.instance.session()
        self._session.__enter__()
        return Backend.instance, models

    def __exit__(self, *error: object) -> None:
        self._session.__exit__(*error)
        self._context.__exit__(*error)


if __name__ == "__main__":
    os.chdir(FOLDER)
    commands: dict[str, Callable[..., None]] = {"prepare": prepare, "register": register, "end-sessions": end_sessions}
    commands[COMMAND](*WORDS)
