"""Asks what neither the metadata nor the flags say, and plans the settings."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from jupyter_oidc.cli.setup import decisions
from jupyter_oidc.cli.setup.client_secret import ClientSecret, find_secret, secret_file
from jupyter_oidc.cli.setup.issuer import is_plain_http
from jupyter_oidc.cli.setup.obstacle import UNANSWERED_CODE, Obstacle
from jupyter_oidc.cli.setup.place import CALLED
from jupyter_oidc.cli.setup.provider_metadata import register
from jupyter_oidc.cli.setup.target_file import target_document
from jupyter_oidc.cli.setup.wishes import base_url
from jupyter_oidc.compose import diagnostic_context
from jupyter_oidc.language import _, told
from jupyter_oidc.problems import Problem, RouteForbidden
from jupyter_oidc.protocol.device import DEVICE_CODE
from jupyter_oidc.protocol.registration import registration_call
from jupyter_oidc.sessions.request_parameters import scopes_of
from jupyter_oidc.settings import Provider, Settings, read_settings
from jupyter_oidc.settings.presets import names, preset
from jupyter_oidc.settings.reading import check_unique_apis

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from jupyter_oidc.cli.setup.decisions import Way
    from jupyter_oidc.cli.setup.dialogue import Dialogue
    from jupyter_oidc.cli.setup.output import Output
    from jupyter_oidc.cli.setup.place import Place
    from jupyter_oidc.cli.setup.provider_metadata import FoundProvider
    from jupyter_oidc.cli.setup.settings_document import SettingsDocument
    from jupyter_oidc.cli.setup.surroundings import Surroundings
    from jupyter_oidc.cli.setup.wishes import Wishes
    from jupyter_oidc.settings import Api, Finding
    from jupyter_oidc.settings.presets import Preset

_NAME_FLAG: Final = "--name=NAME"


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be written: the ``body`` of the provider ``name``, its way to sign in, its secret, and the file."""

    name: str
    body: dict[str, Any]
    way: Way
    secret: ClientSecret
    document: SettingsDocument
    preset: Preset | None

    def provider(self, known: Settings) -> Provider:
        """Return the settings as the server will read them beside those that are ``known``.

        Raises :class:`Obstacle` for every mistake.
        """
        read = read_settings({self.name: self.body})
        findings: list[Finding] = read if isinstance(read, list) else []
        if isinstance(read, Settings):
            others = tuple(one for one in known.providers if one.name != self.name)
            check_unique_apis((*others, *read.providers), findings)
        if isinstance(read, list) or findings:
            raise Obstacle.of_findings(findings, _("Correct what you gave, and run this again; nothing was written."))
        return read.providers[0]


