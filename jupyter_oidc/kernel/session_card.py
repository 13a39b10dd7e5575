"""The card of a session in a notebook: data that JupyterLab draws as it is now, and HTML that says when it was true.

A notebook is saved and shared, so the data name a provider and say nothing about a person: the page that opens the
notebook asks its own server who is signed in there. This module holds no address that a page could be led to.
"""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, Final

from jupyter_oidc.kernel.display import Notice, in_notebook, session_html
from jupyter_oidc.language import _

if TYPE_CHECKING:
    from typing_extensions import Self

SESSION_TYPE: Final = "application/vnd.jupyter-oidc.session.v1+json"
"""The media type of a card that shows the session as it is now."""

SIGN_IN_TYPE: Final = "application/vnd.jupyter-oidc.sign-in.v1+json"
"""The media type of the button that cancels a sign-in under way."""


def session_data(summary: dict[str, Any]) -> dict[str, Any]:
    """Return the data of the card: the provider, and the number of the state that the cell has seen."""
    return {"provider": summary["provider"], "sequence": summary["sequence"]}


def dated_html(summary: dict[str, Any], read_at: datetime) -> str:
    """Return the card as HTML for front ends without ours; it says that it was true at ``read_at``, in UTC."""
    return session_html(summary, _("As of {moment}.", moment=moment_text(read_at)))


def moment_text(moment: datetime) -> str:
    """Return ``moment`` as a person reads it, in UTC, since a notebook is opened in any time zone."""
    return f"{moment.astimezone(timezone.utc):%Y-%m-%d %H:%M} UTC"


def now() -> datetime:
    """Return the present time."""
    return datetime.now(timezone.utc)


class CancelButton:
    """The place below an invitation where JupyterLab shows *Cancel*; other front ends show nothing there."""

    def __init__(self, provider: str) -> None:
        self._provider = provider
        self._notice = Notice()
        self._shown = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_reason: object) -> None:
        if self._shown:
            self._notice.show("", "")

    def show(self) -> None:
        """Show the button, unless it is shown."""
        if in_notebook() and not self._shown:
            self._notice.show("", "", {SIGN_IN_TYPE: {"provider": self._provider}})
            self._shown = True
