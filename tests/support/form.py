"""Reads the forms and links of an HTML page, as far as a browser needs to submit one."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser

_PRESSED = ("submit", "button", "image", "reset")


@dataclass(slots=True)
class Field:
    """An input or a button, by its ``name``; ``kind`` is its ``type``, ``autocomplete`` the attribute."""

    name: str
    kind: str
    value: str
    autocomplete: str = ""


@dataclass(slots=True)
class Form:
    """A form: its action, its method, and its fields."""

    action: str
    method: str
    fields: list[Field] = field(default_factory=list)

    def values(self, press: str = "") -> dict[str, str]:
        """Return the fields that a browser would send if the button called ``press`` were clicked."""
        return {
            known.name: known.value
            for known in self.fields
            if known.name and (known.kind not in _PRESSED or known.name == press)
        }

    def asked(self, login: str, password: str) -> dict[str, str]:
        """Return the filled-in fields of a sign-in: both, or the one that this page asks for; else an empty dict.

        A page with a login alone says so by its ``autocomplete``, since any form may have a field of text.
        """
        secret = next((known.name for known in self.fields if known.kind == "password"), "")
        names = (known.name for known in self.fields if known.kind in ("text", "email"))
        alone = (known.name for known in self.fields if "username" in known.autocomplete.split())
        name = next(names if secret else alone, "")
        return {**({name: login} if name else {}), **({secret: password} if secret else {})}

    def first_button(self) -> str:
        """Return the name of the first button, which the return key presses; the empty string if it has none."""
        return next((known.name for known in self.fields if known.kind == "submit"), "")


class _Reader(HTMLParser):
    """Collects forms; a button may stand outside its form and name it by its ``id``."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.links: list[str] = []
        self._open: Form | None = None
        self._named: dict[str, Form] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._open = Form(told.get("action", ""), told.get("method", "get").lower())
            self.forms.append(self._open)
            self._named[told.get("id", "")] = self._open
        elif tag == "a" and "href" in told:
            self.links.append(told["href"])
        elif tag in ("input", "button"):
            owner = self._named.get(told["form"]) if "form" in told else self._open
            kind = told.get("type", "text" if tag == "input" else "submit").lower()
            if owner is not None:
                owner.fields.append(
                    Field(told.get("name", ""), kind, told.get("value", ""), told.get("autocomplete", ""))
                )

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._open = None


def forms_of(page: str) -> tuple[Form, ...]:
    """Return the forms of ``page`` in their order."""
    return tuple(_read(page).forms)


def links_of(page: str) -> tuple[str, ...]:
    """Return where the links of ``page`` lead, as written."""
    return tuple(_read(page).links)


def _read(page: str) -> _Reader:
    reader = _Reader()
    reader.feed(page)
    reader.close()
    return reader
