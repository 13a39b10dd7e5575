"""Make an entry for a vault, with literal parts that a test may change."""

from __future__ import annotations

from jupyter_oidc.secret import Secret
from jupyter_oidc.secret_access import reveal
from jupyter_oidc.sessions.ports import Entry, Vault


def entry(token: str = "rt-1", **changed: object) -> Entry:
    """Return an entry that holds ``token``."""
    parts: dict[str, object] = {
        "issuer": "https://id.example.com",
        "client_id": "c1",
        "subject": "a1",
        "scopes": ("openid", "profile"),
        "signed_in_at": 1_800_000_000.5,
        "refresh_token": Secret(token),
    }
    return Entry(**{**parts, **changed})  # type: ignore[arg-type]


async def token_in(vault: Vault) -> str | None:
    """Return the stored token."""
    found = await vault.load()
    return None if found is None else reveal(found.refresh_token)
