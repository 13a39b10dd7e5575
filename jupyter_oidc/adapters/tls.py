"""Verified TLS for every connection to the outside; nothing here can turn verification off (H-1)."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

from jupyter_oidc.errors import ConfigurationInvalid

if TYPE_CHECKING:
    from collections.abc import Iterable


def verifying(ca_bundles: Iterable[str]) -> ssl.SSLContext:
    """Return a context that trusts the operating system's store and the authorities in ``ca_bundles`` on top.

    Raises :class:`ConfigurationInvalid` if one of these files cannot be read.
    """
    import truststore

    context = truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    for bundle in ca_bundles:
        try:
            context.load_verify_locations(cafile=bundle)
        except (OSError, ValueError):  # NOTE: ssl.SSLError is an OSError
            raise ConfigurationInvalid(
                f"The certificate authorities in '{bundle}' cannot be read.",
                detail="ca_bundle",
            ) from None
    return context
