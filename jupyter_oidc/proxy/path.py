"""Checks that a proxied path names one resource only, for every way in which a server may read it (C1, C2).

A path is judged as received, after one and after two decodings, and each of these readings again as a server reads it
that maps characters to their ASCII relatives.
No path is repaired: an ambiguous one is refused, and the refusal names the character and its position.
Forms that an API uses as data (``path_data``) may stand in a path, and must not lead elsewhere in any reading.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple, NoReturn

from jupyter_oidc.facts import facts, printable
from jupyter_oidc.language import N_, sentence
from jupyter_oidc.problems import BadPath, RouteForbidden

if TYPE_CHECKING:
    from collections.abc import Sequence
    from collections.abc import Set as AbstractSet

_PATH: Final = re.compile(r"(?:[A-Za-z0-9\-._~!$&'()*+,;=:@/]|%[0-9A-Fa-f]{2})*")  # RFC 3986, 3.3
_WORD: Final = r"[A-Za-z0-9_~-][A-Za-z0-9._~-]*"
_PLAIN: Final = re.compile(rf"(?:{_WORD}/)*(?:{_WORD})?\Z")
"""Matches almost every path, and no ambiguous one."""

_ESCAPES: Final = re.compile(r"(?:%[0-9A-Fa-f]{2})+")
_OTHER_ESCAPE: Final = re.compile(r"%[uU][0-9A-Fa-f]{4}")
"""Another escape that some servers decode (ECMAScript, B.2.1.2)."""

_NO_ESCAPE: Final = re.compile(r"%(?![0-9A-Fa-f]{2})")
_OVERLONG: Final = re.compile(rb"[\xc0\xc1\xf5-\xff]|\xe0[\x80-\x9f]|\xf0[\x80-\x8f]")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")
_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:[/\\]{2}")  # RFC 3986, 3.1
_DOTS: Final = re.compile(r"\.{1,2}\Z")
_END_OF_SEGMENT: Final = re.compile(r"[;?#]")
_SEPARATOR: Final = re.compile(r"[/\\]")

_SLASHES: Final = {
    ord(char): "/" if char in "\u2044\u2215\u29f8\u2571" else "\\" for char in "\u2044\u2215\u29f8\u2571\u2216\u29f5"
}
"""Characters that compatibility decomposition does not change and some servers read as a slash."""

_NEAREST: Final = {
    **dict.fromkeys("\u00a5\u20a9", "\\"),
    **dict.fromkeys("\u00b7\u2219\u22c5\u30fb\u3002\u06d4\u2026", "."),
}
"""Characters that a conversion to a legacy code page may turn into a backslash or a dot.

