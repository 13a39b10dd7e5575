"""The limits of a body on its way to an API, and what is said to a caller who exceeds its size."""

from __future__ import annotations

from typing import Protocol

from jupyter_oidc.facts import facts
from jupyter_oidc.problems import BodyTooLarge


class UploadLimits(Protocol):
    """The limits of a body: those of an API in the settings, or of a broker on the way to it."""

    @property
    def name(self) -> str:
        """The name of the API."""
        ...

    @property
    def max_request_bytes(self) -> int | None:
        """Bytes of the body; ``None`` for any number."""
        ...

    @property
    def timeout_upload(self) -> float:
        """Seconds that the caller may take to send the next piece."""
        ...

    @property
    def timeout_idle(self) -> float:
        """Seconds that the upstream may take to read the next piece."""
        ...


def too_large(limits: UploadLimits, size: int | None) -> BodyTooLarge | None:
    """Return the problem of a body of ``size`` bytes beyond ``limits``; ``None`` for one within, or of unknown size."""
    most = limits.max_request_bytes
    if size is None or most is None or size <= most:
        return None
    return BodyTooLarge(params=facts(api=limits.name, max_bytes=most))
