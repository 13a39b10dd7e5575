"""The eight steps of a set-up, in their order: find, decide, ask, register, write, sign in, call, what next.

Nothing is written before every question is answered; then the secret and the settings are, both or neither.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from jupyter_oidc.cli.running import ServerError, address_of, fetch_server_checks, running_server
from jupyter_oidc.cli.setup import decisions
from jupyter_oidc.cli.setup.api_probe import judge_answer, judge_refusal, path_to_probe
from jupyter_oidc.cli.setup.client_secret import ClientSecret, find_secret, keep_secret, secret_file
from jupyter_oidc.cli.setup.first_server import first_server
from jupyter_oidc.cli.setup.first_session import judge
from jupyter_oidc.cli.setup.issuer import is_plain_http
from jupyter_oidc.cli.setup.obstacle import UNANSWERED_CODE, WHO, Obstacle
from jupyter_oidc.cli.setup.place import CALLED, place_of
from jupyter_oidc.cli.setup.provider_metadata import FoundProvider, find_provider, register
from jupyter_oidc.cli.setup.target_file import is_read_by_jupyter, target_document
from jupyter_oidc.cli.setup.wishes import Wishes, base_url
from jupyter_oidc.cli.sign_in import SignInWish, TerminalSignIn
from jupyter_oidc.compose import diagnostic_context
from jupyter_oidc.diagnostics import Report, examine
from jupyter_oidc.diagnostics.provider import check_contradictions
from jupyter_oidc.diagnostics.report import as_text
from jupyter_oidc.problems import Problem, RouteForbidden
from jupyter_oidc.protocol.registration import registration_call
from jupyter_oidc.sessions.contradictions import SignInPlan
from jupyter_oidc.sessions.request_parameters import scopes_of
from jupyter_oidc.settings import Provider, Settings, read_settings
from jupyter_oidc.settings.reading import check_unique_apis

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from contextlib import AbstractContextManager
    from pathlib import Path

    from jupyter_oidc.adapters.storage.secret_keeping import KeptSecret
    from jupyter_oidc.cli.running import RunningServer
    from jupyter_oidc.cli.setup.decisions import Way
    from jupyter_oidc.cli.setup.dialogue import Dialogue
    from jupyter_oidc.cli.setup.place import Place
    from jupyter_oidc.cli.setup.settings_document import SettingsDocument
    from jupyter_oidc.diagnostics.check import Check
    from jupyter_oidc.settings import Api, Finding

RELOAD_SECONDS: Final = 20.0
"""Seconds within which a running server has to know a new provider; it looks every two, twice."""

CHANGE_SECONDS: Final = 8.0
"""Seconds after which a running server has read a changed file, whose provider it knew before."""

_POLL_SECONDS: Final = 0.5
_NAME_FLAG: Final = "--name=NAME"


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the command knows of this machine: Jupyter's folders and configuration, and the settings so far.

    ``paths`` are the configuration folders, ``folder`` is the user's own one.
    """

    paths: tuple[str, ...]
    folder: Path
    config: Mapping[str, Any]
    environment: Mapping[str, str]
    settings: Settings
    reloads: bool = True
    has_unicode: bool = True


@dataclass(frozen=True, slots=True)
class _Plan:
    """What is to be written: the body of the provider ``name``, the way to sign in, and the file."""

    name: str
    body: dict[str, Any]
    way: Way
    secret: ClientSecret
    document: SettingsDocument


