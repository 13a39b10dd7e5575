"""The calls to our own routes: every reply is read by its contract before it is returned."""

from __future__ import annotations

import os
import time
import warnings
from functools import cache, partial
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote

import httpx

from jupyter_oidc.contract.reader import OTHER
from jupyter_oidc.kernel.auth import ApiAuth, RefreshingHeaders
from jupyter_oidc.kernel.bounded_read import BoundedRead
from jupyter_oidc.kernel.catalogue import (
    api_html,
    api_of,
    api_text,
    operation_listing,
    unlisted_html,
    unlisted_text,
)
from jupyter_oidc.kernel.connections import Connections
from jupyter_oidc.kernel.cut_answer import lost_session
from jupyter_oidc.kernel.errors import OIDCError, OIDCWarning, ProviderUnclear, SignInTimeout, UnknownApi
from jupyter_oidc.kernel.find import find_kernel, find_server
from jupyter_oidc.kernel.grant import GrantAuth
from jupyter_oidc.kernel.listing import in_quotes, nearest_first, unknown_name
from jupyter_oidc.kernel.replies import content_of, judge, unreachable
from jupyter_oidc.kernel.transport import AsyncOIDCClient, OIDCClient
from jupyter_oidc.language import _, counted, joined, sentence, told

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from jupyter_oidc.kernel.catalogue import Api, Operation
    from jupyter_oidc.kernel.find import Server
    from jupyter_oidc.kernel.listing import Listing
    from jupyter_oidc.kernel.made_by import MadeBy

WORKER_VARIABLE = "JUPYTER_OIDC_WORKER_GRANT"
"""The environment variable by which a worker process gets its grant."""

POLL_SECONDS = 2.0
"""Seconds of one poll of a sign-in's progress; short, so that the display and Ctrl-C stay responsive."""

MIN_POLL_INTERVAL_SECONDS = 0.2
"""Seconds between two polls at least, if the server answers at once."""

MAX_WAIT_SECONDS = 20.0
"""Seconds that a request about the session may wait for a busy server."""

APIS_CACHE_SECONDS = 60.0
"""Seconds for which the list of the APIs counts as current; settings can change while the server runs."""

OPERATIONS_CACHE_SECONDS = 300.0
"""Seconds for which the operations of an API count as current, for completion."""

NAME_CHECK_SECONDS = 2.0
"""Seconds that the check of an API's name may take, when a client is made."""

QUICK_READ_TIMEOUT_SECONDS = 5.0
"""Seconds in which the server has to go on answering, where a call does without the answer."""

CANCEL_TIMEOUT_SECONDS = 5.0
"""Seconds that cancelling a sign-in may take: after Ctrl-C, the user wants to go on."""


class Providers(NamedTuple):
    """The names of the providers, in the order of the settings, and which is meant where none is named."""

    names: list[str]
    default: str | None


