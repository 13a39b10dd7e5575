"""Makes DPoP proofs for requests, and remembers the nonces that peers want in them (RFC 9449).

It refuses to hold a key or a token: both come with the request.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from jupyter_oidc.protocol import dpop

if TYPE_CHECKING:
    from collections.abc import Iterable

    from jupyter_oidc.clock import Clock
    from jupyter_oidc.entropy import Entropy
    from jupyter_oidc.secret import Secret


class DPoPProver:
    """Makes proofs for requests to one kind of peer, with the newest nonce of each origin in them (X-7).

    An authorization server and the servers that take its tokens have one instance each, because their nonces are
    not the same even where their origin is (RFC 9449, 9).
    """

    def __init__(self, clock: Clock, entropy: Entropy) -> None:
        self._clock = clock
        self._entropy = entropy
        self._nonces: dict[str, str] = {}

    def proof(self, key: dpop.ProofKey, method: str, url: str, access_token: Secret | None = None) -> Secret:
        """Return a new proof for one request; ``access_token`` is the token in the same request, if any."""
        return key.proof(
            method=method,
            url=url,
            issued_at=self._clock.now().wall,
            jti=self._entropy.token(128),
            nonce=self._nonces.get(_origin(url)),
            access_token=access_token,
        )

    def learn(self, url: str, nonces: Iterable[str]) -> bool:
        """Remember the nonce in the ``DPoP-Nonce`` headers of a reply from ``url``; return whether there was one."""
        nonce = dpop.nonce_in(nonces)
        if nonce is not None:
            self._nonces[_origin(url)] = nonce
        return nonce is not None


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}".lower()