class SetUp:
    """One run; ``write_line`` writes a line of the result."""

    def __init__(
        self, wishes: Wishes, here: Surroundings, dialogue: Dialogue, write_line: Callable[[str], None]
    ) -> None:
        self._wishes = wishes
        self._here = here
        self._dialogue = dialogue
        self._say = write_line
        self.written: Path | None = None
        """The file that was written, for a person who stops later."""

    def run(self) -> int:
        """Make the steps and return the exit code; raises :class:`Obstacle` and ``ServerError``."""
        found = self._find()
        server = self._running_server()
        place = place_of(
            self._here.environment,
            self._here.config,
            address_of(server, self._here.config) or "",
            self._wishes.address or None,
        )
        plan = self._ask(found, place)
        provider = self._validated(plan, found)
        self._say_what_to_register(plan, found.preset)
        if self._wishes.is_dry_run:
            return self._show_only(plan)
        changed = self._write(plan, place)
        provider = self._validated(plan, found) if plan.secret.typed is None else self._reread(plan)
        report = self._examined(provider, place, plan)
        if not is_read_by_jupyter(plan.document.path, self._here.paths):
            self._say(f"Jupyter does not read {plan.document.path}: copy it into a folder of 'jupyter --paths'.")
            return 0
        if not self._wishes.signs_in:
            self._say_what_next(provider, signed_in=False)
            return 0 if report.ok else 1
        return self._try(server, provider, place, changed=changed)

    # -- 1. find -------------------------------------------------------------------------------------------------------

    def _find(self) -> FoundProvider:
        self._say(f"Reading the metadata of {self._wishes.issuer} ...")
        found = find_provider(self._wishes.issuer, self._wishes.ca_bundle or None, self._here.settings)
        title = found.preset.title if found.preset else "an OpenID Provider that no preset is for"
        self._say(f"Found {found.issuer}: {title}.")
        self._say_checks(check for check in found.checks if check.status != "ok")
        if is_plain_http(found.issuer):
            self._say("It speaks http at a loopback address, which is for developers: allow_insecure_loopback is set.")
        return found

    # -- 2. and 3. decide and ask --------------------------------------------------------------------------------------

    def _ask(self, found: FoundProvider, place: Place) -> _Plan:
        wishes, dialogue, metadata, preset = self._wishes, self._dialogue, found.metadata, found.preset
        known = next((one for one in self._here.settings.providers if one.issuer == found.issuer), None)
        name = wishes.name or dialogue.ask(
            "Name of the provider here", _NAME_FLAG, default=known.name if known else "corp", fault=_fault_of_name
        )
        document = target_document(name, wishes.file, self._here.paths, self._here.folder, self._here.settings)
        before = decisions.in_snake_case(document.provider(name))
        if before and before.get("issuer") != found.issuer:
            self._replace_other_issuer(name)
            before = {}
        registers = wishes.registers and not before.get("client_id")
        client_id = "" if registers else self._client_id(before)
        need = decisions.secret_need(metadata, preset)
        secret = ClientSecret() if registers else find_secret(wishes, need, before.get("client_secret"), dialogue)
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
        body = decisions.merged(before, body)
        self._ask_about_private_networks(name, body)
        return _Plan(name, body, way, secret, document)

    def _client_id(self, before: Mapping[str, Any]) -> str:
        return self._wishes.client_id or self._dialogue.ask(
            "Client id, as the provider has registered it",
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
            "Name of an API to call, such as orders (empty: none yet)",
            "--api=NAME=URL",
            default="",
            fault=lambda text: _fault_of_name(text) if text else None,
            is_optional=True,
        )
        if not name:
            return {}
        address = self._dialogue.ask(
            f"Address of '{name}', such as https://api.example.com/v1/", "--api=NAME=URL", default="", is_optional=True
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
            values[name] = self._dialogue.ask(
                f"{meaning[0].upper()}{meaning[1:]}", f"--fill={name}=VALUE", default="", is_optional=True
            )
        return values

    def _way(self, found: FoundProvider, place: Place, name: str, before: Mapping[str, Any]) -> Way:
        """Return the way to sign in; one in the settings stays unless the command line says another."""
        wished = self._wishes.strategy
        kept = {key: before[key] for key in ("redirect_strategy", "redirect_uri") if before.get(key)}
        if kept and wished == "auto" and not self._wishes.address:
            uri = kept.get("redirect_uri")
            strategy = kept.get("redirect_strategy", "auto")
            way = decisions.Way("The settings say so.", (uri,) if uri else (), strategy, uri)
        else:
            way = decisions.way_to_sign_in(found.metadata, place, name, wished)
        self._say(f"The server runs {CALLED[place.kind]}. {way.reason}")
        if place.kind == "remote" and way.register and not way.redirect_uri:
            self._say("Reach it through a tunnel (ssh -L 8888:localhost:8888 HOST), or give --address=URL.")
        return way

    def _replace_other_issuer(self, name: str) -> None:
        """Ask whether another provider of that name may go."""
        if not self._dialogue.confirm(
            f"The settings of '{name}' are for another issuer. Replace them?", "another --name", default=False
        ):
            raise Obstacle(
                f"The name '{name}' is taken by a provider with another issuer.",
                "Give another --name; or remove that provider from its file.",
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
                    f"The host of '{api.name}' leads to an address that is not on the public internet. Is that meant?",
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
                "The provider's metadata name no endpoint at which a client could register itself.",
                "Register the client at the provider by hand, and leave --register out.",
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
        self._say(f"The provider has registered this client under the id {client.client_id}.")
        return client.client_id, ClientSecret(typed=client.secret)

    # -- 4. register ---------------------------------------------------------------------------------------------------

    def _validated(self, plan: _Plan, found: FoundProvider) -> Provider:
        """Return the provider's settings as the server will read them; raises :class:`Obstacle` for every mistake."""
        provider = self._reread(plan)
        wanted = SignInPlan(provider, found.metadata, by_code=plan.way.strategy == "device")
        contradicted = [check for check in check_contradictions(wanted) if check.status == "problem"]
        if contradicted:
            raise Obstacle.of_check(contradicted[0])
        return provider

    def _reread(self, plan: _Plan) -> Provider:
        read = read_settings({plan.name: plan.body})
        findings: list[Finding] = read if isinstance(read, list) else []
        if isinstance(read, Settings):
            others = tuple(one for one in self._here.settings.providers if one.name != plan.name)
            check_unique_apis((*others, *read.providers), findings)
        if isinstance(read, list) or findings:
            raise Obstacle.of_findings(findings, "Correct what you gave, and run this again; nothing was written.")
        return read.providers[0]

    def _say_what_to_register(self, plan: _Plan, preset: Any) -> None:
        uris = plan.way.register
        if not uris:
            self._say("Sign-ins by code need no redirect URI; the client has to be allowed the device grant.")
            return
        if self._wishes.registers:
            return
        label = f" ({preset.registration.where}: {preset.registration.redirect_uri})" if preset else ""
        more = ", for any port" if plan.way.any_port else ", each to the letter" if len(uris) > 1 else ", to the letter"
        self._say(f"Register this at the provider{label}, for the client {plan.body['client_id']}{more}:\n")
        for uri in uris:
            self._say(f"    {uri}")
        self._say("")
        if not self._wishes.is_dry_run:
            self._dialogue.pause("Press Enter when that is done.")

    # -- 5. write ------------------------------------------------------------------------------------------------------

    def _show_only(self, plan: _Plan) -> int:
        text = plan.document.with_provider(plan.name, plan.body)
        self._say(f"This would be written into {plan.document.path}:\n")
        self._say(plan.document.difference(text) or "(nothing changes)")
        if plan.secret.typed is not None:
            self._say("The client secret would be kept in the keyring or in a file of its own.")
        return 0

    def _write(self, plan: _Plan, place: Place) -> bool:
        """Write secret and settings, both or neither, and return whether anything changed."""
        document = plan.document
        if plan.secret.typed is None and document.with_provider(plan.name, plan.body) == document.text:
            self._say(f"Nothing changes: {document.path} says all of this already.")
            return False
        with _kept(plan, place, self._here.folder) as kept:
            if kept is not None:
                plan.body["client_secret"] = f"{kept.reference.scheme}:{kept.reference.name}"
            text = document.with_provider(plan.name, plan.body)
            if document.text not in (None, text):
                self._say(document.difference(text))
                if not self._dialogue.confirm(f"Change {document.path}?", "--yes", default=True):
                    raise Obstacle("Nothing was written.", "Run this again when you are ready.")
            document.write(text)
            self.written = document.path
        if kept is not None:
            self._say(
                f"The client secret is kept in {plan.body['client_secret']}, which is all that the settings say of it."
            )
        self._say(f"Written: {document.path}")
        return True

    # -- 6. sign in ----------------------------------------------------------------------------------------------------

    def _examined(self, provider: Provider, place: Place, plan: _Plan) -> Report:
        """Look at everything as doctor does; a person may correct what is wrong, and is asked to look again."""
        while True:
            report = asyncio.run(self._examine(provider, place, plan))
            self._say_checks(check for check in report.checks if check.status != "ok")
            fine = sum(check.status == "ok" for check in report.checks)
            self._say(f"{fine} of {len(report.checks)} that were looked at are as they should be.")
            in_the_way = [check for check in report.checks if check.status == "problem" and _stops_sign_in(check)]
            if not in_the_way:
                return report
            if not self._dialogue.is_interactive or self._dialogue.takes_defaults:
                raise Obstacle(
                    "The sign-in was not begun, because of what is wrong above.",
                    "Let it be corrected, then run this again: the settings are written.",
                    in_the_way[0].who or "administrator",
                )
            self._dialogue.pause("Correct it, then press Enter to look again; Ctrl-C stops, and the settings stay.")

    async def _examine(self, provider: Provider, place: Place, plan: _Plan) -> Report:
        context = diagnostic_context(
            replace(self._here.settings, providers=(provider,)),
            (),
            environment=self._here.environment,
            address=place.address,
        )
        # NOTE: the sign-in that follows begins at this address, so the redirect URI is no guess.
        seen = replace(context, address_seen_by_browsers=bool(plan.way.register) and place.kind == "local")
        report = await examine(seen, asks_registration=True)
        about_session = ("audience of ",)
        return Report(tuple(check for check in report.checks if not check.name.startswith(about_session)))

    def _try(self, server: RunningServer | None, provider: Provider, place: Place, *, changed: bool) -> int:
        """Sign in at the running server, or at one that runs for this alone; judge the session, call the APIs."""
        stays = server is not None
        if not stays:
            self._say("No Jupyter server runs here, so one is started for the sign-in ...")
        with _server_for(server, place) as at:
            if stays:
                self._await_settings(at, provider, changed=changed)
            summary = self._signed_in(at, provider, changed=changed)
            checks = [*judge(summary, asyncio.run(fetch_server_checks(at)))]
            checks += [self._called(at, provider, api) for api in provider.apis]
            self._say(as_text(Report(tuple(checks)), ascii_only=not self._here.has_unicode))
        if not stays:
            goes_on = summary["storage"] != "memory"
            self._say(
                "The server for the sign-in has been stopped; "
                + (
                    "JupyterLab goes on with the session."
                    if goes_on
                    else "its session was in memory, and ended with it."
                )
            )
        self._say_what_next(provider, signed_in=stays or summary["storage"] != "memory")
        return 0 if Report(tuple(checks)).ok and summary["state"] == "active" else 1

    def _await_settings(self, server: RunningServer, provider: Provider, *, changed: bool) -> None:
        """Wait until the running server has read the file."""
        known = self._knows(server, provider)
        if known and not changed:
            return
        self._say("Waiting until the running server has read the settings ...")
        if known:
            time.sleep(CHANGE_SECONDS)
            return
        until = time.monotonic() + RELOAD_SECONDS
        while time.monotonic() < until:
            time.sleep(_POLL_SECONDS)
            if self._knows(server, provider):
                return
        raise Obstacle(
            f"The running Jupyter server does not know the provider '{provider.name}' yet.",
            "Restart it; if it reads other configuration folders, give --file in one of them. Then run this again.",
        )

    @staticmethod
    def _knows(server: RunningServer, provider: Provider) -> bool:
        with suppress(ServerError):  # NOTE: also one whose settings hold mistakes, or whose provider is new
            listed = server.call("GET", "jupyter-oidc/providers")["providers"]
            return any((one["name"], one["issuer"]) == (provider.name, provider.issuer) for one in listed)
        return False

    def _signed_in(self, server: RunningServer, provider: Provider, *, changed: bool) -> dict[str, Any]:
        route = f"jupyter-oidc/providers/{quote(provider.name, safe='')}/session"
        summary = server.call("GET", route)
        if not changed and summary["state"] == "active" and not summary["settings_pending"]:
            self._say("There is a session already, so nobody has to sign in.")
            return summary
        self._say("The first sign-in:")
        wish = SignInWish(timeout_seconds=self._wishes.timeout_seconds)
        opens = self._wishes.opens_browser
        return TerminalSignIn(server, provider.name, self._say, opens_browser=opens, wish=wish).run()

    # -- 7. call -------------------------------------------------------------------------------------------------------

    def _called(self, server: RunningServer, provider: Provider, api: Api) -> Check:
        """Call ``api`` once through the proxy; the body of its answer is not read."""
        import httpx

        path = path_to_probe({"example": getattr(api, "example", None), "path_prefixes": list(api.path_prefixes)})
        address = f"jupyter-oidc/api/{quote(api.name, safe='')}/{path}"
        try:
            with server.client() as client, client.stream("GET", address) as reply:
                if "X-OIDC-Error" not in reply.headers:
                    return judge_answer(provider.name, api.name, path, reply.status_code)
                reply.read()
                told = reply.json()
        except (httpx.HTTPError, ValueError):
            told = {"message": "The call of the API was not answered."}
        return judge_refusal(provider.name, api.name, told if isinstance(told, dict) else {})

    # -- 8. what next --------------------------------------------------------------------------------------------------

    def _say_what_next(self, provider: Provider, *, signed_in: bool) -> None:
        if not signed_in:
            self._say("Next: start JupyterLab (jupyter lab), and sign in there or by: jupyter oidc sign-in.")
        first = next(iter(provider.apis), None)
        if first is None:
            self._say(f"Next: name an API: jupyter oidc setup {provider.issuer} --api=NAME=URL")
            return
        path = path_to_probe({"example": getattr(first, "example", None)})
        self._say("In a notebook:\n\n    import jupyter_oidc as oidc")
        self._say(f'    oidc.api("{first.name}").get("{path}")\n')

    # -- words ---------------------------------------------------------------------------------------------------------

    def _say_checks(self, checks: Any) -> None:
        for check in checks:
            self._say(f"  {check.name}: {check.message}")
            if check.action:
                self._say(f"    {WHO[check.who or 'administrator']}: {check.action}")

    def _running_server(self) -> RunningServer | None:
        if not self._wishes.signs_in or self._wishes.is_dry_run:
            with suppress(ServerError):
                return running_server(self._wishes.server)
            return None
        return running_server(self._wishes.server)


@contextmanager
def _kept(plan: _Plan, place: Place, folder: Path) -> Iterator[KeptSecret | None]:
    """Keep the secret that was typed, and take it away again if what follows fails."""
    if plan.secret.typed is None:
        yield None
        return
    kept = keep_secret(plan.secret.typed, plan.name, place, folder)
    try:
        yield kept
    except BaseException:
        kept.undo()
        raise


def _server_for(server: RunningServer | None, place: Place) -> AbstractContextManager[RunningServer]:
    return first_server(place.address) if server is None else nullcontext(server)


def _stops_sign_in(check: Check) -> bool:
    """Return whether a problem makes a sign-in pointless: one of an API, or of the storage, does not."""
    return check.provider is not None and not check.name.startswith(("API ", "host name"))


def _fault_of_name(name: str) -> str | None:
    read = read_settings({name: {"issuer": "https://id.example.com", "client_id": "x"}})
    return None if isinstance(read, Settings) else "A name has lower-case letters, digits, '-' and '_'."


def _grant_types(way: Way) -> tuple[str, ...]:
    from jupyter_oidc.protocol.device import DEVICE_CODE

    return (DEVICE_CODE, "refresh_token") if way.strategy == "device" else ("authorization_code", "refresh_token")
