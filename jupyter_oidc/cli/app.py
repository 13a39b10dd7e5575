"""The command ``jupyter oidc``: its subcommands, and their common base.

It is a Jupyter application, so that ``--help``, ``--config`` and ``--debug`` work as in Jupyter.
"""

from __future__ import annotations

import io
import sys
from textwrap import dedent, indent
from typing import TYPE_CHECKING, Any, Final, TextIO
from unicodedata import east_asian_width

from jupyter_core.application import JupyterApp
from traitlets import Dict, default
from traitlets.utils.text import wrap_paragraphs

from jupyter_oidc import __version__
from jupyter_oidc.kernel.plain_text import plain
from jupyter_oidc.language import N_, Sentence, _, told

if TYPE_CHECKING:
    from collections.abc import Generator

    from traitlets import HasTraits, TraitType

_CLI = "jupyter_oidc.cli"


FLAGS: Final[dict[str, Any]] = {
    "debug": ({"Application": {"log_level": 10}}, N_("Write down more of what happens.")),
    "y": ({"JupyterApp": {"answer_yes": True}}, N_("Answer yes to any question.")),
}
"""The flags; some of JupyterApp's own are left out, as they would show the configuration with its secrets."""

_PARAGRAPH_END: Final = "\n\n"

ALIASES: Final[dict[str, Any]] = {"config": "JupyterApp.config_file", "log-level": "Application.log_level"}


def paragraphs(*texts: str) -> str:
    """Return a description of several paragraphs; each is told by itself."""
    return _PARAGRAPH_END.join(texts)


class OidcApp(JupyterApp):
    """Base of ``jupyter oidc`` and everything below it.

    Descriptions and the help of flags, options and subcommands are templates, told where the help is shown.
    """

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

    def emit_description(self) -> Generator[str, None, None]:
        """Show the description in the language of here."""
        for paragraph in str(self.description).split(_PARAGRAPH_END):
            yield from _wrapped(told(paragraph))

    def emit_subcommands_help(self) -> Generator[str, None, None]:
        """Show the subcommands in the language of here."""
        if self.subcommands:
            yield from _heading(_("Subcommands"), "=")
            yield from _wrapped(
                _(
                    "Subcommands are launched as `{app} cmd [args]`. For information on using subcommand 'cmd', do: "
                    "`{app} cmd -h`.",
                    app=self.name,
                )
            )
            for name, (_where, text) in self.subcommands.items():
                yield name
                yield indent(told(text), "    ")
            yield ""

    def emit_options_help(self) -> Generator[str, None, None]:
        """Show the options in the language of here."""
        yield from _heading(_("Options"), "=")
        yield from _wrapped(
            _(
                "The options below are convenience aliases to configurable class-options,\n"
                'as listed in the "Equivalent to" description-line of the aliases.\n'
                "To see all configurable class-options for some <cmd>, use:\n"
                "    <cmd> --help-all"
            )
        )
        yield from self.emit_flag_help()
        yield from self.emit_alias_help()
        yield ""

    def emit_help_epilogue(self, classes: bool) -> Generator[str, None, None]:  # noqa: FBT001 - traitlets' own name
        """Show where there is more help, in the language of here."""
        if not classes:
            yield _("To see all available configurables, use `--help-all`.")
            yield ""

    def emit_flag_help(self) -> Generator[str, None, None]:
        """Show the flags in the language of here."""
        self.flags = {name: (config, told(text)) for name, (config, text) in self.flags.items()}
        yield from super().emit_flag_help()

    @classmethod
    def class_get_trait_help(
        cls, trait: TraitType[Any, Any], inst: HasTraits | None = None, helptext: str | None = None
    ) -> str:
        """Return the help of an option in the language of here."""
        return super().class_get_trait_help(trait, inst, told(trait.help if helptext is None else helptext))

    def emit_examples(self) -> Generator[str, None, None]:
        """Show the examples as they are written."""
        if self.examples:
            yield from _heading(_("Examples"), "-")
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


def _heading(text: str, line: str) -> Generator[str, None, None]:
    """Yield ``text`` and a ``line`` below it, as wide as a terminal shows the text."""
    yield text
    yield line * sum(2 if east_asian_width(sign) in "WF" else 1 for sign in text)


def _wrapped(text: str) -> Generator[str, None, None]:
    for paragraph in wrap_paragraphs(text):
        yield paragraph
        yield ""


def _lines(text: str) -> str:
    """Return ``text`` in the language of here, with its lines, and without other control characters for a terminal."""
    shown = told(text) if isinstance(text, Sentence) else text
    return "\n".join(plain(line) for line in shown.split("\n"))


class CommandGroup(OidcApp):
    """A command that does nothing but to run one of its subcommands."""

    def start(self) -> None:
        """Run the subcommand, or show the help."""
        if self.subapp is None:
            self.print_help()
            self.exit(2)
        super().start()


class Main(CommandGroup):
    """``jupyter oidc``."""

    name = "jupyter-oidc"
    description = paragraphs(
        N_("Sign-in at OpenID Connect providers for Jupyter: check it, configure it, use it."),
        N_(
            "Begin with `jupyter oidc setup ISSUER`. If something does not work, `jupyter oidc doctor` looks at "
            "everything, and says what is wrong and who can fix it."
        ),
    )
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
                N_("Set a provider up: settings, first sign-in, first call of an API."),
            ),
            "doctor": (f"{_CLI}.doctor.Doctor", N_("Look at everything; say what is wrong and who can fix it.")),
            "config": (f"{_CLI}.config.Config", N_("Check, show, import and export settings; show presets.")),
            "status": (f"{_CLI}.session.Status", N_("Show who is signed in at the running server.")),
            "sign-in": (f"{_CLI}.session.SignIn", N_("Sign in at a provider, through the running server.")),
            "sign-out": (f"{_CLI}.session.SignOut", N_("Sign out at a provider, through the running server.")),
            "grants": (f"{_CLI}.grants.Grants", N_("List what workers may call, and revoke it.")),
            "run": (f"{_CLI}.run.Run", N_("Run a command that may call what a notebook may, until it ends.")),
            "broker": (f"{_CLI}.broker.Broker", N_("Serve the sessions of many accounts, away from their notebooks.")),
            "forget": (f"{_CLI}.forget.Forget", N_("Remove stored sessions from this machine.")),
        }
    )


def takes_any_letter(stream: TextIO | None) -> None:
    """Let ``stream`` write a question mark for a letter that its encoding lacks, rather than fail."""
    if isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(errors="replace")


def main() -> None:
    """Run ``jupyter oidc``."""
    takes_any_letter(sys.stdout)
    Main.launch_instance()
