"""Asks JupyterHub who has a token, and who its users are, as one of its services.

It is here, and not beside the other adapters, since those are imported by every Jupyter server as well.
The Hub tells a service what it needs in environment variables; JupyterHub's own library reads them, checks tokens and
scopes, and remembers each answer for a minute.
"""

from __future__ import annotations

import asyncio
import hashlib
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import quote, urlencode

import aiohttp
from jupyterhub.services.auth import HubOAuth
from jupyterhub.utils import make_ssl_context
from tornado.web import HTTPError
from yarl import URL

from jupyter_oidc.language import N_
from jupyter_oidc.problems import BrokerUnavailable
from jupyter_oidc.protocol.pkce import challenge_of
from jupyter_oidc.secret import Secret
from jupyter_oidc.secret_access import reveal

if TYPE_CHECKING:
    import ssl
    from collections.abc import Collection

IDENTITY_SECONDS: Final = 60
"""Seconds for which an answer of the Hub counts.

A token that the Hub has taken back still opens the broker that long, and a caller is known that long while the Hub is
away.
"""

TIMEOUT_SECONDS: Final = 10.0
"""Seconds for one question to the Hub."""

MAX_QUESTIONS: Final = 32
"""Questions to the Hub at once: strangers send tokens and codes, too."""

USERS_OF_A_PAGE: Final = 200
MAX_TOKEN_CHARACTERS: Final = 1_000
_PAGINATED: Final = "application/jupyterhub-pagination+json"
_RETRY_AFTER_SECONDS: Final = 2.0
_ODD_ANSWERS: Final = (HTTPError, asyncio.TimeoutError, ValueError, KeyError, TypeError, AttributeError)
"""What JupyterHub's library raises: for an answer that is no JSON, or has an unknown status, what its parts raise."""

_NOT_FOUND: Final = 404
_VERSION: Final = "X-JupyterHub-Version"
_REFUSED: Final = (401, 403)


class HubUser(NamedTuple):
    """The user that a token belongs to; ``may_use``: its scopes let it use this service.

    ``session`` is the login at the Hub in which a browser got it, and ``None`` for a token of a server.
    """

    name: str
    may_use: bool
    session: str | None = None


