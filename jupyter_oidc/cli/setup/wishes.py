"""What the command line says; whatever it leaves out is asked, or found out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from jupyter_oidc.cli.setup.obstacle import UNANSWERED_CODE, Obstacle
from jupyter_oidc.language import _

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from jupyter_oidc.contract.strategy import RequestedStrategy


@dataclass(frozen=True, slots=True)
class Wishes:
    """The flags; an empty text, list or mapping is one that was not given."""

    issuer: str
    name: str = ""
    client_id: str = ""
    client_secret_ref: str = ""
    secret_from_stdin: bool = False
    is_public: bool = False
    scopes: tuple[str, ...] = ()
    apis: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, str] = field(default_factory=dict)
    strategy: RequestedStrategy = "auto"
    address: str = ""
    ca_bundle: str = ""
    file: str = ""
    server: str = ""
    registers: bool = False
    is_dry_run: bool = False
    signs_in: bool = True
    opens_browser: bool = True
    allows_private_network: bool = False
    timeout_seconds: float | None = None


def pairs(given: Iterable[str], flag: str, form: str) -> dict[str, str]:
    """Return the texts ``NAME=VALUE`` as a mapping; raises :class:`Obstacle` for one of another form."""
    found: dict[str, str] = {}
    for text in given:
        name, sign, value = text.partition("=")
        if not (name and sign and value):
            raise Obstacle(
                _("{flag} has the form {form}.", flag="--" + flag, form=form),
                _("Write it like that: {flag}.", flag="--" + flag + "=" + form),
                code=UNANSWERED_CODE,
            )
        found[name] = value
    return found


def base_url(address: str) -> str:
    """Return the address of an API as the settings want it, with a slash at the end."""
    return address if address.endswith("/") or urlsplit(address).query else f"{address}/"
