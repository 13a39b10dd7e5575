"""Finds the reference to the client's secret: the one that was given, the one of before, or of a secret that is kept now.

The settings hold the reference and never the secret.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from jupyter_oidc.adapters.storage.secret_keeping import KeptSecret, keep_in_file, keep_in_keyring
from jupyter_oidc.cli.setup.obstacle import UNANSWERED_CODE, Obstacle, unanswered
from jupyter_oidc.language import N_, _, told
from jupyter_oidc.problems import StorageUnavailable
from jupyter_oidc.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from jupyter_oidc.cli.setup.decisions import SecretNeed
    from jupyter_oidc.cli.setup.dialogue import Dialogue
    from jupyter_oidc.cli.setup.place import Place
    from jupyter_oidc.cli.setup.wishes import Wishes

FLAG: Final = N_("--client-secret-ref=REFERENCE or --client-secret-stdin")
_MAX_SECRET_CHARACTERS: Final = 16_384


@dataclass(frozen=True, slots=True)
class ClientSecret:
    """The ``reference`` to write, or the secret itself that has to be kept first; both ``None`` for a public client."""

    reference: str | None = None
    typed: Secret | None = None

    @property
    def is_there(self) -> bool:
        """Whether the client has a secret."""
        return self.reference is not None or self.typed is not None


def find_secret(wishes: Wishes, need: SecretNeed, settings: Mapping[str, Any], dialogue: Dialogue) -> ClientSecret:
    """Return the client's secret; a public client comes first where the provider takes one.

    ``settings`` are those of the provider so far: what they say stays, unless a person or a flag says otherwise.
    """
    before = settings.get("client_secret")
    if wishes.client_secret_ref:
        return ClientSecret(wishes.client_secret_ref)
    if wishes.secret_from_stdin:
        return ClientSecret(typed=_from_standard_input())
    if wishes.is_public:
        return ClientSecret()
    if before is not None and (
        not dialogue.is_interactive
        or dialogue.takes_defaults
        or dialogue.confirm(_("Keep the client secret that the settings refer to?"), told(FLAG), default=True)
    ):
        return ClientSecret(str(before))
    if need == "none" or (settings and before is None and not dialogue.is_interactive):
        return ClientSecret()
    if need == "required":
        return ClientSecret(typed=dialogue.secret(_("Client secret"), told(FLAG)))
    has_one = dialogue.confirm(
        _("The provider lists no public clients. Does this client have a secret?"),
        _("{flag}, or --public-client", flag=told(FLAG)),
        default=False,
    )
    return ClientSecret(typed=dialogue.secret(_("Client secret"), told(FLAG))) if has_one else ClientSecret()


def secret_file(name: str, folder: Path) -> Path:
    """Return the file of the secret of the provider ``name``, where there is no keyring; Jupyter does not read it."""
    return folder / f"jupyter_oidc-{name}.secret"


def keep_secret(secret: Secret, name: str, place: Place, folder: Path) -> KeptSecret:
    """Keep a secret where the server finds it; raises :class:`Obstacle`.

    A server that runs elsewhere than the person's desktop often has no keyring, so there it is a file.
    """
    if place.kind == "local":
        try:
            return keep_in_keyring(secret, name)
        except StorageUnavailable:
            pass  # the file takes its place
    path = secret_file(name, folder)
    try:
        return keep_in_file(secret, path)
    except OSError:
        raise Obstacle(
            _("The client secret cannot be written to {path}.", path=path),
            _("Put it where the Jupyter server can read it, and give --client-secret-ref=file:PATH."),
        ) from None


def _from_standard_input() -> Secret:
    """Return the secret in standard input, without the blanks around it."""
    if sys.stdin is None or sys.stdin.isatty():
        raise unanswered(
            _("Client secret"), _("it in a pipe: ... < FILE; at a terminal leave --client-secret-stdin out")
        )
    text = sys.stdin.read(_MAX_SECRET_CHARACTERS + 1).strip()
    if not text or len(text) > _MAX_SECRET_CHARACTERS:
        raise Obstacle(
            _("There was no client secret in standard input."), _("Give {flag}.", flag=told(FLAG)), code=UNANSWERED_CODE
        )
    return Secret(text)
