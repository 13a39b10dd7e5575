"""Knows the browsers that come to the broker itself, by a login at JupyterHub (OAuth 2.0, RFC 6749, 4.1).

The Hub's token of a browser is in a cookie, sealed by the broker's keys and for its own paths only, so every replica
reads it and no server of a user does. The Hub is asked whose it is.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple
from urllib.parse import urlsplit

from jupyter_oidc.adapters.storage.jwe_file import Form, decrypt, encrypt
from jupyter_oidc.language import N_
from jupyter_oidc.problems import Forbidden, RequestInvalid, StorageUnavailable
from jupyter_oidc.secret import Secret
from jupyter_oidc.secret_access import reveal
from jupyter_oidc.web.reply import Cookie, Reply, redirect
from jupyter_oidc.web.request import cookies_named, cookies_of, fields_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jupyter_oidc.adapters.storage.storage_key import StorageKey
    from jupyter_oidc.broker.hub_api import HubApi, HubUser
    from jupyter_oidc.broker.hub_place import HubPlace
    from jupyter_oidc.clock import Clock
    from jupyter_oidc.entropy import Entropy
    from jupyter_oidc.web.request import Request

RETURN_PATH: Final = "/oauth_callback"
"""The path below the broker's prefix to which the Hub sends a browser back; JupyterHub's services have it there."""

LOGIN_SECONDS: Final = 43_200
"""Seconds for which a browser keeps its login; the Hub ends it earlier by taking the token back."""

RETURN_SECONDS: Final = 600
"""Seconds in which a browser has to come back from the Hub."""

MAX_ONWARD_CHARACTERS: Final = 2_048
"""Characters of the address at which a browser goes on after its login: it is in a cookie meanwhile."""

MAX_LOGINS: Final = 8
"""Logins of one browser that are looked at; it has one of ours."""

_LOGIN: Final = "jupyter-oidc-hub"
_WAY: Final = "jupyter-oidc-hub-login-"
_HUB_LOGIN: Final = "jupyterhub-session-id"
"""The Hub's cookie for all its parts: it names the login of a browser, and opens nothing."""

_LOGIN_FORM: Final = Form("A256KW", "jupyter_oidc.hub-login")
_WAY_FORM: Final = Form("A256KW", "jupyter_oidc.hub-login-way")
_WAY_NAME: Final = re.compile(r"[A-Za-z0-9_-]{8,64}")
MAX_WAYS: Final = 2
"""Logins of one browser that are under way."""

_STATE: Final = re.compile(r"([A-Za-z0-9_-]{8,64})\.([A-Za-z0-9_-]{40,64})")


class Visitor(NamedTuple):
    """The ``user`` of the Hub whose browser it is, and what its forms have to send back."""

    user: str
    xsrf_token: str


