"""Grants for workers: a part of what this kernel may do, for processes that are no kernels (ADR 61).

A grant is made by :func:`delegate`, and goes to workers as a pickle, as an argument, or as an environment variable.
It holds an opaque text that opens calls of the named APIs at the Jupyter server, and no token of a provider.
"""

from __future__ import annotations

import base64
import json
import os
import platform
import uuid
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

from jupyter_oidc.contract.announcement import this_machine
from jupyter_oidc.kernel import server_connection as of_kernel
from jupyter_oidc.kernel.errors import GrantInvalid, ServerNotFound
from jupyter_oidc.kernel.find import Kernel, Server, base_url
from jupyter_oidc.kernel.grant import GrantAuth
from jupyter_oidc.kernel.listing import Column, Listing
from jupyter_oidc.kernel.server_connection import WORKER_VARIABLE, ServerConnection
from jupyter_oidc.language import _

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    import httpx
    from typing_extensions import Self

    from jupyter_oidc.kernel.auth import ApiAuth
    from jupyter_oidc.kernel.made_by import MadeBy
    from jupyter_oidc.kernel.transport import AsyncOIDCClient, OIDCClient

READING: Final = ("GET", "HEAD")

_MEMBERS: Final = ("id", "provider", "apis", "methods", "name", "ends_at")
"""The members of a reply that a worker can know; the maker is the kernel's own business."""


def _this_machine() -> str:
    """Return an identifier of this machine; where the system has none of its own, by its name and its network card."""
    return this_machine() or f"{platform.node()} {uuid.getnode():x}"


@dataclass(frozen=True, slots=True)
class _Way:
    """How workers reach the server: ``home`` on the kernel's ``machine``, ``elsewhere`` (an address) on others."""

    home: Server
    machine: str
    elsewhere: str | None

    def server(self) -> Server:
        """Return the server for this process; raises ``ServerNotFound`` where no way is known."""
        if self.machine == _this_machine():
            return self.home
        if self.elsewhere is None:
            raise ServerNotFound(
                _(
                    "This worker runs on another machine than the Jupyter server, whose address for others is not known."
                ),
                action=_("Name it when you make the grant: oidc.delegate(..., address='https://...')."),
            )
        return Server(self.elsewhere)


class WorkerGrant:
    """A part of a session for workers; made by :func:`delegate`.

    ``apis`` and ``methods`` are all that it opens, until ``ends_at`` (UTC), or until the session ends or it is revoked.
    It can be pickled: everyone who has the pickle can make these calls until then.
    As a context manager it is revoked at the end of the block.
    """

    def __init__(self, way: _Way, text: str, members: Mapping[str, Any]) -> None:
        self._way = way
        self._text = text
        self.id: str = members["id"]
        self.provider: str = members["provider"]
        self.apis: tuple[str, ...] = tuple(members["apis"])
        self.methods: tuple[str, ...] = tuple(members["methods"])
        self.name: str = members["name"]
        self.ends_at: str = members["ends_at"]

    def __repr__(self) -> str:
        named = f" {self.name!r}" if self.name else ""
        return f"<WorkerGrant{named} {', '.join(self.apis)}: {', '.join(self.methods)} until {self.ends_at}>"

    def __reduce__(self) -> tuple[Callable[..., WorkerGrant], tuple[Any, ...]]:
        return WorkerGrant, (self._way, self._text, self._members())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_reason: object) -> None:
        self.revoke()

    def api(self, name: str | None = None, **options: Any) -> OIDCClient:
        """Return an ``httpx.Client`` for the API ``name``, or for the only one; ``options`` as ``oidc.api`` takes."""
        return self.connection().api_client(self._checked(name), **options)

    def async_api(self, name: str | None = None, **options: Any) -> AsyncOIDCClient:
        """Return an ``httpx.AsyncClient`` for the API ``name``, or for the only one."""
        return self.connection().async_api_client(self._checked(name), **options)

    def auth(self, name: str | None = None) -> ApiAuth:
        """Return ``auth=`` for httpx or requests; its ``base_url`` is the address of the API through the proxy."""
        return self.connection().api_auth(self._checked(name))

    def revoke(self) -> None:
        """End the grant at once, for every worker; only the kernels of the session can."""
        of_kernel.kernels_own_connection().revoke_grant(self.id)

    def use(self) -> None:
        """Let ``oidc.api()`` and its like in this process call with this grant from now on, for a process of a worker.

        Only :func:`delegate`, :func:`grants` and :meth:`revoke` go on by the kernel's own identity, where there is one.
        """
        of_kernel.call_as(self.connection())

    def environment(self) -> dict[str, str]:
        """Return the variable that lets ``oidc.api()`` in a process call with this grant; it is as secret as that."""
        home = self._way.home
        held = {
            "url": home.url,
            "certificate": None if home.certificate is None else str(home.certificate),
            "socket": None if home.socket is None else str(home.socket),
            "wants_certificate": home.wants_certificate,
            "same_machine": home.same_machine,
            "machine": self._way.machine,
            "elsewhere": self._way.elsewhere,
            "text": self._text,
            **self._members(),
        }
        return {WORKER_VARIABLE: base64.urlsafe_b64encode(json.dumps(held).encode()).decode("ascii")}

    def connection(self) -> ServerConnection:
        """Return the connection of this process by this grant; raises ``ServerNotFound``."""
        return _worker_connection(os.getpid(), self._way, self._text, self)

    def server(self) -> Server:
        """Return the server as this process reaches it; raises ``ServerNotFound``."""
        return self._way.server()

    def worker_auth(self) -> WorkerAuth:
        """Return what adds this grant to calls of the server."""
        return WorkerAuth(self.server(), self._text)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, WorkerGrant) and (other._text, other._way) == (self._text, self._way)

    def __hash__(self) -> int:
        return hash(self._text)

    def _members(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in _MEMBERS}

    def _checked(self, name: str | None) -> str:
        """Return ``name``, or the only API; raises ``GrantInvalid`` for another, ``TypeError`` without one of several."""
        if name is None and len(self.apis) == 1:
            return self.apis[0]
        if name is None:
            raise TypeError(_("The grant is for several APIs; name one of: {names}.", names=", ".join(self.apis)))
        self.check(name)
        return name

    def check(self, name: str) -> None:
        """Raise ``GrantInvalid`` for an API that the grant does not open; asks nobody."""
        if name not in self.apis:
            raise GrantInvalid(
                _("The worker grant of this process is not for the API '{api}'.", api=name),
                action=_("Make one in the notebook that names it: oidc.delegate('{api}').", api=name),
            )


