"""``grants``: list the grants for workers of the running Jupyter server, or revoke one."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from traitlets import Bool, Dict, Unicode

from jupyter_oidc.cli.app import ALIASES, FLAGS, paragraphs
from jupyter_oidc.cli.session import SessionApp
from jupyter_oidc.kernel.plain_text import plain
from jupyter_oidc.language import N_, _

if TYPE_CHECKING:
    from jupyter_oidc.cli.running import RunningServer

_PATH = "jupyter-oidc/grants"


class Grants(SessionApp):
    """``jupyter oidc grants``."""

    name = "jupyter-oidc-grants"
    description = paragraphs(
        N_(
            "List the grants by which workers call APIs: what each opens, until when, who made it, and when it was last "
            "used. A notebook makes them by oidc.delegate()."
        ),
        N_("Exit code: 0, or 1 if no server runs."),
    )
    examples = """
    jupyter oidc grants
    jupyter oidc grants --json
    jupyter oidc grants --revoke=worker-Zk3...      # every worker that has it is refused from now on
    """
    as_json = Bool(False, help=N_("Write the grants as JSON.")).tag(config=True)
    revoke = Unicode("", help=N_("The id of a grant to revoke.")).tag(config=True)
    aliases = Dict({**ALIASES, "server": "Grants.server", "revoke": "Grants.revoke"})
    flags = Dict({**FLAGS, "json": ({"Grants": {"as_json": True}}, N_("Write the grants as JSON."))})

    def work(self, server: RunningServer) -> int:
        """Revoke what is to be revoked, and print what lives."""
        revoked = str(self.revoke)
        reply = server.call("DELETE", f"{_PATH}/{quote(revoked, safe='')}") if revoked else server.call("GET", _PATH)
        living = reply["grants"]
        if self.as_json:
            self.write_stdout(json.dumps(living, indent=2))
            return 0
        if revoked:
            self.write_stdout(_("The grant {id} is revoked.", id=plain(revoked)))
        if not living:
            self.write_stdout(_("No worker has a grant."))
        for grant in living:
            self.write_stdout("\n".join(_paragraph(grant)))
        return 0


def _paragraph(grant: dict[str, Any]) -> list[str]:
    name = f" ({plain(grant['name'])})" if grant["name"] else ""
    return [
        f"{grant['id']}{name}",
        "    "
        + _(
            "opens {methods} of {apis}", methods=", ".join(grant["methods"]), apis=", ".join(map(plain, grant["apis"]))
        ),
        "    " + _("made by {maker} at {time}", maker=plain(grant["maker"]), time=grant["began_at"]),
        "    "
        + (
            _("ends at {time}, last used at {last_time}", time=grant["ends_at"], last_time=grant["last_used_at"])
            if grant["last_used_at"]
            else _("ends at {time}, never used", time=grant["ends_at"])
        ),
    ]
