"""What a registration proves itself with: looked up when it is needed, and made into a :class:`Client` for each call.

Sessions and diagnostics ask here alike, so that a report judges what a sign-in would use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from jupyter_oidc.protocol.client_assertion import Signer, key_signer, secret_signer
from jupyter_oidc.protocol.client_authentication import Client
from jupyter_oidc.settings.model import PROFILE_ALGORITHMS

if TYPE_CHECKING:
    from collections.abc import Callable

    from jupyter_oidc.clock import Clock
    from jupyter_oidc.entropy import Entropy
    from jupyter_oidc.protocol.discovery import Metadata
    from jupyter_oidc.secret import Secret
    from jupyter_oidc.settings import Provider


class Credentials:
    """Those of the registration in ``settings``.

    ``secret`` and ``key`` return what ``client_secret`` and ``client_assertion_key`` lead to, or ``None`` where the
    settings name nothing; they raise a ``Problem`` if it cannot be had.
    ``listed`` are the algorithms that the metadata name for assertions, once they have been read; one that the settings
    leave open follows them. ``certificate`` returns the
    thumbprint of the one that the provider was shown last (``x5t#S256``), whatever its file holds by now.
    """

    def __init__(
        self,
        settings: Provider,
        clock: Clock,
        entropy: Entropy,
        *,
        secret: Callable[[], Secret | None],
        key: Callable[[], Secret | None],
        certificate: Callable[[], str | None] = lambda: None,
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._entropy = entropy
        self.secret = secret
        self.key = key
        self.certificate = certificate
        self.listed: frozenset[str] | None = None
        self._known: tuple[object, Signer] | None = None

    def follow(self, metadata: Metadata) -> None:
        """Take the algorithms for assertions from ``metadata``, where the settings leave them open."""
        self.listed = metadata.token_endpoint_auth_signing_algs

    def secret_for(self, alg: str) -> Secret | None:
        """Return the client secret if ``alg`` is keyed with it (K-9)."""
        return self.secret() if alg.startswith("HS") else None

    def client(self) -> Client:
        """Return the registration with what its method needs (T-3).

        Raises :class:`~jupyter_oidc.errors.ConfigurationInvalid` for a key or secret that cannot sign, and what
        ``secret`` and ``key`` raise.
        """
        settings = self._settings
        client_id, method = settings.client_id, settings.token_endpoint_auth_method
        signer = self.signer()
        if signer is None:
            return Client(client_id, method, self.secret())

        def assertion() -> Secret:
            return signer.assertion(
                client_id=client_id,
                issuer=settings.issuer,
                issued_at=self._clock.now().wall,
                jti=self._entropy.token(128),
            )

        return Client(client_id, method, assertion=assertion, assertion_alg=signer.alg)

    def signer(self) -> Signer | None:
        """Return what signs the client's assertions; ``None`` for a method without them.

        It is made once for each key or secret, because reading some kinds takes long, and anew when that has changed.
        """
        settings, alg, listed = self._settings, self._settings.token_endpoint_auth_signing_alg, self.listed
        if settings.token_endpoint_auth_method == "client_secret_jwt":
            return self._made_of(self.secret(), lambda secret: secret_signer(secret, alg, listed))
        if settings.token_endpoint_auth_method == "private_key_jwt":
            admitted, key_id = PROFILE_ALGORITHMS if settings.profile else None, settings.client_assertion_key_id
            return self._made_of(self.key(), lambda key: key_signer(key, alg, key_id, listed, admitted=admitted))
        return None

    def _made_of(self, stored: Secret | None, make: Callable[[Secret | None], Signer]) -> Signer:
        if self._known is None or self._known[0] != (stored, self.listed):
            self._known = (stored, self.listed), make(stored)
        return self._known[1]
