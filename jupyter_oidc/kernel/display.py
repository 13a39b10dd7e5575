"""Renders sessions and sign-ins in a notebook: plain words, JupyterLab's own colours, no script.

A saved notebook keeps its output, so the cards show a name and a state, never an e-mail address, and
the link of a sign-in is removed when it is finished.
"""

from __future__ import annotations

import sys
from html import escape
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from jupyter_oidc.kernel.messages import (
    NOT_LISTED,
    access_message,
    headline_as,
    headline_at,
    session_message,
    sharing_message,
)
from jupyter_oidc.kernel.plain_text import plain
from jupyter_oidc.language import _, told

if TYPE_CHECKING:
    from collections.abc import Sequence

_DOT = {
    "active": "--jp-success-color1, #388e3c",
    "refresh-failed": "--jp-warn-color1, #f57c00",
    "signed-out-expired": "--jp-error-color1, #d32f2f",
}


_CARD = (
    "display:inline-block;min-width:18em;padding:0.7em 1em;border-radius:4px;"
    "border:1px solid var(--jp-border-color1, #bdbdbd);background:var(--jp-layout-color1, transparent);"
    "color:var(--jp-ui-font-color1, inherit);font-family:var(--jp-ui-font-family, system-ui)"
)
_FACT = "text-align:left;vertical-align:top;padding:0.1em 0.8em 0.1em 0"
_MUTED = "color:var(--jp-ui-font-color2, inherit)"
_BUTTON = (
    "display:inline-block;margin:0.4em 0;padding:0.35em 1em;border-radius:3px;text-decoration:none;"
    "background:var(--jp-brand-color1, #1976d2);color:var(--jp-ui-inverse-font-color1, #ffffff)"
)

_CODE = (
    "display:inline-block;margin:0.3em 0;padding:0.2em 0.5em;border-radius:4px;font-size:1.9em;letter-spacing:0.12em;"
    "user-select:all;-webkit-user-select:all;border:1px dashed var(--jp-border-color1, #bdbdbd);"
    "background:var(--jp-layout-color2, transparent);color:var(--jp-content-font-color0, inherit);"
    "font-family:var(--jp-code-font-family, monospace)"
)


def card_html(title: str, rows: Sequence[tuple[str, str]]) -> str:
    """Return a card with a ``title`` and named facts; their values are HTML already."""
    facts = "".join(
        f'<tr><th scope="row" style="{_FACT};{_MUTED};font-weight:normal">{escape(name)}</th>'
        f'<td style="{_FACT}">{said}</td></tr>'
        for name, said in rows
    )
    table = f'<table style="border-collapse:collapse;text-align:left"><tbody>{facts}</tbody></table>'
    return f'<div style="{_CARD}"><div><b>{escape(plain(title))}</b></div>{table}</div>'


def session_text(summary: dict[str, Any]) -> str:
    """Return one line about a session."""
    message = session_message(summary)
    head = headline_at(summary, _person(summary))
    parts = (head, message.reason, message.lasts, message.next, sharing_message(summary))
    return plain(" ".join(part for part in parts if part))


def session_html(summary: dict[str, Any], as_of: str | None = None) -> str:
    """Return a card about a session; ``as_of`` is a sentence about the time at which it was true."""
    message = session_message(summary)
    colour = _DOT.get(summary["state"], "--jp-ui-font-color3, #9e9e9e")
    dot = f'<span aria-hidden="true" style="color:var({colour})">&#9679;</span>'
    rows = [
        f"<div>{dot} <b>{escape(headline_as(summary, _person(summary)))}</b></div>",
        *(
            f'<div style="{_MUTED}">{escape(line)}</div>'
            for line in (
                summary["provider"],
                message.reason,
                message.lasts,
                _entitlements(summary),
                sharing_message(summary),
                as_of,
            )
            if line
        ),
        *(_api_row(api) for api in summary["apis"]),
    ]
    if message.next:
        rows.append(f"<div>{escape(message.next)}</div>")
    return f'<div role="status" style="{_CARD}">{"".join(rows)}</div>'


