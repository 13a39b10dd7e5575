"""The place of a broker that is a service of JupyterHub: where it listens, and how browsers reach it.

The Hub tells its services in environment variables; who runs the broker elsewhere sets the same ones.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import quote, unquote, urlsplit

from jupyter_oidc.language import N_, sentence
from jupyter_oidc.problems import ConfigurationInvalid
from jupyter_oidc.settings import Finding
from jupyter_oidc.settings.broker import BROKER_SECTION, host_and_port, web_address
from jupyter_oidc.settings.redirect_uri import LOOPBACK_HOSTS
from jupyter_oidc.strategies import facts_of_setting

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jupyter_oidc.broker.hub_api import HubApi
    from jupyter_oidc.settings import Settings
    from jupyter_oidc.settings.broker import BrokerSettings

SERVICE_URL: Final = "JUPYTERHUB_SERVICE_URL"
"""The variable with the address at which the Hub's proxy reaches the service."""

USER_HOSTS: Final = "JUPYTERHUB_HOST"
"""The variable with the Hub's own address, which is there if each user has a host below that one."""

_NEEDED: Final = (
    "JUPYTERHUB_SERVICE_NAME",
    "JUPYTERHUB_SERVICE_PREFIX",
    "JUPYTERHUB_API_URL",
    "JUPYTERHUB_API_TOKEN",
)


class HubPlace(NamedTuple):
    """The service ``name`` listens at ``host`` and ``port``, and its paths begin with ``prefix``.

    ``public_url`` is the address in a browser; it ends with ``prefix``. All paths of the Hub begin with ``base``.
    Where each user has a host of their own, it is below ``user_domain``.
    """

    name: str
    host: str
    port: int
    prefix: str
    public_url: str
    base: str
    user_domain: str = ""

    def callback_of(self, provider: str) -> str:
        """Return the redirect URI that is registered at ``provider``, one for all users."""
        return f"{self.public_url}jupyter-oidc/providers/{provider}/callback"

    @property
    def has_user_hosts(self) -> bool:
        """Whether each user has a host of their own."""
        return bool(self.user_domain)

    @property
    def hub(self) -> str:
        """The path of the Hub's own pages."""
        return f"{self.base}hub/"

    @property
    def _users(self) -> str:
        return f"{self.base}user/"

    def home_of(self, user: str) -> str:
        """Return the path of the servers of ``user``."""
        return f"{self._users}{quote(user, safe='@~')}/"

    def is_server_of(self, user: str, base_url: str) -> bool:
        """Return whether a server at ``base_url`` is one of ``user``; the Hub escapes names in a way of its own."""
        below = base_url[len(self._users) :] if base_url.startswith(self._users) else ""
        segments = [unquote(segment) for segment in below.split("/")]
        return bool(below) and segments[0] == user and {".", ".."}.isdisjoint(segments)

    def is_user_host(self, address: str) -> bool:
        """Return whether ``address`` is at the host of a user."""
        plain = web_address(address)
        host = "" if plain is None else urlsplit(plain).hostname or ""
        return self.has_user_hosts and host.endswith(f".{self.user_domain}")