A yen or won sign is a backslash there; a middle dot, the full stops of other scripts and an ellipsis are a dot.
"""

_LEGACY: Final = ("shift_jis", "big5", "gbk", "johab")
"""Encodings in which the second byte of a letter can be that of a backslash."""

_MAX_ESCAPE_LAYERS: Final = 2
"""Decodings that are judged; more layers of escapes have no legitimate use."""

_MAX_SHOWN_CHARACTERS: Final = 12
"""Characters of a path that a refusal repeats at most."""


_REFUSALS: Final = {
    "begins an address of its own": N_(
        "This path is not allowed through the API proxy: '{part}' at character {place} begins an address of its own."
    ),
    "begins no escape": N_(
        "This path is not allowed through the API proxy: '{part}' at character {place} begins no escape."
    ),
    "has more than two layers of escapes": N_(
        "This path is not allowed through the API proxy: '{part}' at character {place} has more "
        "than two layers of escapes."
    ),
    "is a backslash in an escape": N_(
        "This path is not allowed through the API proxy: '{part}' at character {place} is a backslash in an escape."
    ),
    "is a backslash in an escape of an escape": N_(
        "This path is not allowed through the API proxy: '{part}' at character {place} is a "
        "backslash in an escape of an escape."
    ),
    "is a control character": N_(
        "This path is not allowed through the API proxy: '{part}' at character {place} is a control character."
    ),
    "is a dot segment": N_(
        "This path is not allowed through the API proxy: '{part}' at character {place} is a dot segment."
    ),
    "is a percent sign in an escape": N_(
        "This path is not allowed through the API proxy: '{part}' at character {place} is a percent sign in an escape."
    ),
    "is a slash at the beginning": N_(
        "This path is not allowed through the API proxy: '{part}' at character {place} is a slash at the beginning."
    ),
    "is a slash in an escape": N_(
        "This path is not allowed through the API proxy: '{part}' at character {place} is a slash in an escape."
    ),
    "is a slash in an escape of an escape": N_(
        "This path is not allowed through the API proxy: '{part}' at character {place} is a "
        "slash in an escape of an escape."
    ),
    "is an empty segment": N_(
        "This path is not allowed through the API proxy: '{part}' at character {place} is an empty segment."
    ),
    "is an escape of another kind": N_(
        "This path is not allowed through the API proxy: '{part}' at character {place} is an escape of another kind."
    ),
    "is no UTF-8": N_("This path is not allowed through the API proxy: '{part}' at character {place} is no UTF-8."),
    "is not allowed in a path (RFC 3986)": N_(
        "This path is not allowed through the API proxy: '{part}' at character {place} is not "
        "allowed in a path (RFC 3986)."
    ),
    "looks like a slash, an escape or a user name": N_(
        "This path is not allowed through the API proxy: '{part}' at character {place} looks "
        "like a slash, an escape or a user name."
    ),
    "makes an empty segment of what follows": N_(
        "This path is not allowed through the API proxy: '{part}' at character {place} makes an "
        "empty segment of what follows."
    ),
    "stands at the beginning": N_(
        "This path is not allowed through the API proxy: '{part}' at character {place} stands at the beginning."
    ),
}
"""Each fault of a path, and the message that tells it."""


class _Reading(NamedTuple):
    """One reading of a path: its ``text``, and the position in the path of each character and of the end."""

    text: str
    starts: Sequence[int]


def check_path(raw: str, prefixes: tuple[str, ...] = ("/",), data: AbstractSet[str] = frozenset()) -> None:
    """Refuse ``raw`` (without a leading slash) unless every reading is a plain relative path below one of ``prefixes``.

    ``data`` are the characters and forms that this API uses as data.
    Raises ``BadPath``, or ``RouteForbidden`` for a valid path outside the prefixes.
    """
    if not _PLAIN.match(raw):
        _PathChecker(raw, prefixes, data).check()
    elif not _is_open(raw, prefixes):
        raise RouteForbidden(params=facts(path=f"/{raw}", paths=prefixes))


class _PathChecker:
    """Judges one path that ``_PLAIN`` does not match."""

    __slots__ = ("_data", "_prefixes", "_raw")

    def __init__(self, raw: str, prefixes: tuple[str, ...], data: AbstractSet[str]) -> None:
        self._raw = raw
        self._prefixes = prefixes
        self._data = data

    def check(self) -> None:
        found = _PATH.match(self._raw)
        end = found.end() if found else 0
        reading = _Reading(self._raw, range(len(self._raw) + 1))
        if end < len(self._raw):
            self._refuse_illegal(reading, end)
        is_open = True
        for layer in range(_MAX_ESCAPE_LAYERS + 1):
            self._check_separators(reading)
            self._check(reading)
            if not reading.text.isascii():
                folded = self._folded(reading)
                self._check(folded)
                self._check_dots(_legacy(reading))
                self._check_dots(_legacy(folded))
            is_open = is_open and _is_open(reading.text, self._prefixes)
            decoded = self._decoded(reading)
            if decoded.text == reading.text:
                break
            if layer == _MAX_ESCAPE_LAYERS:
                start = reading.text.index("%")
                self._refuse(reading, start, start + 1, "has more than two layers of escapes")
            reading = decoded
        if not is_open:
            raise RouteForbidden(params=facts(path=f"/{self._raw}", paths=self._prefixes))

    def _check_separators(self, reading: _Reading) -> None:
        """Refuse a slash or backslash that came out of an escape, unless it is data here."""
        for found in _SEPARATOR.finditer(reading.text):
            layers = (reading.starts[found.end()] - reading.starts[found.start()] - 1) // 2
            if layers == 0:
                continue
            needed = "%2F" if found[0] == "/" else "%5C"
            kind = "a slash" if found[0] == "/" else "a backslash"
            if needed not in self._data:
                self._refuse(reading, *found.span(), f"is {kind} in an escape", needed)
            if layers > 1 and "%25" not in self._data:
                self._refuse(reading, *found.span(), f"is {kind} in an escape of an escape", "%25")

    def _check(self, reading: _Reading) -> None:
        """Refuse a path that is no plain relative one in this reading."""
        text = reading.text
        if text.startswith(("/", "\\")):
            self._refuse(reading, 0, 1, "is a slash at the beginning")
        if text.startswith("@") and "@" not in self._data:
            self._refuse(reading, 0, 1, "stands at the beginning", "@")
        scheme = _SCHEME.match(text)
        if scheme and "//" in self._data:
            self._refuse(reading, *scheme.span(), "begins an address of its own")
        control = _CONTROL.search(text)
        if control:
            self._refuse(reading, *control.span(), "is a control character")
        broken = _NO_ESCAPE.search(text)
        if broken:
            self._check_broken_escape(reading, broken.start())
        self._check_dots(reading)
        self._check_empty(reading)

    def _check_broken_escape(self, reading: _Reading, start: int) -> None:
        """Refuse a ``%`` that begins no escape once the path is decoded: another server may know such an escape.

        If ``%`` is data, only the beginning of a known other kind of escape is refused.
        """
        if "%25" not in self._data:
            self._refuse(reading, start, start + 1, "is a percent sign in an escape", "%25")
        other = _OTHER_ESCAPE.search(reading.text)
        if other:
            self._refuse(reading, *other.span(), "is an escape of another kind")

    def _check_dots(self, reading: _Reading) -> None:
        """Refuse a dot segment, also with parameters, spaces or a query behind it."""
        start = 0
        for segment in _SEPARATOR.split(reading.text):
            # NOTE: a server that parses again after decoding ends the segment at ? and #, one that knows parameters at
            # ; and some read a plus as a space, and drop spaces.
            stem = _END_OF_SEGMENT.split(segment, maxsplit=1)[0]
            if _DOTS.match(stem.replace("+", " ").strip()):
                self._refuse(reading, start, start + len(stem), "is a dot segment")
            start += len(segment) + 1

    def _check_empty(self, reading: _Reading) -> None:
        """Refuse an empty segment in the middle, which some servers drop, unless that is data here."""
        if "//" in self._data:
            return
        start = 0
        segments = _SEPARATOR.split(reading.text)
        for number, segment in enumerate(segments):
            is_last = number == len(segments) - 1
            if not segment and not is_last and number:
                self._refuse(reading, start - 1, start + 1, "is an empty segment", "//")
            if segment and _END_OF_SEGMENT.match(segment):
                self._refuse(reading, start, start + 1, "makes an empty segment of what follows", "//")
            start += len(segment) + 1

    def _folded(self, reading: _Reading) -> _Reading:
        """Return ``reading`` as a server reads it that maps characters to their nearest ASCII relatives."""
        texts: list[str] = []
        starts: list[int] = []
        for char, start in zip(reading.text, reading.starts, strict=False):
            if char.isascii():
                folded = char
            elif unicodedata.category(char) == "Cf":
                folded = ""
            else:
                folded = unicodedata.normalize("NFKC", char).translate(_SLASHES)
                if any(mark in folded for mark in "/\\%@"):
                    at = len(texts)
                    self._refuse(reading, at, at + 1, "looks like a slash, an escape or a user name")
            texts.append(folded)
            starts += [start] * len(folded)
        return _Reading("".join(texts), [*starts, reading.starts[-1]])

    def _decoded(self, reading: _Reading) -> _Reading:
        texts: list[str] = []
        starts: list[int] = []
        at = 0
        for run in _ESCAPES.finditer(reading.text):
            octets = bytes.fromhex(run[0].replace("%", ""))
            texts.append(reading.text[at : run.start()])
            starts += reading.starts[at : run.start()]
            try:
                decoded = octets.decode()
            except UnicodeDecodeError as error:
                if not self._may_be_octets(reading, octets):
                    first, end = run.start() + 3 * error.start, run.start() + 3 * error.end
                    self._refuse(reading, first, end, "is no UTF-8")
                decoded = octets.decode(errors="surrogateescape")
            place = run.start()
            for char in decoded:
                starts.append(reading.starts[place])
                place += 3 * len(char.encode(errors="surrogateescape"))
            texts.append(decoded)
            at = run.end()
        texts.append(reading.text[at:])
        return _Reading("".join(texts), [*starts, *reading.starts[at:]])

    def _may_be_octets(self, reading: _Reading, octets: bytes) -> bool:
        """Return whether ``octets`` may be no valid UTF-8: only if escapes are data here.

        An overlong form of a dot or a slash is refused all the same (RFC 3629, 10).
        """
        is_decoded = len(reading.text) < len(self._raw)
        return is_decoded and "%25" in self._data and not _OVERLONG.search(octets)

    def _refuse_illegal(self, reading: _Reading, place: int) -> NoReturn:
        char = reading.text[place]
        if char == "%":
            self._refuse(reading, place, place + 1, "begins no escape", action=N_("Write a percent sign as %25."))
        escape = f"%{ord(char):02X}"
        if char.isascii() and char.isprintable() and char not in "\\#?":
            action = sentence("Write it as {escape}.", escape=escape)
            self._refuse(reading, place, place + 1, "is not allowed in a path (RFC 3986)", action=action)
        self._refuse(reading, place, place + 1, "is not allowed in a path (RFC 3986)")

    def _refuse(
        self, reading: _Reading, start: int, end: int, what: str, needed: str = "", *, action: str | None = None
    ) -> NoReturn:
        """Raise ``BadPath`` with the part of the path, its position, and the setting that would allow it, if any."""
        first, last = reading.starts[start], reading.starts[end]
        if needed:
            action = sentence(
                "If this API has it for data, ask your administrator to add '{needed}' to the API's path_data.",
                needed=needed,
            )
        shown = printable(self._raw[first:last]).replace(" ", "\\x20")
        raise BadPath(
            sentence(_REFUSALS[what], part=shown[:_MAX_SHOWN_CHARACTERS], place=first + 1),
            action=action,
        )


def _legacy(reading: _Reading) -> _Reading:
    """Return ``reading`` as a server reads it that converts it to a legacy code page, byte by byte."""
    texts = [_nearest(char) for char in reading.text]
    starts = [start for text, start in zip(texts, reading.starts, strict=False) for _ in text]
    return _Reading("".join(texts), [*starts, reading.starts[-1]])


@lru_cache(maxsize=4_096)
def _nearest(char: str) -> str:
    if char.isascii():
        return char
    folded = unicodedata.normalize("NFKC", char)
    if folded in _NEAREST:
        return _NEAREST[folded]
    for encoding in _LEGACY:
        try:
            octets = char.encode(encoding)
        except UnicodeEncodeError:
            continue
        if 0x5C in octets:
            return "_" * octets.index(0x5C) + "\\"
    return _NEAREST.get(char, char)


def _is_open(text: str, prefixes: tuple[str, ...]) -> bool:
    return "/" in prefixes or any(_is_below("/" + text, prefix) for prefix in prefixes)


def _is_below(path: str, prefix: str) -> bool:
    stem = prefix.rstrip("/")
    return path == stem or path.startswith(stem + "/")