def link_html(url: str, provider: str, seconds: float, *, pasted: bool = False) -> str:
    """Return the invitation to sign in, with the time that is left.

    ``pasted`` says that the answer is copied by hand.
    """
    steps = (
        _("1. Open the sign-in page and sign in."),
        _("2. The browser ends at a page that may not load. Copy the whole address of it."),
        _("3. Paste it into the field below; it stays hidden."),
    )
    warning = _muted(_("Give that address to nobody else, and paste none that somebody sent you."))
    shown = "".join(f"<div>{_escaped(step)}</div>" for step in steps) + warning
    return _invitation(provider, (shown if pasted else "") + _link(url), seconds)


def code_html(url: str, provider: str, seconds: float, *, code: str, filled_in: bool) -> str:
    """Return the invitation to sign in with a code; ``filled_in`` says that the page at ``url`` knows it already.

    One click selects the whole code, so that it can be copied; there is no script that could do it.
    """
    shown = plain(code)
    spelt = escape(_("Code: {code}", code=", ".join(shown)))
    act = _("Check that the page shows this code:") if filled_in else _("Enter this code on the page:")
    body = (
        f"<div>{_escaped(act)}</div>"
        f'<div><code role="img" aria-label="{spelt}" style="{_CODE}">'
        f"{escape(shown)}</code></div>"
        f"{_link(url)}" + _muted(_("Click the code to select it. Never enter a code that somebody else sent you."))
    )
    return _invitation(provider, body, seconds)


def _invitation(provider: str, body: str, seconds: float) -> str:
    title = _("Sign in at {provider}", provider=provider)
    waiting = _("Waiting for you; {time} left. Interrupt the kernel to cancel.", time=_minutes_and_seconds(seconds))
    return (
        f'<div style="{_CARD}"><div><b>{escape(title)}</b></div>{body}'
        f'<div role="status" style="{_MUTED}">{_escaped(waiting)}</div></div>'
    )


def _link(url: str) -> str:
    label = _escaped(_("Open the sign-in page"))
    return f'<a style="{_BUTTON}" href="{escape(url)}" target="_blank" rel="noopener noreferrer">{label}</a>'


def _muted(text: str) -> str:
    return f'<div style="{_MUTED}">{_escaped(text)}</div>'


def _escaped(text: str) -> str:
    """Return a sentence of ours as the content of an element, where quotation marks stay as they are."""
    return escape(text, quote=False)


def signed_out_html(text: str, url: str | None, *, soon: bool = False) -> str:
    """Return a card about a sign-out; ``url`` ends the provider's own session, with ``soon`` for a minute only."""
    link = ""
    if url is not None and (urlsplit(url).scheme in ("http", "https") or _is_path(url)):
        href = escape(url)
        label = _escaped(_("End the provider's session too"))
        good = _escaped(_("This link is good for a minute."))
        minute = f' <span style="{_MUTED}">{good}</span>' if soon else ""
        link = f'<div><a href="{href}" target="_blank" rel="noopener noreferrer">{label}</a>{minute}</div>'
    return f'<div role="status" style="{_CARD}"><div>{escape(text)}</div>{link}</div>'


def _is_path(url: str) -> bool:
    """Return whether ``url`` is a path of the server that shows it, and of no other."""
    return url.startswith("/") and url[1:2] not in ("/", "\\")


def done_html(summary: dict[str, Any], moment: str) -> str:
    """Return the line that replaces the invitation after a sign-in at ``moment``; the card is the result of the cell."""
    person = _person(summary)
    title = _("Signed in") if person is None else _("Signed in as {person}", person=person)
    return (
        f'<div role="status"><span aria-hidden="true">&#10003;</span> <b>{escape(title)}</b> '
        f'<span style="{_MUTED}">{escape(moment)}</span></div>'
    )