@dataclass(frozen=True, slots=True)
class Questions:
    """The questions of one run."""

    _wishes: Wishes
    _here: Surroundings
    _dialogue: Dialogue
    _output: Output

    def plan(self, found: FoundProvider, place: Place) -> Plan:
        """Ask what is not known, and return what is to be written; raises :class:`Obstacle`."""
        wishes, dialogue = self._wishes, self._dialogue
        known = next((one for one in self._here.settings.providers if one.issuer == found.issuer), None)
        name = wishes.name or dialogue.ask(
            _("Name of the provider here"), _NAME_FLAG, default=known.name if known else "corp", fault=_fault_of_name
        )
        document = target_document(name, wishes.file, self._here.paths, self._here.folder, self._here.settings)
        before = decisions.in_snake_case(document.provider(name))
        if before and before.get("issuer") != found.issuer:
            self._replace_other_issuer(name)
            before = {}
        found = _with_preset_of(found, before)
        metadata, preset = found.metadata, found.preset
        registers = wishes.registers and not before.get("client_id")
        client_id = "" if registers else self._client_id(before)
        need = decisions.secret_need(metadata, preset)
        secret = ClientSecret() if registers else find_secret(wishes, need, before, dialogue)
        apis = self._apis(before)
        values = self._values(found, place, before, with_api=bool(apis))
        way = self._way(found, place, name, before)
        body: dict[str, Any] = {
            **({"preset": preset.name} if preset else {}),
            "issuer": found.issuer,
            "client_id": client_id,
            **decisions.filled(preset, values),
            **way.settings,
            **({"ca_bundle": wishes.ca_bundle} if wishes.ca_bundle else {}),
            **({"allow_insecure_loopback": True} if is_plain_http(found.issuer) else {}),
        }
        scopes = decisions.scopes(metadata, preset, wishes.scopes)
        if scopes is not None and (wishes.scopes or "scopes" not in before):
            body["scopes"] = list(scopes)
        if apis:
            more = decisions.filled_api(preset, values)
            body["apis"] = {api: {"base_url": base_url(address), **more} for api, address in apis.items()}
        if registers:
            client_id, secret = self._registered(found, Provider(name, found.issuer, "-"), way, scopes)
            body["client_id"] = client_id
        if secret.is_there:
            body |= self._secret_settings(name, found, secret)
        elif (method := str(before.get("token_endpoint_auth_method", ""))) and not method.startswith("client_secret"):
            body["token_endpoint_auth_method"] = method  # a key or a certificate takes the place of a secret
        body = decisions.merged(before, body)
        self._ask_about_private_networks(name, body)
        return Plan(name, body, way, secret, document, preset)

    def _client_id(self, before: Mapping[str, Any]) -> str:
        return self._wishes.client_id or self._dialogue.ask(
            _("Client id, as the provider has registered it"),
            "--client-id=ID",
            default=str(before.get("client_id") or "jupyter"),
        )

    def _secret_settings(self, name: str, found: FoundProvider, secret: ClientSecret) -> dict[str, Any]:
        method = decisions.secret_method(found.metadata, found.preset)
        reference = secret.reference or f"file:{secret_file(name, self._here.folder)}"
        return {"client_secret": reference, **({"token_endpoint_auth_method": method} if method else {})}

    def _apis(self, before: Mapping[str, Any]) -> dict[str, str]:
        """Return the APIs to write, by name; those in the settings already stay and are not asked for again."""
        if self._wishes.apis or before.get("apis"):
            return dict(self._wishes.apis)
        name = self._dialogue.ask(
            _("Name of an API to call, such as orders (empty: none yet)"),
            "--api=NAME=URL",
            default="",
            fault=lambda text: _fault_of_name(text) if text else None,
            is_optional=True,
        )
        if not name:
            return {}
        address = self._dialogue.ask(
            _("Address of '{api}', such as https://api.example.com/v1/", api=name),
            "--api=NAME=URL",
            default="",
            is_optional=True,
        )
        return {name: address} if address else {}

    def _values(
        self, found: FoundProvider, place: Place, before: Mapping[str, Any], *, with_api: bool
    ) -> dict[str, str]:
        """Return the values for the placeholders of the preset; what the settings hold already is not asked for."""
        values = dict(self._wishes.values)
        template = found.preset.template if found.preset else {}
        for name, meaning in decisions.placeholders(found.preset, with_api=with_api).items():
            is_known = any(f"{{{name}}}" in str(value) and key in before for key, value in template.items())
            if values.get(name) or is_known:
                continue
            if name == "jupyter":
                public = place.public or ""
                values[name] = public.removeprefix("https://").rstrip("/") if public.startswith("https://") else ""
                continue
            text = told(meaning)
            values[name] = self._dialogue.ask(
                f"{text[0].upper()}{text[1:]}", f"--fill={name}=VALUE", default="", is_optional=True
            )
        return values

    def _way(self, found: FoundProvider, place: Place, name: str, before: Mapping[str, Any]) -> Way:
        """Return the way to sign in; one in the settings stays unless the command line says another."""
        wished = self._wishes.strategy
        kept = {key: before[key] for key in ("redirect_strategy", "redirect_uri") if before.get(key)}
        if kept and wished == "auto" and not self._wishes.address:
            uri = kept.get("redirect_uri")
            strategy = kept.get("redirect_strategy", "auto")
            way = decisions.Way(_("The settings say so."), (uri,) if uri else (), strategy, uri)
        else:
            way = decisions.way_to_sign_in(found.metadata, place, name, wished)
        self._output.say(f"{told(CALLED[place.kind])} {way.reason}")
        if place.kind == "remote" and way.register and not way.redirect_uri:
            self._output.say(_("Reach it through a tunnel (ssh -L 8888:localhost:8888 HOST), or give --address=URL."))
        return way

    def _replace_other_issuer(self, name: str) -> None:
        """Ask whether another provider of that name may go."""
        if not self._dialogue.confirm(
            _("The settings of '{provider}' are for another issuer. Replace them?", provider=name),
            _("another --name"),
            default=False,
        ):
            raise Obstacle(
                _("The name '{provider}' is taken by a provider with another issuer.", provider=name),
                _("Give another --name; or remove that provider from its file."),
                code=UNANSWERED_CODE,
            )

    def _ask_about_private_networks(self, name: str, body: dict[str, Any]) -> None:
        """Ask for each new API whether its private address is meant, and set ``allow_private_network``."""
        read = read_settings({name: body})
        if isinstance(read, list):
            return  # the mistakes are told together later
        context = diagnostic_context(read, (), environment=self._here.environment)
        for api in read.providers[0].apis:
            if api.allow_private_network or not self._is_private(context.probe_api, api):
                continue
            if self._wishes.allows_private_network or (
                self._dialogue.is_interactive
                and not self._dialogue.takes_defaults
                and self._dialogue.confirm(
                    _(
                        "The host of '{api}' leads to an address that is not on the public internet. Is that meant?",
                        api=api.name,
                    ),
                    "--private-network",
                    default=True,
                )
            ):
                body["apis"][api.name] = {**body["apis"][api.name], "allow_private_network": True}

    @staticmethod
    def _is_private(probe: Callable[[Api], Any], api: Api) -> bool:
        async def ask() -> bool:
            try:
                await probe(api)
            except RouteForbidden:
                return True
            except Problem:
                return False  # the report says what is wrong
            return False

        return asyncio.run(ask())

    def _registered(
        self, found: FoundProvider, provider: Provider, way: Way, scopes: tuple[str, ...] | None
    ) -> tuple[str, ClientSecret]:
        """Register a client at the provider, which has to offer that openly."""
        endpoint, metadata = found.metadata.registration_endpoint, found.metadata
        if endpoint is None:
            raise Obstacle(
                _("The provider's metadata name no endpoint at which a client could register itself."),
                _("Register the client at the provider by hand, and leave --register out."),
                "provider",
            )
        method = "none" if decisions.secret_need(metadata, found.preset) == "none" else None
        method = method or decisions.secret_method(metadata, found.preset) or "client_secret_basic"
        provider = replace(
            provider, ca_bundle=self._wishes.ca_bundle or None, allow_insecure_loopback=is_plain_http(found.issuer)
        )
        call = registration_call(
            endpoint,
            redirect_uris=way.register,
            scopes=scopes or scopes_of(provider, metadata),
            auth_method=method,
            grant_types=_grant_types(way),
        )
        client = register(replace(self._here.settings, providers=(provider,)), provider, call)
        self._output.say(
            _("The provider has registered this client under the id {client_id}.", client_id=client.client_id)
        )
        return client.client_id, ClientSecret(typed=client.secret)


def _with_preset_of(found: FoundProvider, before: Mapping[str, Any]) -> FoundProvider:
    """Return ``found`` with the preset that the settings name, where the metadata let recognise none."""
    named = before.get("preset")
    return replace(found, preset=preset(named)) if found.preset is None and named in names() else found


def _fault_of_name(name: str) -> str | None:
    read = read_settings({name: {"issuer": "https://id.example.com", "client_id": "x"}})
    return None if isinstance(read, Settings) else _("A name has lower-case letters, digits, '-' and '_'.")


def _grant_types(way: Way) -> tuple[str, ...]:
    return (DEVICE_CODE, "refresh_token") if way.has_code else ("authorization_code", "refresh_token")
