"""The server's table of sign-in strategies: one entry for each says what it needs and where the answer arrives.

Settings, sessions, diagnostics and routes ask this table, and compare no strategy with a word of their own; a test in
``tests/laws`` looks for such comparisons.
The type check fails until a new word of the contract has an entry here (ADR 49).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, get_args

from typing_extensions import assert_never

from jupyter_oidc.contract.strategy import Strategy
from jupyter_oidc.language import Sentence, sentence

if TYPE_CHECKING:
    from jupyter_oidc.contract.strategy import RequestedStrategy

AnswerPlace = Literal["callback", "listener", "pasted", "polled"]
"""Where the provider's answer arrives.

``callback``: at the callback route of this server. ``listener``: at one on this machine, open for this sign-in only.
``pasted``: in a text that the user copies. ``polled``: in no browser, because the server asks until a code was entered.
"""

RedirectTarget = Literal["callback", "loopback", "any"]
"""Where a configured ``redirect_uri`` has to lead: to the callback route, to a loopback address, or anywhere."""


@dataclass(frozen=True, slots=True)
class StrategyFacts:
    """What one strategy needs, and what it allows; ``called`` is its name in sentences.

    ``redirect_target`` is ``None`` if no redirect URI takes part.
    ``without_redirect_uri`` says that it needs one in the settings.
    ``reads_address``: the answer has to be in the address, so ``form_post`` does not fit.
    ``in_profile``: a security profile allows it.
    """

    called: Sentence
    answer: AnswerPlace
    redirect_target: RedirectTarget | None
    without_redirect_uri: Sentence | None = None
    needs_local_browser: bool = False
    reads_address: bool = False
    in_profile: bool = True

    @property
    def needs_redirect_uri(self) -> bool:
        """Whether it is impossible without a redirect URI in the settings."""
        return self.without_redirect_uri is not None

    @property
    def has_code(self) -> bool:
        """Whether the user enters a code at the provider; such a sign-in has no start page, and so no ticket."""
        return self.answer == "polled"

    @property
    def comes_back(self) -> bool:
        """Whether the answer comes in the browser that followed the link, so that a link alone is enough."""
        return self.answer in ("callback", "listener")

    @property
    def ends_at_callback(self) -> bool:
        """Whether the browser comes back to a page of the server itself, which can ask it, or send it on."""
        return self.answer == "callback"


STRATEGIES: Final[tuple[Strategy, ...]] = get_args(Strategy)


def facts_of(strategy: Strategy) -> StrategyFacts:
    """Return the entry of ``strategy``."""
    match strategy:
        case "server":
            return StrategyFacts(sentence("sign-in through this server"), answer="callback", redirect_target="callback")
        case "loopback":
            return StrategyFacts(
                sentence("sign-in through a listener on this machine"),
                answer="listener",
                redirect_target="loopback",
                needs_local_browser=True,
                reads_address=True,
            )
        case "device":
            return StrategyFacts(
                sentence("sign-in by code (the device authorization grant)"),
                answer="polled",
                redirect_target=None,
                in_profile=False,
            )
        case "paste":
            return StrategyFacts(
                sentence("sign-in by a pasted address"),
                answer="pasted",
                redirect_target="any",
                without_redirect_uri=sentence(
                    "Sign-in by a pasted address needs a redirect_uri in the settings, and there is none."
                ),
                reads_address=True,
            )
        case _:
            assert_never(strategy)


def facts_of_setting(strategy: RequestedStrategy) -> StrategyFacts | None:
    """Return the entry of the strategy that the settings name; ``None`` if they leave the choice."""
    return None if strategy == "auto" else facts_of(strategy)
