"""Chooses the algorithms that a provider may sign with.

An algorithm that the settings name is the only one; under a profile they are those of the profile; else those that the
provider's metadata name.
This module refuses to mix: never ``none``, and an algorithm with a shared secret only where the provider knows no other
and the client has a secret (RFC 8725, 3.1, 3.2).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from jupyter_oidc.settings.algorithms import KEY_ALGORITHMS, SECRET_ALGORITHMS
from jupyter_oidc.settings.model import PROFILE_ALGORITHMS

if TYPE_CHECKING:
    from jupyter_oidc.protocol.discovery import Metadata
    from jupyter_oidc.settings import Provider

USUAL: Final = "RS256"
"""Without an agreement (Dynamic Client Registration 1.0, 2: ``id_token_signed_response_alg``)."""


def id_token_algs(settings: Provider, metadata: Metadata | None) -> tuple[str, ...]:
    """Return the algorithms that an ID token may be signed with; none if the provider names only unacceptable ones."""
    if settings.id_token_signed_response_alg is not None:
        return (settings.id_token_signed_response_alg,)
    usual, fitting = (
        (USUAL, KEY_ALGORITHMS) if settings.profile is None else (PROFILE_ALGORITHMS[0], PROFILE_ALGORITHMS)
    )
    listed = None if metadata is None else metadata.id_token_signing_algs
    if listed is None or usual in listed:
        return (usual,)
    by_key = tuple(alg for alg in fitting if alg in listed)
    if by_key or settings.client_secret is None or settings.profile is not None:
        return by_key
    return tuple(alg for alg in SECRET_ALGORITHMS if alg in listed)