def ended_html(text: str) -> str:
    """Return the line that replaces the invitation when the sign-in did not succeed."""
    return f'<div role="status" style="{_CARD}">{escape(text)}</div>'


def waiting_html(why: str, seconds: float) -> str:
    """Return the note of a call that is made again in ``seconds``."""
    again = _("Trying again in {time}.", time=_minutes_and_seconds(max(1.0, seconds)))
    stop = _muted(_("Interrupt the kernel to stop."))
    return f'<div role="status" style="{_CARD}">{escape(why)} {_escaped(again)}{stop}</div>'


def waited_html(why: str, seconds: float) -> str:
    """Return the line that replaces such a note afterwards, in success and in failure."""
    waited = _escaped(_("Waited {time}.", time=_minutes_and_seconds(seconds)))
    return f'<div style="{_MUTED}">{escape(why)} {waited}</div>'


def progress_html(text: str, done: int, total: int) -> str:
    """Return a bar with ``text`` for a transfer of ``total`` bytes."""
    label = escape(plain(text))
    bar = f'<progress aria-label="{label}" max="{max(1, total)}" value="{done}"></progress>'
    return f'<div role="status" style="{_CARD}">{bar} {label}</div>'


def ended_transfer_html(text: str) -> str:
    """Return the line that replaces the bar afterwards."""
    return f'<div role="status" style="{_MUTED}">{escape(plain(text))}</div>'


def _person(summary: dict[str, Any]) -> str | None:
    user = summary["user"] or {}
    names = (user.get("name"), user.get("username"))
    name = next((name for name in names if name and "@" not in name), None)
    return plain(name) if name else None


def _entitlements(summary: dict[str, Any]) -> str | None:
    """Return the note that the entitlements are unknown, if they are; a list of known ones would be too long."""
    shown = summary["user"] is not None and not summary["entitlements_known"]
    return _("Entitlements: {entitlements}", entitlements=told(NOT_LISTED)) if shown else None


def _api_row(api: dict[str, Any]) -> str:
    mark = "&#10003;" if api["readiness"] == "ready" else "&#8211;"
    said = escape(plain(access_message(api)))
    return (
        f'<div><span aria-hidden="true">{mark}</span> {escape(api["name"])} <span style="{_MUTED}">{said}</span></div>'
    )


def _minutes_and_seconds(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    if not minutes:
        return _("{rest} s", rest=rest)
    two_digits = f"{rest:02d}"
    return _("{minutes} min {rest} s", minutes=minutes, rest=two_digits)


class Notice:
    """One place in the output that can be rewritten: HTML in a notebook, lines of text elsewhere."""

    def __init__(self) -> None:
        self._handle: Any = None
        self._said = ""

    def warn(self, text: str) -> None:
        """Show ``text`` beside the notice, which stays."""
        Notice().show(ended_html(plain(text)), plain(text))

    def show(self, html: str, text: str, data: dict[str, Any] | None = None) -> None:
        """Show or replace the notice; ``text`` is for a terminal, where it is printed once.

        ``data`` are by media type, for a front end that knows one of them.
        """
        if not in_notebook():
            if text and text != self._said:
                print(text, file=sys.stderr)  # noqa: T201 - a terminal has no other place
                self._said = text
            return
        from IPython.display import HTML, DisplayHandle

        shown = {"text/html": html, "text/plain": text, **data} if data else HTML(html)  # type: ignore[no-untyped-call]
        if self._handle is None:
            # NOTE: stored before it is shown: an interruption in between must not leave a link that cannot be replaced.
            self._handle = DisplayHandle()  # type: ignore[no-untyped-call]
            self._handle.display(shown, raw=bool(data))
        else:
            self._handle.update(shown, raw=bool(data))


def in_notebook() -> bool:
    """Return whether displayed output reaches a notebook."""
    kernel = sys.modules.get("ipykernel.kernelapp")
    return bool(kernel is not None and kernel.IPKernelApp.initialized())
