"""Chooses the strategy of a sign-in, and says why.

It decides from the settings, the provider's metadata, the browser's location and the table of strategies.
It refuses to guess: only the settings tell which redirect URIs are registered.
An impossible strategy is an answer with an action for the user, and never a silent change to another one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from typing_extensions import assert_never

from jupyter_oidc.language import Sentence, sentence
from jupyter_oidc.problems import ConfigurationInvalid, Problem, RequestInvalid
from jupyter_oidc.settings.redirect_uri import is_loopback, leads_to_callback, takes_any_port
from jupyter_oidc.strategies import facts_of, facts_of_setting

if TYPE_CHECKING:
    from jupyter_oidc.contract.strategy import RequestedStrategy, Strategy
    from jupyter_oidc.settings import Provider
    from jupyter_oidc.strategies import StrategyFacts

Browser = Literal["here", "elsewhere", "unknown"]
"""The browser's location: it reaches this server at a loopback address, at another one, or was not seen yet."""


@dataclass(frozen=True, slots=True)
class Choice:
    """The strategy to take; ``reason`` is a sentence for diagnostics."""

    strategy: Strategy
    reason: Sentence

    @property
    def facts(self) -> StrategyFacts:
        """The entry of the strategy in the server's table."""
        return facts_of(self.strategy)


@dataclass(frozen=True, slots=True)
class Impossible:
    """A strategy that was named and cannot be taken: why, and what to do. ``named_by_caller``: not by the settings."""

    reason: Sentence
    action: Sentence
    named_by_caller: bool

    def problem(self) -> Problem:
        """Return the refusal: of the request if the caller named the strategy, else of the settings."""
        kind = RequestInvalid if self.named_by_caller else ConfigurationInvalid
        return kind(self.reason, action=self.action, detail="strategy")


def choose(
    settings: Provider, *, offers_device: bool, browser: Browser, requested: RequestedStrategy = "auto"
) -> Choice | Impossible:
    """Return the strategy of a sign-in that is begun now; the table stands in the reference of settings.

    ``requested`` is the caller's wish; it counts if the settings leave the choice (``auto``).
    """
    pinned = settings.redirect_strategy
    if requested != "auto" and pinned not in ("auto", requested):
        return Impossible(
            sentence("The settings of this provider allow the strategy '{pinned}' only.", pinned=pinned),
            sentence("Leave 'strategy' out, or ask your administrator to set redirect_strategy to 'auto'."),
            named_by_caller=True,
        )
    offers_device = offers_device and settings.profile is None
    named = requested if requested != "auto" else pinned
    if named == "auto":
        return _by_itself(settings, offers_device=offers_device, browser=browser)
    obstacle = _obstacle(named, settings, offers_device=offers_device, browser=browser)
    if obstacle is not None:
        return Impossible(*obstacle, named_by_caller=requested != "auto")
    asked = sentence("It was asked for.")
    return Choice(named, asked if requested != "auto" else sentence("The settings say '{strategy}'.", strategy=named))


def pins_server(settings: Provider) -> bool:
    """Return whether the settings alone say that the browser comes back to the callback route at ``redirect_uri``."""
    facts = facts_of_setting(settings.redirect_strategy)
    comes_back = facts is None or facts.ends_at_callback
    return settings.redirect_uri is not None and comes_back and not takes_any_port(settings.redirect_uri)


def pins_callback(settings: Provider) -> bool:
    """Return whether the settings say at which host a browser reaches this server's callback route."""
    return pins_server(settings) and leads_to_callback(settings.redirect_uri or "", settings.name)


def _by_itself(settings: Provider, *, offers_device: bool, browser: Browser) -> Choice:
    uri = settings.redirect_uri
    if is_loopback(uri) and browser == "elsewhere":
        if offers_device:
            why = sentence(
                "The redirect_uri is a loopback address, and the browser is on another machine than this server."
            )
            return Choice("device", why)
        if settings.response_mode == "query":
            why = sentence(
                "The redirect_uri is a loopback address, and the browser is on another machine than this server; "
                "the provider does not advertise sign-in by code."
            )
            return Choice("paste", why)
    if takes_any_port(uri) and settings.response_mode == "query":
        return Choice(
            "loopback", sentence("The redirect_uri is a loopback address without a port, so any free port will do.")
        )
    if uri is not None:
        return Choice("server", sentence("The redirect_uri leads to this server."))
    if browser == "here":
        return Choice("server", sentence("The browser reaches this server at a loopback address."))
    if offers_device:
        return Choice(
            "device", sentence("No redirect_uri says how the browser reaches this server; the provider offers a code.")
        )
    return Choice(
        "server", sentence("Nothing else is possible; where the browser reaches this server, redirect_uri has to say.")
    )


def _obstacle(
    named: Strategy, settings: Provider, *, offers_device: bool, browser: Browser
) -> tuple[Sentence, Sentence] | None:
    """Return the obstacle for ``named``, and what to do about it; ``None`` if there is none."""
    uri, facts = settings.redirect_uri, facts_of(named)
    if settings.profile is not None and not facts.in_profile:
        return sentence("The profile in the settings does not allow {strategy}.", strategy=facts.called), _ANOTHER
    if facts.has_code and not offers_device:
        return sentence("The provider does not advertise {strategy}.", strategy=facts.called), _ENABLE_DEVICE
    if facts.reads_address and settings.response_mode == "form_post":
        return _NO_FORM
    if facts.without_redirect_uri and uri is None:
        return facts.without_redirect_uri, _SET_ADDRESS
    if facts.needs_local_browser and browser == "elsewhere":
        return _NOT_HERE
    if uri is None:
        return None
    match facts.redirect_target:
        case "callback":
            return None if leads_to_callback(uri, settings.name) else _NO_CALLBACK
        case "loopback":
            return None if is_loopback(uri) else _NOT_LOOPBACK
        case "any" | None:
            return None
        case _:
            assert_never(facts.redirect_target)


_ANOTHER: Final = sentence("Leave 'strategy' out, or choose another one.")
_ENABLE_DEVICE: Final = sentence(
    "Ask your administrator to enable the device authorization grant at the provider, or choose another strategy."
)
_SET_ADDRESS: Final = sentence(
    "Ask your administrator to set redirect_uri to an address that is registered at the provider."
)
_NO_FORM: Final = (
    sentence("This strategy needs the provider's answer in the address, and response_mode is 'form_post'."),
    sentence("Ask your administrator to set response_mode to 'query'."),
)
_NO_CALLBACK: Final = (
    sentence("The redirect_uri in the settings does not lead to this server's callback."),
    sentence("Leave 'strategy' out, or ask your administrator to set redirect_uri to the callback of this server."),
)
_NOT_HERE: Final = (
    sentence("The browser is not on the machine of this server, so a listener there cannot be reached."),
    sentence(
        "Open JupyterLab at its loopback address, or ask your administrator to set redirect_strategy to 'auto' or 'device'."
    ),
)
_NOT_LOOPBACK: Final = (
    sentence("The redirect_uri in the settings is not a loopback address."),
    sentence("Leave 'strategy' out, or ask your administrator to register a loopback address."),
)
