"""Keycloak from Maven Central, in development mode: one-time refresh tokens, device flow, token exchange, DPoP."""

from __future__ import annotations

import secrets
import shutil
import subprocess
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx

from jupyter_oidc.demo.environment import free_port
from tests.providers.real import LOGIN, Addresses, Served, publishes_metadata

VERSION = "26.5.0"
ARTIFACT = f"org.keycloak:keycloak-quarkus-dist:{VERSION}:zip"
ADMIN = ("admin", "admin")
ACCESS_TOKEN_SECONDS = 300
SETTINGS = {
    "preset": "keycloak",
    "scopes": ["openid", "profile", "email"],
    "token_endpoint_auth_method": "client_secret_basic",
    "client_secret": "env:CORP_SECRET",
}
"""Those of a confidential client, which alone may exchange tokens.

Without ``offline_access`` all sign-ins of one browser share a session at Keycloak, which it can end (Q9.1).
"""


def api_settings(audience: str) -> dict[str, Any]:
    """Return an audience and a scope that only token exchange gives: Keycloak ignores the audience in a refresh."""
    return {"audience": audience, "scopes": [f"{audience}-access"]}


def prepared(cache: Path) -> Path:
    """Return the folder of a Keycloak below ``cache`` that has been started once: its first start takes minutes."""
    home = cache / f"keycloak-{VERSION}"
    ready = home / "started-once"
    if not ready.exists():
        shutil.rmtree(home, ignore_errors=True)
        cache.mkdir(parents=True, exist_ok=True)
        subprocess.run(
            ("mvn", "-q", "-B", "dependency:copy", f"-Dartifact={ARTIFACT}", f"-DoutputDirectory={cache}"), check=True
        )
        archive = cache / f"keycloak-quarkus-dist-{VERSION}.zip"
        with zipfile.ZipFile(archive) as packed:
            packed.extractall(cache)
        archive.unlink()
        (home / "bin" / "kc.sh").chmod(0o755)
        port = free_port()
        served = _served(home, port, cache / "keycloak-first-start.log")
        served.start(lambda: publishes_metadata(f"http://127.0.0.1:{port}/realms/master"))
        served.stop()
        ready.touch()
    return home


def _served(home: Path, port: int, log: Path) -> Served:
    command = (str(home / "bin" / "kc.sh"), "start-dev", "--http-host=127.0.0.1", f"--http-port={port}")
    environment = {
        "KC_BOOTSTRAP_ADMIN_USERNAME": ADMIN[0],
        "KC_BOOTSTRAP_ADMIN_PASSWORD": ADMIN[1],
        "JAVA_OPTS_KC_HEAP": "-Xms64m -Xmx512m",
        # NOTE: it lives for minutes, too short a time for the second compiler to pay.
        "JAVA_OPTS_APPEND": "-XX:TieredStopAtLevel=1",
    }
    return Served(command, log, home, environment)


class Keycloak:
    """Implements ``RealProvider``; its database is a file."""

    name = "Keycloak"
    version = VERSION
    not_offered: Mapping[str, str] = {}

    def __init__(self, folder: Path, cache: Path) -> None:
        self._port = free_port()
        self._base = f"http://127.0.0.1:{self._port}"
        self.issuer = f"{self._base}/realms/corp"
        self._secret = secrets.token_urlsafe(32)
        self._home = folder / "keycloak"
        shutil.copytree(prepared(cache), self._home)
        self._served = _served(self._home, self._port, folder / "keycloak.log")

    def start(self) -> None:
        """Start it, and make the realm unless it is there."""
        self._served.start(lambda: publishes_metadata(f"{self._base}/realms/master"))
        if not publishes_metadata(self.issuer):
            with self._administrator() as admin:
                made = admin.post(f"{self._base}/admin/realms", json=_realm())
                assert made.status_code == 201, made.text

    def stop(self) -> None:
        """Stop it; its data are in a file."""
        self._served.stop()

    def settings(self) -> dict[str, Any]:
        """Return what stands in the documentation."""
        return SETTINGS

    def environment(self) -> dict[str, str]:
        """Return the client's secret."""
        return {"CORP_SECRET": self._secret}

    def api(self, audience: str) -> dict[str, Any]:
        """Return what stands in the documentation."""
        return api_settings(audience)

    def register(self, client_id: str, addresses: Addresses) -> None:
        """Register ``client_id``, and a client that stands for the API ``reports``."""
        attributes = {
            "pkce.code.challenge.method": "S256",
            "oauth2.device.authorization.grant.enabled": "true",
            "standard.token.exchange.enabled": "true",
            "backchannel.logout.url": addresses.backchannel_logout,
            "backchannel.logout.session.required": "true",
            "post.logout.redirect.uris": addresses.signed_out,
        }
        client = {
            "clientId": client_id,
            "publicClient": False,
            "secret": self._secret,
            "redirectUris": [addresses.callback],
            "standardFlowEnabled": True,
            "attributes": attributes,
        }
        with self._administrator() as admin:
            for known in admin.get("clients", params={"clientId": client_id}).json():
                admin.delete(f"clients/{known['id']}")
            created = admin.post("clients", json=client)
            assert created.status_code == 201, created.text
            scope = self._scope_for(admin, "reports")
            assert admin.put(f"{created.headers['location']}/optional-client-scopes/{scope}").status_code == 204

    def _scope_for(self, admin: httpx.Client, api: str) -> str:
        """Return the id of the scope that names ``api`` as audience, made once with the client that stands for the API."""
        known = {scope["name"]: scope["id"] for scope in admin.get("client-scopes").json()}
        name = f"{api}-access"
        if name not in known:
            assert admin.post("clients", json={"clientId": api, "bearerOnly": True}).status_code == 201
            mapper = {
                "name": "audience",
                "protocol": "openid-connect",
                "protocolMapper": "oidc-audience-mapper",
                "config": {"included.client.audience": api, "access.token.claim": "true"},
            }
            scope = {"name": name, "protocol": "openid-connect", "protocolMappers": [mapper]}
            made = admin.post("client-scopes", json=scope)
            assert made.status_code == 201, made.text
            return str(made.headers["location"].rsplit("/", 1)[1])
        return str(known[name])

    def end_sessions(self) -> None:
        """End all sessions of the person, which Keycloak tells its clients by the back channel."""
        with self._administrator() as admin:
            (person,) = admin.get("users", params={"username": LOGIN[0], "exact": "true"}).json()
            assert admin.post(f"users/{person['id']}/logout").status_code == 204

    def _administrator(self) -> httpx.Client:
        form = {"grant_type": "password", "client_id": "admin-cli", "username": ADMIN[0], "password": ADMIN[1]}
        address = f"{self._base}/realms/master/protocol/openid-connect/token"
        token = httpx.post(address, data=form, trust_env=False, timeout=60).json()["access_token"]
        headers = {"Authorization": f"Bearer {token}"}
        return httpx.Client(base_url=f"{self._base}/admin/realms/corp/", headers=headers, trust_env=False, timeout=60)


def _realm() -> dict[str, Any]:
    return {
        "realm": "corp",
        "enabled": True,
        "sslRequired": "none",
        "revokeRefreshToken": True,
        "refreshTokenMaxReuse": 0,
        "accessTokenLifespan": ACCESS_TOKEN_SECONDS,
        "users": [
            {
                "username": LOGIN[0],
                "enabled": True,
                "emailVerified": True,
                "firstName": "Ada",
                "lastName": "Example",
                "email": "ada@example.com",
                "realmRoles": ["default-roles-corp"],
                "credentials": [{"type": "password", "value": LOGIN[1], "temporary": False}],
            }
        ],
    }