class ServerConnection:
    """One kernel's connection to its server."""

    def __init__(self, server: Server, auth: GrantAuth) -> None:
        self.server = server
        self.auth = auth
        self._connections = Connections(server)
        self._client = OIDCClient(
            server, auth, "jupyter-oidc/", patience=MAX_WAIT_SECONDS, **self._connections.shared({})
        )
        self._impatient = OIDCClient(
            server,
            auth,
            "jupyter-oidc/",
            patience=0.0,
            timeout=QUICK_READ_TIMEOUT_SECONDS,
            **self._connections.shared({}),
        )
        self._apis = BoundedRead(partial(self._read_apis, self._impatient))
        self._providers = BoundedRead(partial(self._read_providers, self._impatient))
        self._operations: dict[str, BoundedRead[dict[str, Any]]] = {}

    def provider(self, name: str | None, api: str | None = None, *, call: str = "session") -> str:
        """Return ``name``, or the provider of ``api``, or the only one, or the default of the settings.

        Raises ``ProviderUnclear`` if there are several and no default; it shows how to name one in a ``call``.
        """
        if name:
            return name
        if api is None and (named := os.environ.get("JUPYTER_OIDC_PROVIDER")):
            return named
        known, default = self._providers.keep(self._read_providers(self._client))
        if len(known) == 1:
            return known[0]
        if api is None and default is not None:
            return default
        for choice in known if api is not None else ():
            if any(entry["name"] == api for entry in self.session(choice)["apis"]):
                return choice
        if api is not None:
            self.check_api(api)
        example = f'oidc.{call}("{known[0]}")' if known else ""
        raise ProviderUnclear(
            _("Several providers are configured.") if known else _("No provider is configured on this server."),
            action=_(
                "Name one of: {names}. For example: {call}.",
                names=in_quotes(known),
                call=example,
            )
            if known
            else _("Ask your administrator to configure one."),
        )

    def provider_names(self) -> list[str]:
        """Return the names of the providers, in the order of the settings."""
        return self._providers.keep(self._read_providers(self._client)).names

    def session(self, provider: str) -> dict[str, Any]:
        """Return the session summary."""
        return self._call("GET", f"providers/{quote(provider, safe='')}/session", "session.reply")

    def begin(self, provider: str, **wishes: Any) -> dict[str, Any]:
        """Begin a sign-in with those of the ``wishes`` that are not ``None``, members of ``sign-in.request``.

        With ``api`` it is as strong as that API demanded (RFC 9470, 4).
        """
        wish = {name: wished for name, wished in wishes.items() if wished is not None}
        return self._call("POST", f"providers/{quote(provider, safe='')}/sign-in", "sign-in.reply", json=wish)

    def progress(self, started: dict[str, Any], wait: float = 0.0) -> dict[str, Any]:
        """Return the progress of a sign-in, after at most ``wait`` seconds."""
        return self._call("GET", f"{_flow_path(started)}?wait={wait:g}", "sign-in-progress.reply")

    def complete(self, started: dict[str, Any], pasted: str) -> dict[str, Any]:
        """Send the address to which the provider redirected the browser; the reply is the sign-in's last progress."""
        body = {"redirect_url": pasted}
        return self._call("POST", f"{_flow_path(started)}/complete", "sign-in-progress.reply", json=body)

    def cancel(self, started: dict[str, Any]) -> None:
        """Cancel a sign-in."""
        self._call("DELETE", _flow_path(started), "sign-in-progress.reply", timeout=CANCEL_TIMEOUT_SECONDS)

    def sign_out(self, provider: str) -> dict[str, Any]:
        """Sign out; the reply holds the result of each step."""
        return self._call("POST", f"providers/{quote(provider, safe='')}/sign-out", "sign-out.reply", json={})

    def await_sign_in(self, started: dict[str, Any], timeout: float, tell: Callable[[float], None]) -> dict[str, Any]:
        """Wait until the sign-in is finished and return its last progress; ``tell`` gets the seconds left.

        Raises ``SignInTimeout`` after ``timeout`` seconds; the sign-in is under way still.
        """
        deadline = time.monotonic() + timeout
        while (left := deadline - time.monotonic()) > 0:
            tell(left)
            looked = time.monotonic()
            progress = self.progress(started, min(POLL_SECONDS, left))
            if not is_waiting(progress):
                return progress
            time.sleep(max(0.0, MIN_POLL_INTERVAL_SECONDS - (time.monotonic() - looked)))
        raise SignInTimeout(
            told(
                counted(
                    round(timeout),
                    "Nobody finished the sign-in within {number} seconds.",
                    "Nobody finished the sign-in within {number} seconds.",
                )
            ),
            action=_("Run oidc.sign_in() again, and open the link it shows."),
        )

    def made_by(self, call: str, *arguments: Any, **options: Any) -> MadeBy:
        """Return the call that makes the same in another process, which proves its own identity there."""
        return _again, (call, arguments, options)

    def make_grant(self, wish: dict[str, Any]) -> dict[str, Any]:
        """Make a grant for workers; ``wish`` holds the members of ``grant.request``."""
        return self._call("POST", "grants", "grant.reply", json=wish)

    def worker_grants(self) -> list[dict[str, Any]]:
        """Return the grants for workers that live, entries of ``grants.reply``."""
        return list(self._call("GET", "grants", "grants.reply")["grants"])

    def revoke_grant(self, grant_id: str) -> None:
        """End a grant for workers."""
        self._call("DELETE", f"grants/{quote(grant_id, safe='')}", "grants.reply")

    def api_client(self, name: str, **options: Any) -> OIDCClient:
        """Return a client whose base URL is the proxy of the API ``name``."""
        shared = self._connections.shared(options)
        made_by = self.made_by("api_client", name, **options)
        known = ApiOfClient(name, self)
        return OIDCClient(self.server, self.auth, _api_path(name), made_by=made_by, api=known, **shared, **options)

    def async_api_client(self, name: str, **options: Any) -> AsyncOIDCClient:
        """Return an asynchronous client whose base URL is the proxy of the API ``name``."""
        shared = self._connections.shared_async(options)
        made_by = self.made_by("async_api_client", name, **options)
        known = ApiOfClient(name, self)
        return AsyncOIDCClient(self.server, self.auth, _api_path(name), made_by=made_by, api=known, **shared, **options)

    def apis(self) -> list[Api]:
        """Return the APIs as the server lists them now."""
        return self._apis.keep(self._read_apis(self._client))

    def listed_apis(self, wait_seconds: float) -> list[Api] | None:
        """Return a recent list of the APIs, or ``None`` if none can be had in time; never raises."""
        return self._apis.within(wait_seconds, APIS_CACHE_SECONDS)

    def last_listed(self, name: str) -> tuple[Api, float] | None:
        """Return the API ``name`` of the last list, and how many seconds ago that was; without a call."""
        age_seconds = self._apis.age_seconds()
        return next(((api, age_seconds) for api in self._apis.held() or [] if api.name == name), None)

    def expire_status(self) -> None:
        """Let what was listed of the APIs count as old, because the session has changed."""
        self._apis.expire()

    def listed_providers(self, wait_seconds: float) -> list[str] | None:
        """Return a recent list of the providers' names, or ``None`` if none can be had in time; never raises."""
        known = self._providers.within(wait_seconds, APIS_CACHE_SECONDS)
        return None if known is None else known.names

    def check_api(self, name: str) -> None:
        """Raise ``UnknownApi`` with the names that exist, if the server's own list does not hold ``name``.

        A name that was on a list costs no call. A list that cannot be had proves nothing.
        """
        if any(api.name == name for api in self._apis.held() or []):
            return
        listed = self._apis.renewed(NAME_CHECK_SECONDS)
        if listed is None or any(api.name == name for api in listed):
            return
        names = [api.name for api in listed]
        action = (
            joined(
                sentence("Use one of the APIs that this server has: {names}.", names=in_quotes(names)),
                sentence("Run oidc.apis() to see them."),
            )
            if names
            else sentence("This server has no API: ask your administrator to add one to the settings.")
        )
        raise UnknownApi(
            unknown_name("API", name, names),
            action=told(action),
            params={"api": name, "names": nearest_first(name, names)},
        )

    def operations(self, name: str, search: str | None = None) -> Listing[Operation]:
        """Return the operations of the API ``name`` that hold every word of ``search``."""
        reply = self._operations_read(name).keep(self._read_operations(name, self._client))
        return operation_listing(reply, search, partial(_operation_example, name))

    def listed_operations(self, name: str, wait_seconds: float) -> list[dict[str, Any]] | None:
        """Return recent operations of an API, or ``None`` if none can be had in time; never raises."""
        reply = self._operations_read(name).within(wait_seconds, OPERATIONS_CACHE_SECONDS)
        return None if reply is None else list(reply["operations"])

    def operation_example(self, name: str, method: str, path: str) -> dict[str, Any]:
        """Return one operation of the API ``name`` as code."""
        return self._call(
            "GET",
            f"apis/{quote(name, safe='')}/operations/example",
            "operation-example.reply",
            params={"method": method, "path": path},
        )

    def base_url(self, name: str) -> str | None:
        """Return the base URL of the API ``name`` behind the proxy; ``None`` if the server does not name it."""
        listed = self._apis.held(APIS_CACHE_SECONDS)
        known = listed if listed is not None else self.apis()
        return next((api.base_url for api in known if api.name == name), None)

    def lost_session(self, api: str) -> OIDCError | None:
        """Return the exception for an answer of ``api`` that ended with its session; ``None`` if that lives or is unknown."""
        listed = self.last_listed(api)
        try:
            provider = self.provider(None, api) if listed is None else listed[0].provider
            path = f"providers/{quote(provider, safe='')}/session"
            return lost_session(self._call("GET", path, "session.reply", self._impatient))
        except OIDCError:
            return None

    def api_url(self, name: str) -> str:
        """Return the address of the proxy of the API ``name``; it ends with a slash."""
        return self.server.url + _api_path(name)

    def api_auth(self, name: str) -> ApiAuth:
        """Return the authentication object by which another library calls the API ``name``."""
        return ApiAuth(self.auth, self.api_url(name), self.made_by("api_auth", name))

    def headers(self) -> RefreshingHeaders:
        """Return headers for a library that takes those instead of a client, after requesting a grant for them."""
        if self.server.socket is not None:
            warnings.warn(
                _(
                    "This Jupyter server listens on the Unix socket {socket} and nowhere else: another library gets there "
                    "only if it can use a Unix socket, as httpx with HTTPTransport(uds=...) and curl with --unix-socket "
                    "can. oidc.api() needs nothing.",
                    socket=self.server.socket,
                ),
                OIDCWarning,
                stacklevel=3,
            )
        self.request_grant()
        return RefreshingHeaders(self.auth, _headers)

    def request_grant(self) -> None:
        """Call the server once, so that this kernel has a grant; raises what the server refuses it for."""
        self._call("GET", "providers", "providers.reply")

    def _read_apis(self, client: OIDCClient) -> list[Api]:
        entries = self._call("GET", "apis", "apis.reply", client)["apis"]
        return [api_of(entry, self.api_url(entry["name"])) for entry in entries]

    def _read_providers(self, client: OIDCClient) -> Providers:
        reply = self._call("GET", "providers", "providers.reply", client)
        return Providers([str(entry["name"]) for entry in reply["providers"]], reply["default_provider"])

    def _read_operations(self, name: str, client: OIDCClient) -> dict[str, Any]:
        return self._call("GET", f"apis/{quote(name, safe='')}/operations", "operations.reply", client)

    def _operations_read(self, name: str) -> BoundedRead[dict[str, Any]]:
        read = partial(self._read_operations, name, self._impatient)
        return self._operations.setdefault(name, BoundedRead(read))

    def _call(
        self, method: str, path: str, name: str, client: OIDCClient | None = None, **options: Any
    ) -> dict[str, Any]:
        client = client or self._client
        try:
            request = client.build_request(method, path, **options)
            content = content_of(client.send(request, stream=True))
        except httpx.HTTPError as error:
            raise unreachable(error) from None
        return judge(name, content)


