"""The command ``jupyter oidc``: its subcommands, and their common base.

It is a Jupyter application, so that ``--help``, ``--config`` and ``--debug`` work as in Jupyter.
"""

from __future__ import annotations

import sys
from textwrap import dedent, indent
from typing import TYPE_CHECKING, Any, Final

from jupyter_core.application import JupyterApp
from traitlets import Dict, default

from jupyter_oidc import __version__
from jupyter_oidc.kernel.plain_text import plain

if TYPE_CHECKING:
    from collections.abc import Generator

_CLI = "jupyter_oidc.cli"


FLAGS: Final[dict[str, Any]] = {
    "debug": ({"Application": {"log_level": 10}}, "Write down more of what happens."),
    "y": ({"JupyterApp": {"answer_yes": True}}, "Answer yes to any question."),
}
"""The flags; some of JupyterApp's own are left out, as they would show the configuration with its secrets."""

ALIASES: Final[dict[str, Any]] = {"config": "JupyterApp.config_file", "log-level": "Application.log_level"}


class OidcApp(JupyterApp):
    """Base of ``jupyter oidc`` and everything below it."""

    version = __version__
    flags = Dict(FLAGS)
    aliases = Dict(ALIASES)

    @default("config_file_name")
    def _default_config_file_name(self) -> str:
        """Read the same configuration file as the Jupyter server, whose settings these are."""
        return "jupyter_server_config"

    @default("log_format")
    def _default_log_format(self) -> str:
        return "%(message)s"

    def emit_examples(self) -> Generator[str, None, None]:
        """Show the examples as they are written."""
        if self.examples:
            yield "Examples"
            yield "--------"
            yield ""
            yield indent(dedent(str(self.examples)).strip("\n"), "    ")
            yield ""

    def write_stdout(self, text: str = "") -> None:
        """Write a line of the result."""
        sys.stdout.write(f"{_lines(text)}\n")
        sys.stdout.flush()  # a program at the other end of a pipe may wait for this line

    def write_stderr(self, text: str) -> None:
        """Write a line that is not part of the result."""
        sys.stderr.write(f"{_lines(text)}\n")


def _lines(text: str) -> str:
    """Return ``text`` with its lines, and without other control characters for a terminal."""
    return "\n".join(plain(line) for line in text.split("\n"))


class Main(OidcApp):
    """``jupyter oidc``."""

    name = "jupyter-oidc"
    description = """Sign-in at OpenID Connect providers for Jupyter: check it, configure it, use it.

    Begin with `jupyter oidc setup ISSUER`. If something does not work, `jupyter oidc doctor` looks at everything, and
    says what is wrong and who can fix it.
    """
    examples = """
    jupyter oidc setup https://id.example.com   # find out, ask, write the settings, sign in, call an API
    jupyter oidc config preset                  # which providers there are presets for
    jupyter oidc config preset NAME         # settings to fill in
    jupyter oidc config check                   # are the settings sound?
    jupyter oidc doctor                         # does everything work?
    jupyter oidc status                         # who is signed in?
    """
    subcommands = Dict(
        {
            "setup": (
                f"{_CLI}.setup.command.Setup",
                "Set a provider up: settings, first sign-in, first call of an API.",
            ),
            "doctor": (f"{_CLI}.doctor.Doctor", "Look at everything; say what is wrong and who can fix it."),
            "config": (f"{_CLI}.config.Config", "Check, show, import and export settings; show presets."),
            "status": (f"{_CLI}.session.Status", "Show who is signed in at the running server."),
            "sign-in": (f"{_CLI}.session.SignIn", "Sign in at a provider, through the running server."),
            "sign-out": (f"{_CLI}.session.SignOut", "Sign out at a provider, through the running server."),
            "run": (f"{_CLI}.run.Run", "Run a command that may call what a notebook may, until it ends."),
            "forget": (f"{_CLI}.forget.Forget", "Remove stored sessions from this machine."),
        }
    )

    def start(self) -> None:
        """Run the subcommand, or show the help."""
        if self.subapp is None:
            self.print_help()
            self.exit(2)
        super().start()


def main() -> None:
    """Run ``jupyter oidc``."""
    Main.launch_instance()
