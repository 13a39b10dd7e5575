"""Wraps tokens, authorization codes, code verifiers and client secrets, so that they are not shown by accident.

A value inside a :class:`Secret` cannot be printed, logged, formatted, serialised, hashed, copied or
concatenated by accident.
This module refuses to return the value: only :mod:`jupyter_oidc.secret_access` reads it, and a law
(``tests/laws/test_one_reader.py``) names the modules that may import that one.
"""

from __future__ import annotations

import hmac
from typing import Final, NoReturn

_SHOWN: Final = "<secret>"


class Secret:
    """Holds one secret ``str`` or ``bytes`` and always shows itself as ``<secret>``.

    Comparison with another ``Secret`` takes constant time; comparison with anything else is always false,
    so a caller cannot probe the value with plain strings.

    Raises ``TypeError`` on hashing, copying, pickling, JSON and concatenation, because each of these could
    carry the value to an unintended place.
    """

    __slots__ = ("__value",)

    def __init__(self, value: str | bytes) -> None:
        if not isinstance(value, (str, bytes)):
            raise TypeError("a Secret holds str or bytes")
        self.__value = value

    def __repr__(self) -> str:
        return _SHOWN

    def __str__(self) -> str:
        return _SHOWN

    def __format__(self, format_spec: str) -> str:
        return _SHOWN

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return False
        return hmac.compare_digest(_as_bytes(self.__value), _as_bytes(other.__value))

    __hash__ = None  # type: ignore[assignment]  # NOTE: a hash is a fingerprint that outlives the value

    def _refuse(self, *_: object) -> NoReturn:
        raise TypeError("a Secret cannot be copied, serialised or joined to other text")

    __copy__ = _refuse
    __deepcopy__ = _refuse
    __reduce__ = _refuse
    __reduce_ex__ = _refuse
    __getstate__ = _refuse
    __add__ = _refuse
    __radd__ = _refuse
    __mod__ = _refuse
    __rmod__ = _refuse
    __iter__ = _refuse
    __bytes__ = _refuse


def _as_bytes(value: str | bytes) -> bytes:
    return value if isinstance(value, bytes) else value.encode()