class HubApi:
    """Asks the Hub that has a service ``name``; the rest is in the environment, as the Hub gives it to a service.

    ``base`` is the path of the Hub, and ``callback`` the address to which it sends browsers back, where it has to be whole.
    """

    def __init__(self, name: str, base: str, callback: str | None) -> None:
        self._auth = HubOAuth(cache_max_age=IDENTITY_SECONDS, hub_prefix=f"{base}hub/")
        if callback is not None:
            self._auth.oauth_redirect_uri = callback
        if not self._auth.oauth_client_id:
            self._auth.oauth_client_id = f"service-{name}"
        self._questions = asyncio.Semaphore(MAX_QUESTIONS)
        self._known: dict[bytes, float] = {}
        self._wanted = {*self._auth.access_scopes, "access:services", f"access:services!service={name}"}

    async def user_of(self, token: Secret) -> HubUser | None:
        """Return the user of ``token``; ``None`` for a token that is not known, or not of a user.

        Raises ``BrokerUnavailable`` if the Hub does not answer.
        """
        if not _is_token(reveal(token)):
            return None
        digest = hashlib.sha256(reveal(token).encode()).digest()
        try:
            # NOTE: the library remembers an answer for longer than it counts here, so nothing is asked or waited for.
            if self._known.get(digest, 0.0) > asyncio.get_running_loop().time():
                found = await self._auth.user_for_token(reveal(token), sync=False)
            else:
                found = await asyncio.wait_for(self._asked(token, digest), TIMEOUT_SECONDS)
        except _ODD_ANSWERS:
            raise _hub_away() from None
        if not isinstance(found, dict) or found.get("kind") != "user" or not found.get("name"):
            return None
        session, scopes = found.get("session_id"), found.get("scopes")
        may_use = isinstance(scopes, list) and bool(self._auth.check_scopes(self._wanted, found))
        return HubUser(str(found["name"]), may_use, session if isinstance(session, str) else None)

    def login_address(self, state: str, verifier: Secret) -> str:
        """Return the address at which a browser logs in, and from which it comes back with ``state`` (RFC 6749, 4.1.1)."""
        asked = {"state": state, "code_challenge": challenge_of(verifier), "code_challenge_method": "S256"}
        return f"{self._auth.login_url}&{urlencode(asked)}"

    async def token_for(self, code: Secret, verifier: Secret) -> Secret | None:
        """Redeem the ``code`` of a login; return ``None`` if that does not work."""
        try:
            return Secret(str(await asyncio.wait_for(self._redeemed(code, verifier), TIMEOUT_SECONDS)))
        except _ODD_ANSWERS:
            return None

    async def gone(self, names: Collection[str]) -> frozenset[str]:
        """Return those of ``names`` that the Hub has no user of.

        Raises ``BrokerUnavailable``, with the detail ``hub.users`` if this service may not list all users.
        """
        try:
            async with self._asking() as session:
                known = await self._get(session, "user")
                # NOTE: with a scope for some users, the Hub answers about all others as if there were none.
                if known is None or "list:users" not in known["scopes"]:
                    raise _hub_away("hub.users")
                present: set[str] = set()
                offset, page = 0, None
                while page is None or page["_pagination"]["next"]:
                    page = await self._get(session, "users", offset=str(offset), limit=str(USERS_OF_A_PAGE))
                    if page is None:  # NOTE: that is no Hub
                        raise _hub_away()
                    if not page["items"]:
                        break
                    offset += len(page["items"])
                    present |= {str(user["name"]) for user in page["items"]}
                # NOTE: one that was deleted meanwhile moves the others to an earlier page, so each is asked for again.
                missing = [name for name in names if name not in present]
                if missing and (not present or len(missing) == len(names) > 1):
                    raise _hub_away("hub.other")  # NOTE: more likely another Hub, or a new database
                asked = {name: await self._get(session, f"users/{quote(name, safe='')}") for name in missing}
                return frozenset(name for name, user in asked.items() if user is None)
        except (aiohttp.ClientError, OSError, asyncio.TimeoutError, ValueError, KeyError, TypeError):
            raise _hub_away() from None

    async def _asked(self, token: Secret, digest: bytes) -> Any:
        """Ask whose ``token`` it is, and remember until when the answer counts."""
        now = asyncio.get_running_loop().time()
        async with self._questions:
            found = await self._auth.user_for_token(reveal(token), sync=False)
        if found is not None:
            self._known = {one: until for one, until in self._known.items() if until > now}
            self._known[digest] = now + IDENTITY_SECONDS
        return found

    async def _redeemed(self, code: Secret, verifier: Secret) -> Any:
        async with self._questions:
            return await self._auth.token_for_code(reveal(code), code_verifier=reveal(verifier), sync=False)

    def _asking(self) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(
            trust_env=False,
            connector=aiohttp.TCPConnector(ssl=self._tls()),
            timeout=aiohttp.ClientTimeout(total=TIMEOUT_SECONDS),
            headers={"Authorization": f"token {self._auth.api_token}", "Accept": _PAGINATED},
        )

    async def _get(self, session: aiohttp.ClientSession, path: str, **asked: str) -> Any:
        """Return what the Hub says at ``path``, or ``None`` for what it does not have."""
        url = URL(f"{self._auth.api_url.rstrip('/')}/{path}", encoded=True)
        async with session.get(url, params=asked) as answer:
            if answer.status == _NOT_FOUND and _VERSION in answer.headers:  # NOTE: so it is the Hub's own answer
                return None
            if answer.status in _REFUSED:
                raise _hub_away("hub.users")
            answer.raise_for_status()
            return await answer.json()

    def _tls(self) -> ssl.SSLContext | bool:
        auth: Any = self._auth
        return make_ssl_context(auth.keyfile, auth.certfile, cafile=auth.client_ca) if auth.certfile else True


def _is_token(text: str) -> bool:
    """Return whether ``text`` can stand in a header as it is; the Hub's own tokens are hexadecimal digits."""
    return 0 < len(text) <= MAX_TOKEN_CHARACTERS and text.isascii() and text.isprintable() and " " not in text


def _hub_away(detail: str = "hub") -> BrokerUnavailable:
    return BrokerUnavailable(
        N_("JupyterHub does not tell the broker who is calling."), detail=detail, retry_after=_RETRY_AFTER_SECONDS
    )
