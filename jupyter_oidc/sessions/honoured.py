"""Checks whether the provider honoured a request for an API's token, or repeated the sign-in's own token.

Providers may ignore parameters that they do not know (RFC 6749, 3.2), and many ignore ``audience``, ``resource`` or
``scope`` at a refresh. The API would refuse such a token, and no message would say why.
This module refuses to guess: a token that cannot be read, an answer without scopes and names that are written in
another way count as honoured; only a plain contradiction does not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from jupyter_oidc.protocol.audience import audience_of

if TYPE_CHECKING:
    from jupyter_oidc.secret import Secret
    from jupyter_oidc.sessions.grant import TokenKey

_OF_OPENID: Final = frozenset({"openid", "profile", "email", "address", "phone", "offline_access"})
"""Scopes of OpenID Connect, which many providers grant without naming them again (Core 1.0, 5.4, 11)."""

_ALL_THERE_ARE: Final = "/.default"
"""The end of a scope that stands for all of one API; the answer names them one by one, often by another address."""


def honoured(key: TokenKey, access_token: Secret, scopes: tuple[str, ...], of_sign_in: tuple[str, ...] | None) -> bool:
    """Return whether ``access_token``, granted with ``scopes``, may be taken for one of ``key``.

    ``of_sign_in`` is the audience of the sign-in's own access token, ``None`` if there is none or it cannot be read.
    """
    return _scopes_fit(key.scopes or (), scopes) and _audience_fits(key, audience_of(access_token), of_sign_in)


def _audience_fits(key: TokenKey, audience: tuple[str, ...] | None, of_sign_in: tuple[str, ...] | None) -> bool:
    wanted = key.audience or key.resource
    if wanted is None or audience is None or _bare(wanted) in map(_bare, audience):
        return True
    if of_sign_in is None:
        return key.audience is None  # NOTE: a resource may be mapped to another name (RFC 8707, 2)
    return set(audience) != set(of_sign_in)


def _bare(name: str) -> str:
    return name.rstrip("/")


def _scopes_fit(wanted: tuple[str, ...], granted: tuple[str, ...]) -> bool:
    """Return whether any of the API's own scopes was granted; fewer than requested is no error (N-6, A25)."""
    own = [scope for scope in wanted if scope not in _OF_OPENID]
    if not own or any(scope.endswith(_ALL_THERE_ARE) for scope in own):
        return True
    return not {_last(scope) for scope in own}.isdisjoint(map(_last, granted))


def _last(scope: str) -> str:
    """Return the name of a scope without the address that some providers write before it, or leave out."""
    return scope.rstrip("/").rpartition("/")[2].casefold()