class ApiOfClient:
    """The API of one client: its address, its card and its operations; ``connection`` is the kernel's."""

    def __init__(self, name: str, connection: ServerConnection) -> None:
        self.name = name
        self._connection = connection

    def base_url(self) -> str | None:
        """Return the API's own address, which may ask the server."""
        return self._connection.base_url(self.name)

    def lost_session(self) -> OIDCError | None:
        """Return the exception for an answer that ended in the middle, if its session has ended; asks the server."""
        return self._connection.lost_session(self.name)

    def operations(self, search: str | None) -> Listing[Operation]:
        """Return the operations of the API that hold every word of ``search``."""
        return self._connection.operations(self.name, search)

    def text(self) -> str:
        """Return the card for a terminal, from the last list of the APIs; asks nobody.

        The status is left out if that list is old, or if this kernel has signed in or out since.
        """
        listed = self._connection.last_listed(self.name)
        if listed is None:
            return unlisted_text(self.name, self._connection.api_url(self.name))
        return api_text(listed[0], listed[1])

    def html(self) -> str:
        """Return the same for a notebook."""
        listed = self._connection.last_listed(self.name)
        if listed is None:
            return unlisted_html(self.name, self._connection.api_url(self.name))
        return api_html(listed[0], listed[1])


def is_waiting(progress: Mapping[str, Any]) -> bool:
    """Return whether a sign-in is under way; in a state that is not known here, until it has an error or no time left."""
    state = progress["state"]
    return bool(state == "waiting" or (state == OTHER and progress["error"] is None and progress["expires_in"] > 0))