def place_in(settings: BrokerSettings, environment: Mapping[str, str]) -> HubPlace | list[Finding] | None:
    """Return the place at the Hub, ``None`` for a broker behind a socket, or everything that is missing."""
    told = environment.get(SERVICE_URL, "")
    at = host_and_port(settings.listen or told)
    if at is None and told and settings.listen is None:
        instead = N_("Write 'http://HOST:PORT' as the url of the service, or as listen in the settings of the broker.")
        return [Finding(f"variable {SERVICE_URL}", N_("is no place to listen at"), instead)]
    if at is None:
        return None
    findings = [
        Finding(
            f"variable {name}",
            N_("is not set"),
            N_("Let JupyterHub start the broker as one of its services, or set its variables as JupyterHub does."),
        )
        for name in _NEEDED
        if not environment.get(name)
    ]
    if findings:
        return findings
    name, prefix = environment["JUPYTERHUB_SERVICE_NAME"], f"/{environment['JUPYTERHUB_SERVICE_PREFIX'].strip('/')}/"
    below = f"services/{name}/"
    usual = prefix[: -len(below)] if prefix.endswith(below) else "/"
    user_domain = urlsplit(web_address(environment.get(USER_HOSTS)) or "").hostname or ""
    # NOTE: where users have hosts of their own, each service has one, too, which only the Hub can name.
    by_hub = web_address(environment.get("JUPYTERHUB_PUBLIC_URL")) or (
        None if user_domain else _below(environment, prefix)
    )
    public_url = settings.public_url or by_hub
    parts = urlsplit(public_url or "")
    is_safe = parts.scheme == "https" or parts.hostname in LOOPBACK_HOSTS
    is_safe &= not user_domain or (parts.hostname or "").endswith(f".{user_domain}")
    if public_url is None or parts.path != prefix or not is_safe:
        missing = N_("is missing") if public_url is None else N_("is not the https address of this service")
        instead = sentence(
            "Write the address of the Hub in a browser, followed by {prefix}, as 'https://hub.example.com{prefix}'.",
            prefix=prefix,
        )
        return [Finding(f"{BROKER_SECTION}.public_url", missing, instead)]
    base = f"{environment.get('JUPYTERHUB_BASE_URL', usual).rstrip('/')}/"
    return HubPlace(name, *at, prefix, public_url, base, user_domain)


def with_callbacks(settings: Settings, place: HubPlace) -> Settings | list[Finding]:
    """Return ``settings`` where each provider has the redirect URI of the broker, or those that have another one."""
    others = [
        Finding(
            f"JupyterOIDC.providers.{one.name}.redirect_strategy",
            N_("does not lead to the broker"),
            N_("Leave it out, or write 'server' or 'device'."),
        )
        for one in settings.providers
        if (facts := facts_of_setting(one.redirect_strategy)) and facts.redirect_target not in ("callback", None)
    ]
    if (
        not place.has_user_hosts
    ):  # NOTE: a form of another site does not bring the Hub's cookie, by which a browser is known
        others += [
            Finding(
                f"JupyterOIDC.providers.{one.name}.response_mode",
                N_("is 'form_post', for which users need hosts of their own at the Hub"),
                N_("Leave it out, or give users hosts of their own (c.JupyterHub.subdomain_host)."),
            )
            for one in settings.providers
            if one.response_mode == "form_post"
        ]
    others += [
        Finding(
            f"JupyterOIDC.providers.{one.name}.redirect_uri",
            N_("does not lead to the broker"),
            sentence("Leave it out, or write {address}.", address=place.callback_of(one.name)),
        )
        for one in settings.providers
        if one.redirect_uri not in (None, place.callback_of(one.name))
    ]
    return others or replace(
        settings,
        providers=tuple(replace(one, redirect_uri=place.callback_of(one.name)) for one in settings.providers),
    )


def hub_of(place: HubPlace) -> HubApi:
    """Return the Hub; raises ``ConfigurationInvalid`` without JupyterHub's library."""
    try:
        from jupyter_oidc.broker.hub_api import HubApi
    except ImportError:
        raise ConfigurationInvalid(
            N_("A broker that is a service of JupyterHub needs JupyterHub's library, which is not installed."),
            action=N_('Install it: pip install "jupyter_oidc[hub]".'),
            detail="hub.library",
        ) from None
    return HubApi(place.name, place.base, f"{place.public_url}oauth_callback" if place.has_user_hosts else None)


def _below(environment: Mapping[str, str], prefix: str) -> str | None:
    hub = web_address(environment.get("JUPYTERHUB_PUBLIC_HUB_URL"))
    if hub is None:
        return None
    parts = urlsplit(hub)
    return f"{parts.scheme}://{parts.netloc}{prefix}"