class WorkerAuth(GrantAuth):
    """Adds a worker grant to calls of the server; there is nothing to prove and nothing to renew."""

    def __init__(self, server: Server, text: str) -> None:
        super().__init__(server, Kernel("", b""))
        self._text = text

    def current(self) -> str:
        """Return the grant."""
        return self._text

    async def current_async(self) -> str:
        """Return the grant."""
        return self._text

    def refused(self, request: httpx.Request) -> None:
        """Keep the grant: there is no other."""


class _WorkerConnection(ServerConnection):
    """The connection of one process by ``grant``; what it makes can be sent to other processes, with the grant."""

    def __init__(self, grant: WorkerGrant) -> None:
        super().__init__(grant.server(), grant.worker_auth())
        self._grant = grant

    def made_by(self, call: str, *arguments: Any, **options: Any) -> MadeBy:
        """Return the call that makes the same in another process."""
        return _again, (self._grant, call, arguments, options)

    def check_api(self, name: str) -> None:
        """Raise ``GrantInvalid`` for an API that the grant does not open; asks nobody."""
        self._grant.check(name)

    def request_grant(self) -> None:
        """Do nothing: a worker has its grant, which opens no route by which the server could be asked for one."""


def _again(grant: WorkerGrant, call: str, arguments: tuple[Any, ...], options: dict[str, Any]) -> Any:
    return getattr(grant.connection(), call)(*arguments, **options)


@lru_cache(maxsize=20)
def _worker_connection(process: int, way: _Way, text: str, grant: WorkerGrant) -> _WorkerConnection:
    """Return the connection of the ``process`` by the grant of this ``text``; a forked child gets its own.

    A worker unpickles a grant for each task, and all of them share their connections.
    """
    del process, way, text
    return _WorkerConnection(grant)


