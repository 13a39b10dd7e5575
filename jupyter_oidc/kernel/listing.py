"""Lists that show as a table: of APIs, sessions and operations; in a terminal as aligned text, in a notebook as HTML.

A list is indexed by number and by name, and its table holds no link but to an https address.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from html import escape
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar, overload
from urllib.parse import urlsplit

from jupyter_oidc.kernel.plain_text import inside_quotes, plain
from jupyter_oidc.language import N_, _, counted, sentence, told

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

MAX_TEXT_COLUMNS: Final = 80
"""The width of a table as text, in columns of a terminal, as long as its rows can be made that narrow."""

MIN_CELL_COLUMNS: Final = 12
"""The width to which the cells of one column are cut at most."""

MAX_NAMED: Final = 10
"""Names that a sentence lists; it counts the others."""

MAX_COMPARED_CHARACTERS: Final = 100
"""Characters of a mistyped name that are compared with those that exist."""

_UNKNOWN: Final = {
    "API": ("api", N_("No API is called '{api}'."), N_("No API is called '{api}'. Did you mean '{nearest}'?")),
    "provider": (
        "provider",
        N_("No provider is called '{provider}'."),
        N_("No provider is called '{provider}'. Did you mean '{nearest}'?"),
    ),
    "grant": (
        "grant",
        N_("No grant is called '{grant}'."),
        N_("No grant is called '{grant}'. Did you mean '{nearest}'?"),
    ),
    "operation": (
        "operation",
        N_("No operation is called '{operation}'."),
        N_("No operation is called '{operation}'. Did you mean '{nearest}'?"),
    ),
}
"""For each kind of row the name of its fact, and the sentences about a name that is none of them."""

_ELLIPSIS: Final = "\N{HORIZONTAL ELLIPSIS}"

_TABLE: Final = (
    "border-collapse:collapse;text-align:left;color:var(--jp-ui-font-color1, inherit);"
    "background:var(--jp-layout-color1, transparent);font-family:var(--jp-ui-font-family, system-ui)"
)
_CAPTION: Final = "text-align:left;font-weight:bold;padding:0.3em 0.6em"
_HEADING: Final = (
    "text-align:left;padding:0.3em 0.6em;border-bottom:1px solid var(--jp-border-color1, #bdbdbd);"
    "color:var(--jp-ui-font-color2, inherit)"
)
_CELL: Final = (
    "text-align:left;vertical-align:top;padding:0.3em 0.6em;border-bottom:1px solid var(--jp-border-color2, #e0e0e0)"
)
_CODE: Final = "font-family:var(--jp-code-font-family, monospace);color:var(--jp-content-font-color1, inherit)"
_LINK: Final = "color:var(--jp-content-link-color, #1976d2)"
_MUTED: Final = "color:var(--jp-ui-font-color2, inherit)"

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Column(Generic[Row]):
    """One column: ``text`` returns a row's cell.

    ``kind`` says how a notebook shows it: as ``text``, as ``code``, or as a ``link``, which a table as text leaves out.
    Cells of a column that ``shrinks`` are cut in a table as text if its lines would be too long.
    """

    heading: str
    text: Callable[[Row], str]
    kind: str = "text"
    shrinks: bool = False


class Listing(Sequence[Row]):
    """Rows with names, shown as a table; ``rows["name"]`` is the row of that name, ``rows[0]`` the first one.

    ``what`` is the kind of its rows: ``API``, ``provider``, ``operation`` or ``grant``; ``notes`` are sentences below the table, and
    ``empty`` stands in the place of a table without rows.
    """

    def __init__(
        self,
        rows: Iterable[Row],
        columns: Sequence[Column[Row]],
        *,
        name: Callable[[Row], str],
        what: str,
        caption: str,
        empty: str,
        notes: Sequence[str] = (),
    ) -> None:
        self._rows = list(rows)
        self._columns = columns
        self._name = name
        self._what = what
        self._caption = caption
        self._empty = empty
        self._notes = notes

    def __len__(self) -> int:
        return len(self._rows)

    @overload
    def __getitem__(self, index: int | str) -> Row: ...

    @overload
    def __getitem__(self, index: slice) -> list[Row]: ...

    def __getitem__(self, index: int | str | slice) -> Row | list[Row]:
        if not isinstance(index, str):
            return self._rows[index]
        for row in self._rows:
            if self._name(row) == index:
                return row
        there_are = " " + _("There are: {names}.", names=in_quotes(self.names)) if self.names else ""
        raise KeyError(f"{unknown_name(self._what, index, self.names)}{there_are}")

    def __contains__(self, value: object) -> bool:
        return value in self.names if isinstance(value, str) else value in self._rows

    @property
    def names(self) -> list[str]:
        """The names by which the rows are indexed."""
        return [self._name(row) for row in self._rows]

    def _ipython_key_completions_(self) -> list[str]:
        return self.names

    def __repr__(self) -> str:
        table = text_table(self._rows, self._columns) if self._rows else [self._empty]
        return "\n".join([*table, *(plain(note) for note in self._notes)])

    def _repr_html_(self) -> str:
        return html_table(self._rows, self._columns, self._caption, self._empty, self._notes)


def text_table(rows: Sequence[Row], columns: Sequence[Column[Row]]) -> list[str]:
    """Return the lines of a table, at most ``MAX_TEXT_COLUMNS`` wide if cells that shrink can make it so."""
    shown = [column for column in columns if column.kind != "link"]
    cells = [[column.heading for column in shown], *([plain(column.text(row)) for column in shown] for row in rows)]
    widths = [max(_columns_of(line[number]) for line in cells) for number in range(len(shown))]
    _shrink(widths, [number for number, column in enumerate(shown) if column.shrinks])
    lines = [
        "  ".join(_fitted(cell, width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in cells
    ]
    return [lines[0], "  ".join("-" * width for width in widths), *lines[1:]]


def html_table(
    rows: Sequence[Row], columns: Sequence[Column[Row]], caption: str, empty: str, notes: Sequence[str] = ()
) -> str:
    """Return the same as HTML without script: a caption, a heading for each column and one for each row."""
    below = "".join(f'<div style="{_MUTED}">{escape(plain(note))}</div>' for note in notes)
    if not rows:
        return f'<div role="status">{escape(empty)}</div>{below}'
    heads = "".join(f'<th scope="col" style="{_HEADING}">{escape(column.heading)}</th>' for column in columns)
    body = "".join(f"<tr>{_html_cells(row, columns)}</tr>" for row in rows)
    return (
        f'<table style="{_TABLE}"><caption style="{_CAPTION}">{escape(caption)}</caption>'
        f"<thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table>{below}"
    )


def fact_text(title: str, facts: Sequence[tuple[str, str]]) -> str:
    """Return a title and one aligned line for each fact."""
    width = max((_columns_of(name) for name, _ in facts), default=0)
    return "\n".join([plain(title), *(f"  {_fitted(name, width)}  {plain(said)}" for name, said in facts)])


def code_html(text: str) -> str:
    """Return ``text`` as code."""
    return f'<code style="{_CODE}">{escape(plain(text))}</code>'


def link_html(address: str, label: str | None = None) -> str:
    """Return a link to ``address``, with ``label`` or the address as its text; only its text if it is not https."""
    said = escape(plain(label or address))
    if not is_https(address):
        return escape(plain(address))
    return f'<a style="{_LINK}" href="{escape(address)}" target="_blank" rel="noopener noreferrer">{said}</a>'


def is_https(address: str) -> bool:
    """Return whether ``address`` is an https address that can be shown as a link."""
    try:
        parts = urlsplit(address)
        return parts.scheme == "https" and bool(parts.hostname) and address.isprintable()
    except ValueError:
        return False


def unknown_name(what: str, name: str, names: Sequence[str]) -> str:
    """Return the sentence that no ``what`` has the ``name``, and which one of ``names`` is like it.

    It is that of the server about a name that it does not know.
    """
    shown = name if len(name) <= MAX_COMPARED_CHARACTERS else name[:MAX_COMPARED_CHARACTERS] + _ELLIPSIS
    near = _near(name, names)
    fact, alone, with_nearest = _UNKNOWN[what]
    facts = {fact: inside_quotes(shown), **({"nearest": inside_quotes(near[0])} if near else {})}
    return told(sentence(with_nearest if near else alone, **facts))


def nearest_first(name: str, names: Sequence[str]) -> list[str]:
    """Return ``names``, the one that is like ``name`` in front."""
    near = _near(name, names)
    return [*near, *(one for one in names if one not in near)]


def in_quotes(names: Sequence[str]) -> str:
    """Return the ``names`` in quotation marks, at most ``MAX_NAMED`` of them, with the number of the others."""
    listed = ", ".join(repr(name) for name in names[:MAX_NAMED])
    more = len(names) - MAX_NAMED
    if more <= 0:
        return listed
    return _("{entries} and {last}", entries=listed, last=counted(more, "{number} more", "{number} more"))


def _near(name: str, names: Sequence[str]) -> list[str]:
    return get_close_matches(name[:MAX_COMPARED_CHARACTERS].casefold(), names, n=1)


def _html_cells(row: Row, columns: Sequence[Column[Row]]) -> str:
    first, *others = columns
    return f'<th scope="row" style="{_CELL}">{_html_cell(row, first)}</th>' + "".join(
        f'<td style="{_CELL}">{_html_cell(row, column)}</td>' for column in others
    )


def _html_cell(row: Row, column: Column[Any]) -> str:
    said = column.text(row)
    if not said:
        return ""
    if column.kind == "link":
        return link_html(said)
    return code_html(said) if column.kind == "code" else escape(plain(said))


def _shrink(widths: list[int], numbers: Sequence[int]) -> None:
    """Make the widest of the columns ``numbers`` narrower, until a line fits or each of them is as narrow as may be."""
    excess = sum(widths) + 2 * (len(widths) - 1) - MAX_TEXT_COLUMNS
    for _column in range(excess):
        widest = max(numbers, key=lambda number: widths[number], default=None)
        if widest is None or widths[widest] <= MIN_CELL_COLUMNS:
            return
        widths[widest] -= 1


def _fitted(text: str, width: int) -> str:
    """Return ``text`` in exactly ``width`` columns."""
    if _columns_of(text) > width:
        while text and _columns_of(text) > width - 1:
            text = text[:-1]
        text += _ELLIPSIS
    return text + " " * (width - _columns_of(text))


def _columns_of(text: str) -> int:
    """Return how many columns of a terminal ``text`` takes: a wide sign two, one that is set upon another none."""
    return sum(
        0 if unicodedata.combining(sign) or unicodedata.category(sign) == "Cf" else _columns_of_sign(sign)
        for sign in text
    )


def _columns_of_sign(sign: str) -> int:
    return 2 if unicodedata.east_asian_width(sign) in ("W", "F") else 1
