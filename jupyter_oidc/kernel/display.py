"""Renders sessions and sign-ins in a notebook: plain words, JupyterLab's own colours, no script.

A saved notebook keeps its output, so the cards show a name and a state, never an e-mail address, and
the link of a sign-in is removed when it is finished.
"""

from __future__ import annotations

import sys
from html import escape
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from jupyter_oidc.kernel.messages import NOT_LISTED, SHARING, access_message, session_message
from jupyter_oidc.kernel.plain_text import plain

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
    head = _insert_circumstances(message.headline, f" at {summary['provider']}{_user_suffix(summary)}") + "."
    shared = SHARING.get(summary["sharing"])
    return plain(" ".join(part for part in (head, message.reason, message.lasts, message.next, shared) if part))


def session_html(summary: dict[str, Any], as_of: str | None = None) -> str:
    """Return a card about a session; ``as_of`` is a sentence about the time at which it was true."""
    message = session_message(summary)
    colour = _DOT.get(summary["state"], "--jp-ui-font-color3, #9e9e9e")
    dot = f'<span aria-hidden="true" style="color:var({colour})">&#9679;</span>'
    rows = [
        f"<div>{dot} <b>{escape(_insert_circumstances(message.headline, _user_suffix(summary)))}</b></div>",
        *(
            f'<div style="{_MUTED}">{escape(line)}</div>'
            for line in (
                summary["provider"],
                message.reason,
                message.lasts,
                _entitlements(summary),
                SHARING.get(summary["sharing"]),
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
        "<div>1. Open the sign-in page and sign in.</div><div>2. The browser ends at a page that may not load. "
        "Copy the whole address of it.</div><div>3. Paste it into the field below; it stays hidden.</div>"
        f'<div style="{_MUTED}">Give that address to nobody else, and paste none that somebody sent you.</div>'
    )
    return _invitation(provider, (steps if pasted else "") + _link(url), seconds)


def code_html(url: str, provider: str, seconds: float, *, code: str, filled_in: bool) -> str:
    """Return the invitation to sign in with a code; ``filled_in`` says that the page at ``url`` knows it already.

    One click selects the whole code, so that it can be copied; there is no script that could do it.
    """
    shown = plain(code)
    spelt = escape(", ".join(shown))
    act = "Check that the page shows this code:" if filled_in else "Enter this code on the page:"
    body = (
        f"<div>{act}</div>"
        f'<div><code role="img" aria-label="Code: {spelt}" style="{_CODE}">'
        f"{escape(shown)}</code></div>"
        f"{_link(url)}"
        f'<div style="{_MUTED}">Click the code to select it. Never enter a code that somebody else sent you.</div>'
    )
    return _invitation(provider, body, seconds)


def _invitation(provider: str, body: str, seconds: float) -> str:
    return (
        f'<div style="{_CARD}"><div><b>Sign in at {escape(provider)}</b></div>{body}'
        f'<div role="status" style="{_MUTED}">Waiting for you; {_minutes_and_seconds(seconds)} left. '
        "Interrupt the kernel to cancel.</div></div>"
    )


def _link(url: str) -> str:
    return (
        f'<a style="{_BUTTON}" href="{escape(url)}" target="_blank" rel="noopener noreferrer">Open the sign-in page</a>'
    )


def signed_out_html(text: str, url: str | None, *, soon: bool = False) -> str:
    """Return a card about a sign-out; ``url`` ends the provider's own session, with ``soon`` for a minute only."""
    link = ""
    if url is not None and (urlsplit(url).scheme in ("http", "https") or _is_path(url)):
        href = escape(url)
        minute = f' <span style="{_MUTED}">This link is good for a minute.</span>' if soon else ""
        link = (
            f'<div><a href="{href}" target="_blank" rel="noopener noreferrer">End the provider\'s session too</a>'
            f"{minute}</div>"
        )
    return f'<div role="status" style="{_CARD}"><div>{escape(text)}</div>{link}</div>'


def _is_path(url: str) -> bool:
    """Return whether ``url`` is a path of the server that shows it, and of no other."""
    return url.startswith("/") and url[1:2] not in ("/", "\\")


def done_html(summary: dict[str, Any]) -> str:
    """Return the line that replaces the invitation after a sign-in; the card is the result of the cell."""
    return f'<div role="status"><span aria-hidden="true">&#10003;</span> <b>Signed in{escape(_user_suffix(summary))}</b></div>'


def ended_html(text: str) -> str:
    """Return the line that replaces the invitation when the sign-in did not succeed."""
    return f'<div role="status" style="{_CARD}">{escape(text)}</div>'


def waiting_html(why: str, seconds: float) -> str:
    """Return the note of a call that is made again in ``seconds``."""
    return (
        f'<div role="status" style="{_CARD}">{escape(why)} Trying again in {_minutes_and_seconds(max(1.0, seconds))}.'
        f'<div style="{_MUTED}">Interrupt the kernel to stop.</div></div>'
    )


def waited_html(why: str, seconds: float) -> str:
    """Return the line that replaces such a note afterwards, in success and in failure."""
    return f'<div style="{_MUTED}">{escape(why)} Waited {_minutes_and_seconds(seconds)}.</div>'


def progress_html(text: str, done: int, total: int) -> str:
    """Return a bar with ``text`` for a transfer of ``total`` bytes."""
    label = escape(plain(text))
    bar = f'<progress aria-label="{label}" max="{max(1, total)}" value="{done}"></progress>'
    return f'<div role="status" style="{_CARD}">{bar} {label}</div>'


def ended_transfer_html(text: str) -> str:
    """Return the line that replaces the bar afterwards."""
    return f'<div role="status" style="{_MUTED}">{escape(plain(text))}</div>'


def _insert_circumstances(title: str, circumstances: str) -> str:
    """Insert ``circumstances`` into ``title``, before its first comma or at the end."""
    state, comma, rest = title.partition(",")
    return f"{state}{circumstances}{comma}{rest}"


def _user_suffix(summary: dict[str, Any]) -> str:
    user = summary["user"] or {}
    names = (user.get("name"), user.get("username"))
    name = next((name for name in names if name and "@" not in name), None)
    return f" as {plain(name)}" if name else ""


def _entitlements(summary: dict[str, Any]) -> str | None:
    """Return the note that the entitlements are unknown, if they are; a list of known ones would be too long."""
    shown = summary["user"] is not None and not summary["entitlements_known"]
    return f"Entitlements: {NOT_LISTED}" if shown else None


def _api_row(api: dict[str, Any]) -> str:
    mark = "&#10003;" if api["readiness"] == "ready" else "&#8211;"
    said = escape(plain(access_message(api)))
    return (
        f'<div><span aria-hidden="true">{mark}</span> {escape(api["name"])} <span style="{_MUTED}">{said}</span></div>'
    )


def _minutes_and_seconds(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"


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
            self._handle.display(shown, raw=bool(data))  # type: ignore[no-untyped-call]
        else:
            self._handle.update(shown, raw=bool(data))  # type: ignore[no-untyped-call]


def in_notebook() -> bool:
    """Return whether displayed output reaches a notebook."""
    kernel = sys.modules.get("ipykernel.kernelapp")
    return bool(kernel is not None and kernel.IPKernelApp.initialized())
