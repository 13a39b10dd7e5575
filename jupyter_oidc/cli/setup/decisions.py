"""Decides what the settings of a provider are to be: by its metadata, its preset, the server's place, and the flags.

Functions of values, so that a table of metadata tests them.
They refuse to repeat what the settings do by themselves: a value that is a default, or that the preset fills in, is not
written, so that a later version may know better.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, get_args

from typing_extensions import assert_never

from jupyter_oidc.cli.setup.obstacle import UNANSWERED_CODE, Obstacle
from jupyter_oidc.contract.strategy import RequestedStrategy
from jupyter_oidc.language import _
from jupyter_oidc.protocol.device import offers_device_grant
from jupyter_oidc.sessions.request_parameters import OFFLINE_ACCESS
from jupyter_oidc.settings.fields import camel_case
from jupyter_oidc.settings.model import DEFAULT_SCOPES, PROVIDER_SETTINGS
from jupyter_oidc.strategies import facts_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from jupyter_oidc.cli.setup.place import Place
    from jupyter_oidc.protocol.discovery import Metadata
    from jupyter_oidc.settings.presets import Preset

SecretNeed = Literal["none", "possible", "required"]
"""Whether a client here has a secret: a public one is listed; it is not, and may be taken all the same; the preset says so."""

_SECRET_METHODS: Final = ("client_secret_basic", "client_secret_post")
_PLACEHOLDER: Final = re.compile(r"\{([a-z_]+)\}")
_SNAKE: Final = {camel_case(one.key): one.key for one in PROVIDER_SETTINGS}
_NO_LISTENER: Final = "http://127.0.0.1/jupyter-oidc/providers/{name}/callback"


@dataclass(frozen=True, slots=True)
class Way:
    """The way to sign in, and why.

    ``settings`` are the keys that it needs, none where the server finds it by itself; ``register`` are the redirect URIs
    for the provider, each to the letter, and for ``any_port`` if they name none.
    """

    reason: str
    register: tuple[str, ...] = ()
    strategy: RequestedStrategy = "auto"
    redirect_uri: str | None = None
    any_port: bool = False

    @property
    def has_code(self) -> bool:
        """Whether the user enters a code at the provider."""
        return self.strategy != "auto" and facts_of(self.strategy).has_code

    @property
    def settings(self) -> dict[str, Any]:
        """The keys of the settings."""
        named = {
            "redirect_strategy": None if self.strategy == "auto" else self.strategy,
            "redirect_uri": self.redirect_uri,
        }
        return {key: value for key, value in named.items() if value is not None}


def members_of(metadata: Metadata) -> dict[str, str | None]:
    """Return the members by which presets recognise a provider."""
    names = ("issuer", "authorization_endpoint", "token_endpoint", "userinfo_endpoint", "jwks_uri")
    return {name: getattr(metadata, name) for name in names}


def secret_need(metadata: Metadata, preset: Preset | None) -> SecretNeed:
    """Return whether a secret is needed; a public client with PKCE comes first where the provider takes one."""
    if preset is not None and ("client_secret" in preset.template or _method_of(preset).startswith("client_secret")):
        return "required"
    return "none" if "none" in (metadata.token_endpoint_auth_methods or ()) else "possible"


def secret_method(metadata: Metadata, preset: Preset | None) -> str | None:
    """Return the ``token_endpoint_auth_method`` to write for a client with a secret; ``None`` if the preset has one.

    A provider that lists no methods takes ``client_secret_basic`` (Discovery 1.0, 3).
    """
    if preset is not None and _method_of(preset).startswith("client_secret"):
        return None
    listed = metadata.token_endpoint_auth_methods
    found = next((method for method in _SECRET_METHODS if listed is None or method in listed), None)
    if found is None:
        raise Obstacle(
            _("The provider takes a client's secret in none of the ways that a set-up can write."),
            _(
                "Use a public client, or configure private_key_jwt or a client certificate by hand: 'Configure a "
                "provider'."
            ),
            "administrator",
        )
    return found


def scopes(metadata: Metadata, preset: Preset | None, wished: Sequence[str]) -> tuple[str, ...] | None:
    """Return the ``scopes`` to write; ``None`` if those that apply anyway are right.

    ``wished`` are asked for as they are, with ``openid``; else of the usual ones those that the provider lists.
    """
    if wished:
        return tuple(dict.fromkeys(("openid", *wished)))
    in_preset = preset is not None and "scopes" in preset.settings
    usual = tuple(preset.settings["scopes"]) if preset is not None and in_preset else DEFAULT_SCOPES
    listed = metadata.scopes_supported
    if not listed:
        return None
    wanted = tuple(one for one in usual if one == "openid" or one in listed)
    by_itself = usual if in_preset or OFFLINE_ACCESS in listed else tuple(one for one in usual if one != OFFLINE_ACCESS)
    return None if wanted == by_itself else wanted


def way_to_sign_in(metadata: Metadata, place: Place, name: str, wished: RequestedStrategy) -> Way:
    """Return the way that fits the ``place`` of the server, or the one that is ``wished``; raises :class:`Obstacle`."""
    offers_code = offers_device_grant(metadata)
    if wished == "device" and not offers_code:
        raise Obstacle(
            _("The provider does not advertise sign-in by code (the device authorization grant)."),
            _("Enable it at the provider, or give another --strategy."),
            "provider",
        )
    strategy = wished if wished != "auto" else _strategy_at(place, offers_code=offers_code)
    match strategy:
        case "auto":
            return Way(_("The browser comes back to this server."), _callbacks(place, name))
        case "server":
            return _through_the_server(place, name)
        case "device":
            return Way(_("A code is entered at the provider, in any browser on any machine."), strategy="device")
        case "loopback":
            uri = "http://127.0.0.1/callback"
            reason = _("The browser comes back to a listener of its own on this machine.")
            return Way(reason, (uri,), "loopback", uri, any_port=True)
        case "paste":
            uri = _NO_LISTENER.format(name=name)
            reason = _("The address at which the browser ends is pasted; nothing has to listen there.")
            return Way(reason, (uri,), "paste", uri, any_port=True)
        case _:
            assert_never(strategy)


def _strategy_at(place: Place, *, offers_code: bool) -> RequestedStrategy:
    match place.kind:
        case "local":
            return "auto"
        case "hub":
            return "server" if place.public or not offers_code else "device"
        case "remote":
            return "server" if place.public else "device" if offers_code else "auto"
        case "binder":
            return "device" if offers_code else "paste"
        case _:
            assert_never(place.kind)


def _through_the_server(place: Place, name: str) -> Way:
    path = f"jupyter-oidc/providers/{name}/callback"
    if place.kind == "hub":
        if place.public is None:
            raise Obstacle(
                _("At which address browsers reach this Hub is not known from here."),
                _("Give --address=https://HUB/hub/, or --strategy=device if the provider offers it."),
                code=UNANSWERED_CODE,
            )
        uri = f"{_slashed(place.public)}user-redirect/{path}"
        return Way(_("The Hub sends each user's browser on to their own server."), (uri,), redirect_uri=uri)
    if place.public is None:
        return Way(_("The browser comes back to this server."), _callbacks(place, name))
    uri = f"{_slashed(place.public)}{path}"
    return Way(_("The browser comes back to this server at its public address."), (uri,), redirect_uri=uri)


def _callbacks(place: Place, name: str) -> tuple[str, ...]:
    """Return the callback at the server's loopback address, at either name that a browser may use."""
    base = _slashed(place.address)
    other = (
        base.replace("//localhost", "//127.0.0.1", 1)
        if "//localhost" in base
        else base.replace("//127.0.0.1", "//localhost", 1)
    )
    return tuple(dict.fromkeys(f"{one}jupyter-oidc/providers/{name}/callback" for one in (base, other)))


