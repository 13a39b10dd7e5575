"""The demo's OpenID Provider: nanoidp, a real provider, configured for two personas and one public client.

It runs in a process of its own on a loopback port that the system chooses. It is never reachable from another
machine, and it is no part of the product: no module outside the demo imports it (ADR 0010).
"""

from __future__ import annotations

import argparse
import json
import logging
import secrets
import signal
import socket
import sys
import threading
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jupyter_oidc.demo import parent_watch
from jupyter_oidc.demo.binder_provider import PublicAddressMiddleware
from jupyter_oidc.demo.issued_tokens import IssuedTokenLog
from jupyter_oidc.demo.personas import ACCESS_TOKEN_SECONDS, API, CLIENT_ID, NAME_CLAIMS, PERSONAS, SCOPES
from jupyter_oidc.demo.sign_in_pages import dress

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

HOST = "127.0.0.1"
"""Another host name than Jupyter's ``localhost``: cookies know no ports, so the two never mix."""


def settings_document(issuer: str, redirect_uris: Sequence[str], keys: Path) -> dict[str, Any]:
    """Return nanoidp's ``settings.yaml`` as a value."""
    return {
        "config_version": 1,
        "config_validation": "strict",
        # Draft OAuth 2.1: PKCE with S256 is required, refresh tokens rotate, no password grant.
        "security_profile": "oauth21",
        "server": {"host": HOST, "port": int(issuer.rpartition(":")[2])},
        "oauth": {
            "issuer": issuer,
            "audience": API,
            "token_expiry_minutes": 1,
            "refresh_token_expiry_minutes": 480,
            "refresh_token_rotation": True,
            "require_pkce": True,
            "scopes_supported": list(SCOPES),
            "clients": [
                {
                    "client_id": CLIENT_ID,
                    "token_endpoint_auth_method": "none",
                    "description": "JupyterLab (demo)",
                    "show_description": True,
                    "redirect_uris": list(redirect_uris),
                    "allowed_scopes": list(SCOPES),
                },
            ],
        },
        "jwt": {"algorithm": "RS256", "keys_dir": str(keys)},
        # Personas have no passwords: a person is chosen on the page of :mod:`jupyter_oidc.demo.sign_in_pages`.
        "login": {"mode": "persona"},
        # NOTE: nanoidp's management pages are open by default; here the secret is random and not kept.
        "session": {
            "secret_key": secrets.token_urlsafe(32),
            "management_secret": secrets.token_urlsafe(32),
            "require_ui_login": True,
        },
        "logging": {"level": "INFO", "verbose_logging": False},
        "cors_allowed_origins": [],
    }


def users_document() -> dict[str, Any]:
    """Return nanoidp's ``users.yaml`` as a value: entitlements are the claim ``roles``."""
    return {
        "config_version": 1,
        "users": {
            persona.username: {
                "description": persona.about,
                "email": persona.email,
                "roles": list(persona.roles),
                "attributes": {claim: getattr(persona, claim) for claim in NAME_CLAIMS},
            }
            for persona in PERSONAS
        },
    }


def write_configuration(folder: Path, issuer: str, redirect_uris: Sequence[str]) -> None:
    """Write both documents for this user only; JSON is YAML, so no YAML library is needed."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name, document in (
        ("settings.yaml", settings_document(issuer, redirect_uris, folder / "keys")),
        ("users.yaml", users_document()),
    ):
        path = folder / name
        path.touch(mode=0o600)
        path.write_text(json.dumps(document, indent=2), encoding="utf-8")


def short_lived(create_token: Callable[..., dict[str, Any]], seconds: int) -> Callable[..., dict[str, Any]]:
    """Return ``create_token`` with a lifetime in seconds; nanoidp's own settings count whole minutes."""

    @wraps(create_token)
    def create(service: Any, *arguments: Any, **options: Any) -> dict[str, Any]:
        reply = create_token(service, *arguments, **{**options, "exp_minutes": seconds / 60})
        return {**reply, "expires_in": seconds}

    return create


def with_names(create_token: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    """Return ``create_token`` with the person's names at UserInfo; nanoidp's scope ``profile`` holds the user name only."""

    @wraps(create_token)
    def create(service: Any, *arguments: Any, **options: Any) -> dict[str, Any]:
        asked = options.get("userinfo_claims") or []
        names = NAME_CLAIMS if "profile" in (options.get("scope") or "").split() else ()
        # NOTE: a refresh brings along what was asked for before.
        return create_token(
            service, *arguments, **{**options, "userinfo_claims": list(dict.fromkeys([*asked, *names]))}
        )

    return create


def main() -> None:
    """Serve until standard input ends."""
    parser = argparse.ArgumentParser(prog="python -m jupyter_oidc.demo.provider")
    parser.add_argument("--folder", type=Path, required=True, help="where the configuration and keys are written")
    parser.add_argument("--ready", type=Path, required=True, help="the file that receives the issuer when ready")
    parser.add_argument("--redirect-uri", action="append", default=[], help="a redirect URI to register")
    parser.add_argument(
        "--issued-tokens", type=Path, help="note everything that is issued in this file (demo-check only)"
    )
    parser.add_argument("--told", type=Path, help="the file that tells where browsers see the provider (Binder only)")
    chosen = parser.parse_args()

    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    parent_watch.watch_parent(grace=3)
    with socket.create_server((HOST, 0)) as listener:
        issuer = f"http://{HOST}:{listener.getsockname()[1]}"
        write_configuration(chosen.folder, issuer, chosen.redirect_uri)
        server = _server(listener, chosen.folder, chosen.redirect_uri, chosen.issued_tokens)
        if chosen.told is not None:
            server.app = PublicAddressMiddleware(server.app, issuer, chosen.told)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        parent_watch.publish(chosen.ready, issuer)
        threading.Event().wait()


def _server(listener: socket.socket, folder: Path, redirect_uris: Sequence[str], issued_tokens: Path | None) -> Any:
    from nanoidp.app import create_app
    from nanoidp.services.token import TokenService
    from werkzeug.serving import make_server

    TokenService.create_token = with_names(short_lived(TokenService.create_token, ACCESS_TOKEN_SECONDS))
    app = create_app(str(folder), strict_config=True)
    dress(app, redirect_uris)
    # Request lines hold the user's authorization request; the application's own lines suffice.
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    if issued_tokens is not None:
        app.wsgi_app = IssuedTokenLog(app.wsgi_app, issued_tokens)
    host, port = listener.getsockname()[:2]
    return make_server(host, port, app, threaded=True, fd=listener.fileno())


if __name__ == "__main__":
    main()