class HubLogin:
    """Logs browsers in at ``hub``; ``keys`` seal their cookies.

    With ``other_sites`` a browser sends its login also with the form of another site, as a provider's answer may be.
    """

    def __init__(
        self,
        hub: HubApi,
        place: HubPlace,
        keys: Sequence[StorageKey],
        clock: Clock,
        entropy: Entropy,
        *,
        other_sites: bool = False,
    ) -> None:
        self._hub = hub
        self._keys = keys
        self._clock = clock
        self._entropy = entropy
        self._secure = urlsplit(place.public_url).scheme == "https"
        # NOTE: no other host can set a cookie of this prefix (RFC 6265bis, 4.1.3.2), and it has to be for all paths:
        # those of other users' servers as well, where they have no hosts of their own.
        self._is_alone = alone = place.has_user_hosts and self._secure
        self._path = "/" if alone else place.prefix
        self._cookie, self._way = (f"{'__Host-' if alone else ''}{name}" for name in (_LOGIN, _WAY))
        self._same_site: Literal["Lax", "None"] = "None" if other_sites and self._secure else "Lax"

    async def visitor_of(self, request: Request) -> Visitor | None:
        """Return the visitor whose browser has sent ``request``, or ``None`` if that is logged in no more.

        A login counts in the browser that was logged in at the Hub when it was made, and until that logs out there.
        Raises ``Forbidden`` for a user who may not use the broker or a browser with logins of several users, and
        ``BrokerUnavailable`` if the Hub does not answer.
        """
        visitors: dict[str, Visitor] = {}
        opened = [(text, self._opened(text, _LOGIN_FORM)) for text in _every_cookie(request, self._cookie)]
        logins = [(text, known["token"]) for text, known in opened if known and isinstance(known.get("token"), str)]
        if len(logins) > MAX_LOGINS:
            raise _several_logins()
        for text, token in logins:
            user = await self._hub.user_of(Secret(token))
            if user is None or not self._is_of_browser(user, request):
                continue
            if not user.may_use:
                raise Forbidden(
                    N_("JupyterHub does not let you use the broker."),
                    action=N_("Ask the Hub's administrator for access to this service."),
                    detail="hub.scope",
                )
            visitors[user.name] = Visitor(user.name, hashlib.sha256(f"xsrf {text}".encode()).hexdigest())
        if len(visitors) > 1:
            raise _several_logins()
        return next(iter(visitors.values()), None)

    def begin(self, request: Request, onward: str) -> Reply:
        """Send the browser of ``request`` to the Hub; it goes on to the path ``onward`` of the broker afterwards."""
        if len(onward) > MAX_ONWARD_CHARACTERS:
            raise RequestInvalid(detail="hub.onward")
        way, state, verifier = self._entropy.token(64), self._entropy.token(256), Secret(self._entropy.token(256))
        said = {"state": state, "verifier": reveal(verifier), "onward": onward, "until": self._now() + RETURN_SECONDS}
        cookie = self._way_cookie(way, self._sealed(said, _WAY_FORM), RETURN_SECONDS)
        # NOTE: a browser that never comes back would have more of them each time, until its requests are too long.
        given_up = [self._way_cookie(one, "", 0) for one in self._ways_in(request)[: -MAX_WAYS + 1]]
        return redirect(self._hub.login_address(f"{way}.{state}", verifier)).with_cookies(*given_up, cookie)

    def given_up(self, request: Request) -> tuple[Cookie, ...]:
        """Return the cookies that end the logins under way in the browser of ``request``."""
        return tuple(self._way_cookie(one, "", 0) for one in self._ways_in(request))

    async def finish(self, request: Request) -> Reply:
        """Take the Hub's answer, and send the browser on with its login; raises ``Forbidden``."""
        answer = dict(fields_of(request.query) or ())
        match = _STATE.fullmatch(answer.get("state", ""))
        ways = cookies_named(request, self._way + match[1]) if match else ()
        known = next((said for text in ways if (said := self._opened(text, _WAY_FORM)) is not None), None)
        if match is None or known is None or not hmac.compare_digest(str(known["state"]), match[2]):
            raise _not_logged_in("hub.state")
        if known["until"] < self._now() or "code" not in answer:
            raise _not_logged_in("hub.answer")
        token = await self._hub.token_for(Secret(answer["code"]), Secret(known["verifier"]))
        user = None if token is None else await self._hub.user_of(token)
        if token is None or user is None:
            raise _not_logged_in("hub.code")
        if not self._is_of_browser(user, request):
            raise _not_logged_in("hub.session")
        before = await self.visitor_of(request)
        if before is not None and before.user != user.name:
            raise _several_logins()
        over = self._way_cookie(match[1], "", 0)
        login = Cookie(
            self._cookie,
            self._sealed({"token": reveal(token)}, _LOGIN_FORM),
            path=self._path,
            lifetime=LOGIN_SECONDS,
            secure=self._secure,
            same_site=self._same_site,
        )
        return redirect(str(known["onward"]), 303).with_cookies(over, login)

    def _is_of_browser(self, user: HubUser, request: Request) -> bool:
        """Return whether the login of ``user`` was made in the browser of ``request``, as far as the Hub's cookie tells.

        On a host that users share, a page of another user could bring its own answer, and its cookies, into this browser.
        NOTE: that user can learn or choose what the Hub's cookie holds, so this only makes it harder (threat model).
        """
        return self._is_alone or (user.session is not None and user.session == _session_in(request))

    def _ways_in(self, request: Request) -> list[str]:
        """Return the names of the logins under way that the browser brings, the newest last."""
        names = [name[len(self._way) :] for name, _ in cookies_of(request) if name.startswith(self._way)]
        return [name for name in names if _WAY_NAME.fullmatch(name)]

    def _way_cookie(self, way: str, value: str, lifetime: int) -> Cookie:
        return Cookie(self._way + way, value, path=self._path, lifetime=lifetime, secure=self._secure)

    def _now(self) -> float:
        return self._clock.now().wall

    def _sealed(self, said: dict[str, Any], form: Form) -> str:
        return encrypt(Secret(json.dumps(said)), self._keys, form).decode("ascii")

    def _opened(self, text: str, form: Form) -> dict[str, Any] | None:
        """Return what is sealed in ``text``; ``None`` for a cookie that the broker did not make, or for another use."""
        try:
            said = json.loads(reveal(decrypt(text.encode("latin-1", "replace"), self._keys, form)))
        except (StorageUnavailable, ValueError):
            return None
        return said if isinstance(said, dict) else None


def _every_cookie(request: Request, name: str) -> list[str]:
    """Return all values of ``name``, however many: which one is the browser's own cannot be told by the order."""
    return [value for given, value in cookies_of(request) if given == name]


def _session_in(request: Request) -> str | None:
    """Return the browser's login at the Hub; raises ``Forbidden`` for several."""
    found = set(_every_cookie(request, _HUB_LOGIN))
    if len(found) > 1:
        raise _several_logins()
    return next(iter(found), None)


def _several_logins() -> Forbidden:
    """Return the refusal of a browser to which a page of another user at this host may have added its own login."""
    return Forbidden(
        N_("This browser has logins of several users of JupyterHub."),
        action=N_("Remove the cookies of this site, log in at JupyterHub and try again."),
        detail="hub.logins",
    )


def _not_logged_in(detail: str) -> Forbidden:
    return Forbidden(
        N_("The login at JupyterHub was not finished in this browser."),
        action=N_("Go back to JupyterLab and try again."),
        detail=detail,
    )