def placeholders(preset: Preset | None, *, with_api: bool) -> dict[str, str]:
    """Return the placeholders of the preset's template that nothing here fills in, with their meanings.

    Those of the template's API count if an API is set up.
    """
    if preset is None:
        return {}
    own = {key: value for key, value in preset.template.items() if key not in ("apis", "client_secret")}
    text = json.dumps([own, api_template(preset) if with_api else {}])
    return {
        name: preset.placeholders[name] for name in dict.fromkeys(_PLACEHOLDER.findall(text)) if name != "client_id"
    }


def filled(preset: Preset | None, values: Mapping[str, str]) -> dict[str, Any]:
    """Return the template's keys, without APIs and secret, with ``values`` in place; one without a value is left out."""
    own = {} if preset is None else preset.template
    return _filled({key: value for key, value in own.items() if key not in ("apis", "client_secret")}, values)


def filled_api(preset: Preset | None, values: Mapping[str, str]) -> dict[str, Any]:
    """Return what the template gives an API besides its address."""
    return {} if preset is None else _filled(api_template(preset), values)


def api_template(preset: Preset) -> dict[str, Any]:
    """Return the keys of the template's first API, without its address."""
    first: Mapping[str, Any] = next(iter(preset.template.get("apis", {}).values()), {})
    return {key: value for key, value in first.items() if key != "base_url"}


def _filled(template: Mapping[str, Any], values: Mapping[str, str]) -> dict[str, Any]:
    done = {}
    for key, value in template.items():
        text = json.dumps(value)
        if all(values.get(name) for name in _PLACEHOLDER.findall(text)):
            # NOTE: each value is put into JSON text, so it is escaped as JSON text.
            done[key] = json.loads(_PLACEHOLDER.sub(lambda found: json.dumps(values[found[1]])[1:-1], text))
    return done


def in_snake_case(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return an existing provider's settings with the keys that the server writes; the file may hold either spelling."""
    return {_SNAKE.get(key, key): value for key, value in body.items()}


OWN_KEYS: Final = ("preset", "client_secret", "token_endpoint_auth_method", "redirect_strategy", "redirect_uri")
"""Keys that a set-up decides as a whole: one that it does not write goes, as it belonged to an earlier decision."""


def merged(before: Mapping[str, Any], body: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``body`` over the settings ``before``: what a set-up does not decide stays, APIs one by one."""
    kept = {key: value for key, value in before.items() if key not in OWN_KEYS or key in body}
    apis = {**before.get("apis", {})}
    for name, api in body.get("apis", {}).items():
        apis[name] = {**apis.get(name, {}), **api}
    return {**kept, **body, **({"apis": apis} if apis else {})}


def strategies() -> tuple[RequestedStrategy, ...]:
    """Return the words that ``--strategy`` takes."""
    return get_args(RequestedStrategy)


def _method_of(preset: Preset) -> str:
    return str(preset.settings.get("token_endpoint_auth_method", "none"))


def _slashed(address: str) -> str:
    return address if address.endswith("/") else f"{address}/"
