"""Looks up a registration's credentials when they are needed, and makes a :class:`Client` of them for each call.

Sessions and diagnostics both use this module, so that a report judges the credentials of a real sign-in.
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
    """The credentials of the registration in ``settings``.

    ``secret`` and ``key`` return the values that ``client_secret`` and ``client_assertion_key`` refer to, or ``None``
    if the settings name none; they raise a ``Problem`` if a value cannot be read.
    ``listed`` are the algorithms that the metadata name for assertions, once they have been read; without a setting the
    algorithm is chosen from them. ``certificate`` returns the thumbprint (``x5t#S256``) of the client certificate that
    was presented to the provider last, even if its file holds another one by now.
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
        """Return the registration with the credentials that its authentication method needs (T-3).

        Raises :class:`~jupyter_oidc.problems.ConfigurationInvalid` for a key or secret that cannot sign, and the problems
        of ``secret`` and ``key``.
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
        """Return the signer of the client's assertions; ``None`` for a method without them.

        It is made once for each key or secret, because some kinds take long to read, and again when that has changed.
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