def delegate(
    *apis: str,
    methods: Iterable[str] = READING,
    hours: float | None = None,
    name: str = "",
    outlives_kernel: bool = False,
    address: str | None = None,
) -> WorkerGrant:
    """Return a grant that lets workers call ``apis``, which belong to one provider.

    ``methods`` are all that it opens; ``WEBSOCKET`` among them opens WebSockets. It ends after ``hours`` (24 by default),
    with the session, and with this kernel, unless it ``outlives_kernel``. At a broker one that outlives its kernel goes on
    when the Jupyter server stops, and lasts up to 720 hours; elsewhere 24 are the most.
    ``address`` is where workers on other machines reach the Jupyter server; by default its own address for browsers, if
    it knows that. The server admits them only with ``allow_remote_workers``.

    Raises ``NotSignedIn``, ``SessionExpired``, ``UnknownApi``, ``RequestInvalid``, and ``Forbidden`` where the settings
    allow no worker grants.
    """
    if not apis:
        raise TypeError(_("Name the APIs that the workers may call: oidc.delegate('orders')."))
    elsewhere = None if address is None else base_url(address)
    if address is not None and elsewhere is None:
        raise ValueError(_("'address' is no address of a Jupyter server, as in https://hub.example.com/user/ada/."))
    connection = of_kernel.kernels_own_connection()
    wish: dict[str, Any] = {
        "apis": list(apis),
        "methods": [method.upper() for method in methods],
        "name": name,
        "outlives_kernel": outlives_kernel,
    }
    reply = connection.make_grant(wish if hours is None else {**wish, "hours": hours})
    return grant_of(reply, connection.server, elsewhere)


def grant_of(reply: Mapping[str, Any], server: Server, elsewhere: str | None = None) -> WorkerGrant:
    """Return the grant in a ``reply`` of ``server``, for workers on this machine, and ``elsewhere`` by that address.

    One that outlives its kernel goes to a broker's own address, if it has one, also on this machine.
    """
    address = reply["address"] if elsewhere is None else elsewhere
    leaves_server = reply["outlives_kernel"] and reply["address_outlives_server"] and address is not None
    home = Server(address) if leaves_server else server
    return WorkerGrant(_Way(home, _this_machine(), address), reply["grant"], reply)


def granted(what: tuple[str | WorkerGrant, ...], wish: Mapping[str, Any]) -> WorkerGrant:
    """Return the one grant in ``what``, or a new one for the APIs that it names; raises what :func:`delegate` raises."""
    if len(what) == 1 and isinstance(what[0], WorkerGrant):
        return what[0]
    return delegate(*cast("tuple[str, ...]", what), **wish)


@dataclass(frozen=True, slots=True)
class LivingGrant:
    """One grant that lives, as the server lists it; times are UTC, ``last_used_at`` is ``None`` before the first call."""

    id: str
    provider: str
    apis: list[str]
    methods: list[str]
    name: str
    maker: str
    outlives_kernel: bool
    began_at: str
    ends_at: str
    last_used_at: str | None
    unknown_words: dict[str, str] = field(default_factory=dict)

    def revoke(self) -> None:
        """End the grant at once, for every worker."""
        of_kernel.kernels_own_connection().revoke_grant(self.id)


def grants() -> Listing[LivingGrant]:
    """Return the grants for workers that live, of every kernel of this server, as a table."""
    return Listing(
        [LivingGrant(**entry) for entry in of_kernel.kernels_own_connection().worker_grants()],
        [
            Column(_("Id"), lambda grant: grant.id, kind="code"),
            Column(_("Name"), lambda grant: grant.name, shrinks=True),
            Column(_("APIs"), lambda grant: ", ".join(grant.apis), shrinks=True),
            Column(_("Methods"), lambda grant: ", ".join(grant.methods), shrinks=True),
            Column(_("Ends"), lambda grant: grant.ends_at),
            Column(_("Last used"), lambda grant: grant.last_used_at or _("never")),
        ],
        name=lambda grant: grant.id,
        what="grant",
        caption=_("Grants for workers"),
        empty=_("No worker has a grant. Make one: oidc.delegate('orders')."),
    )


def grant_in(text: str) -> WorkerGrant:
    """Return the grant in the value of ``JUPYTER_OIDC_WORKER_GRANT``; raises ``GrantInvalid`` if it holds none."""
    try:
        held = json.loads(base64.urlsafe_b64decode(text.encode("ascii")))
        certificate, socket = (None if held[one] is None else Path(held[one]) for one in ("certificate", "socket"))
        home = Server(
            held["url"],
            certificate,
            same_machine=held["same_machine"],
            socket=socket,
            wants_certificate=held["wants_certificate"],
        )
        return WorkerGrant(_Way(home, held["machine"], held["elsewhere"]), held["text"], held)
    except (ValueError, TypeError, KeyError):
        raise GrantInvalid(
            _("{variable} holds no worker grant.", variable=WORKER_VARIABLE),
            action=_("Set it to what grant.environment() returns."),
        ) from None


@lru_cache(maxsize=1)
def _of_variable(text: str) -> WorkerGrant:
    return grant_in(text)


def of_environment() -> ServerConnection:
    """Return the connection by the grant in this process's environment."""
    return _of_variable(os.environ[WORKER_VARIABLE]).connection()