def _api_path(name: str) -> str:
    return f"jupyter-oidc/api/{quote(name, safe='')}/"


def _flow_path(started: dict[str, Any]) -> str:
    return f"providers/{quote(started['provider'], safe='')}/sign-in/{quote(started['flow'], safe='')}"


@cache
def _server_connection(process: int) -> ServerConnection:
    """Return the connection of this process; a forked child gets its own (``process`` is its id)."""
    del process
    server = find_server()
    return ServerConnection(server, GrantAuth(server, find_kernel()))


_chosen: list[ServerConnection] = []
"""The connection that stands in for the kernel's own, in a process that is a worker."""


def call_as(connection: ServerConnection | None) -> None:
    """Let every call of this process go through ``connection`` from now on; ``None``: through its own again."""
    _chosen[:] = [] if connection is None else [connection]


def server_connection() -> ServerConnection:
    """Return the connection to the server; raises ``ServerNotFound`` or ``NotAKernel``.

    A worker's is the one by its grant: the one that was chosen in this process, or that its environment holds.
    """
    if _chosen:
        return _chosen[0]
    if WORKER_VARIABLE in os.environ:
        from jupyter_oidc.kernel.delegation import of_environment  # NOTE: a kernel needs none of it

        return of_environment()
    return _server_connection(os.getpid())


def kernels_own_connection() -> ServerConnection:
    """Return the connection of the kernel itself, in a process that calls as a worker, too; raises ``NotAKernel``."""
    return _server_connection(os.getpid())


# NOTE: a pickled client is the call of this function; another process of the kernel makes it.


def _again(call: str, arguments: tuple[Any, ...], options: dict[str, Any]) -> Any:
    return getattr(server_connection(), call)(*arguments, **options)


def _operation_example(name: str, method: str, path: str) -> dict[str, Any]:
    return server_connection().operation_example(name, method, path)


def _headers(others: dict[str, str]) -> RefreshingHeaders:
    headers = RefreshingHeaders(server_connection().auth, _headers)
    headers.update(others)
    return headers
