"""The APIs that the Jupyter server opens, and the operations of one: as rows of a table, and as the card of a client.

Every text of an API's settings and of its OpenAPI document comes from others: it is shown as text, never as HTML.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING, Any, Final

from jupyter_oidc.kernel.display import card_html
from jupyter_oidc.kernel.listing import Column, Listing, code_html, fact_text, is_https, link_html
from jupyter_oidc.kernel.messages import access_message
from jupyter_oidc.kernel.plain_text import inside_quotes, plain
from jupyter_oidc.language import N_, _, counted, heard, told

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

NOT_FOR_KERNELS: Final = N_("Not open to notebooks")
"""The status of an API whose settings open it to the browser only."""

MAX_STATUS_AGE_SECONDS: Final = 60.0
"""Seconds after which a card does not say any more whether a call works."""

OBSTACLES: Final = {
    "method": N_("The settings do not open this method"),
    "path": N_("The settings do not open this path"),
    "caller": NOT_FOR_KERNELS,
}
"""The text for each obstacle of an operation."""

_LABELS: Final = {
    "about": N_("about"),
    "status": N_("status"),
    "provider": N_("provider"),
    "address": N_("address"),
    "through": N_("through"),
    "methods": N_("methods"),
    "paths": N_("paths"),
    "call": N_("call"),
    "operations": N_("operations"),
    "docs": N_("docs"),
}
"""The label of each fact on the card of an API."""


@dataclass(frozen=True, slots=True, repr=False)
class Api:
    """One API of the Jupyter server, as its settings describe it, and whether a call works now.

    ``address`` is that of the proxy, ``base_url`` the API's own; ``example`` is a path that works, relative to both.
    ``readiness`` is a word of :class:`ApiAccess`. Without ``path_prefixes`` the server does not say which paths are open.
    """

    name: str
    provider: str
    address: str
    methods: list[str]
    callers: list[str]
    readiness: str
    allowed: bool
    missing: list[str]
    base_url: str | None = None
    title: str | None = None
    description: str | None = None
    example: str | None = None
    docs_url: str | None = None
    path_prefixes: list[str] = field(default_factory=list)
    has_operations: bool = False
    unknown_words: dict[str, str] = field(default_factory=dict)

    @property
    def ready(self) -> bool:
        """Whether a call from this kernel is expected to get through now."""
        return self.readiness == "ready" and "kernel" in self.callers

    @property
    def status(self) -> str:
        """``Ready``, or the first obstacle in words."""
        if "kernel" not in self.callers:
            return told(NOT_FOR_KERNELS)
        return access_message(
            {"readiness": self.readiness, "missing": self.missing, "unknown_words": self.unknown_words}
        )

    @property
    def cell(self) -> str:
        """The line to type: with the example of the settings, or for the API's own address."""
        return f'oidc.api("{self.name}").get({_quoted(self.example or "")})'

    def __repr__(self) -> str:
        return api_text(self)

    def _repr_html_(self) -> str:
        return api_html(self)


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of an operation; ``where`` is ``path``, ``query``, ``header`` or ``cookie``."""

    name: str
    where: str
    required: bool
    type: str | None
    description: str | None


@dataclass(frozen=True, slots=True)
class Body:
    """The body that an operation takes."""

    media_type: str
    required: bool


@dataclass(frozen=True, slots=True)
class Operation:
    """An operation of an API's OpenAPI document; ``path`` is relative to the API, as a client takes it.

    ``obstacle`` is ``None``, or which setting does not open it: ``method``, ``path`` or ``caller``.
    """

    api: str
    id: str | None
    method: str
    path: str
    summary: str | None
    description: str | None
    tags: list[str]
    deprecated: bool
    obstacle: str | None
    parameters: list[Parameter]
    body: Body | None
    _example: Callable[[str, str], dict[str, Any]] = field(repr=False, compare=False)
    unknown_words: dict[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The id of the operation, or its method and path."""
        return self.id or f"{self.method} {self.path}"

    @property
    def obstacle_text(self) -> str:
        """Why a call is refused, or nothing."""
        if self.obstacle is None:
            return ""
        if self.obstacle in OBSTACLES:
            return told(OBSTACLES[self.obstacle])
        return _("Not open ({word})", word=self.unknown_words.get("obstacle", self.obstacle))

    @property
    def cell(self) -> str:
        """The code of a cell that runs this operation, from the server."""
        return str(self._example(self.method, self.path)["cell"])

    @property
    def curl(self) -> str:
        """The same as a command; it holds no secret, and reads the Jupyter token from the environment."""
        return str(self._example(self.method, self.path)["curl"])


def api_of(entry: dict[str, Any], address: str) -> Api:
    """Return the API of an ``entry`` of the contract ``apis.reply``; ``address`` is that of its proxy."""
    known = {member: entry[member] for member in Api.__dataclass_fields__ if member in entry}
    return Api(**known, address=address)


def api_listing(apis: Sequence[Api]) -> Listing[Api]:
    """Return the table of ``apis``."""
    return Listing(
        apis,
        [
            Column(_("Name"), lambda api: api.name),
            Column(_("Title"), lambda api: api.title or "", shrinks=True),
            *([Column(_("Provider"), _provider)] if len({api.provider for api in apis}) > 1 else []),
            Column(_("Status"), lambda api: api.status, shrinks=True),
            Column(_("Methods"), lambda api: ", ".join(api.methods), shrinks=True),
            Column(_("Example"), lambda api: api.example or "", kind="code", shrinks=True),
            Column(_("Documentation"), lambda api: api.docs_url or "", kind="link"),
        ],
        name=lambda api: api.name,
        what="API",
        caption=_("APIs of this Jupyter server"),
        empty=_("The Jupyter server opens no API. Ask your administrator to configure one."),
    )


def operation_listing(
    reply: dict[str, Any], search: str | None, example: Callable[[str, str], dict[str, Any]]
) -> Listing[Operation]:
    """Return the operations of a reply of the contract ``operations.reply`` that hold every word of ``search``."""
    operations = [_operation(reply["api"], entry, example) for entry in reply["operations"]]
    words = (search or "").casefold().split()
    found = [one for one in operations if all(word in _searched(one) for word in words)]
    document = reply["document"]
    notes = [f"{problem['where']}: {_said_by_server(problem)}" for problem in reply["problems"]]
    if reply["operations_more"]:
        notes.append(
            told(
                counted(
                    reply["operations_more"],
                    "The document has {number} more, which the server does not list.",
                    "The document has {number} more, which the server does not list.",
                )
            )
        )
    return Listing(
        found,
        [
            Column(_("Method"), lambda one: one.method),
            Column(_("Path"), lambda one: one.path, kind="code", shrinks=True),
            Column(_("Summary"), _summary, shrinks=True),
            *([Column(_("Obstacle"), _obstacle, shrinks=True)] if any(one.obstacle for one in found) else []),
        ],
        name=lambda one: one.name,
        what="operation",
        caption=_(
            "Operations of {api}: {title} {version}",
            api=reply["api"],
            title=plain(document["title"]),
            version=plain(document["version"]),
        ),
        empty=_("No operation has '{words}' in it.", words=inside_quotes(search or ""))
        if words and operations
        else _("The document lists no operation."),
        notes=notes,
    )


def api_text(api: Api, age_seconds: float = 0.0) -> str:
    """Return the card of ``api`` for a terminal; a status that is ``age_seconds`` old says so, and an old one is left out."""
    return fact_text(_title(api), _labelled([*_facts(api, age_seconds), *_docs(api)]))


def api_html(api: Api, age_seconds: float = 0.0) -> str:
    """Return the same for a notebook."""
    code = ("call", "operations")
    rows = [
        *((name, code_html(said) if name in code else escape(plain(said))) for name, said in _facts(api, age_seconds)),
        *((name, link_html(said)) for name, said in _docs(api)),
    ]
    return card_html(_title(api), _labelled(rows))


def unlisted_text(name: str, address: str) -> str:
    """Return the card of an API of which only its name and the proxy's address are known."""
    return fact_text(name, _labelled([("address", address)]))


def unlisted_html(name: str, address: str) -> str:
    """Return the same for a notebook."""
    return card_html(name, _labelled([("address", escape(address))]))


def _status(api: Api, age_seconds: float) -> str:
    if age_seconds > MAX_STATUS_AGE_SECONDS:
        return ""
    if age_seconds < 2:
        return api.status
    return _("{status}, {number} s ago", status=api.status, number=round(age_seconds))


def _facts(api: Api, age_seconds: float) -> list[tuple[str, str]]:
    facts = [
        ("about", api.description or ""),
        ("status", _status(api, age_seconds)),
        ("provider", api.provider),
        ("address", api.base_url or ""),
        ("through", api.address),
        ("methods", ", ".join(api.methods)),
        ("paths", _("all") if api.path_prefixes == ["/"] else ", ".join(api.path_prefixes)),
        ("call", api.cell),
        ("operations", f'oidc.api("{api.name}").operations()' if api.has_operations else ""),
    ]
    return [(name, said) for name, said in facts if said]


def _docs(api: Api) -> list[tuple[str, str]]:
    return [("docs", api.docs_url)] if api.docs_url and is_https(api.docs_url) else []


def _labelled(facts: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return ``facts`` with their labels in the place of their names."""
    return [(told(_LABELS[name]), said) for name, said in facts]


def _title(api: Api) -> str:
    return f"{api.name}: {api.title}" if api.title else api.name


def _quoted(text: str) -> str:
    """Return ``text`` as Python writes it, in the quotation marks of our examples if it can be."""
    return f'"{text}"' if text.isprintable() and not set(text) & {'"', "\\"} else repr(text)


def _provider(api: Api) -> str:
    return api.provider


def _summary(operation: Operation) -> str:
    said = operation.summary or operation.id or ""
    return _("{summary} (deprecated)", summary=said).strip() if operation.deprecated else said


def _obstacle(operation: Operation) -> str:
    return operation.obstacle_text


def _said_by_server(problem: dict[str, Any]) -> str:
    return told(heard(problem["message"], problem.get("message_sentences") or ()))


def _searched(operation: Operation) -> str:
    texts = (operation.method, operation.path, operation.id, operation.summary, operation.description)
    return " ".join([*(text for text in texts if text), *operation.tags]).casefold()


def _operation(api: str, entry: dict[str, Any], example: Callable[[str, str], dict[str, Any]]) -> Operation:
    parts = {name: value for name, value in entry.items() if name not in ("parameters", "body")}
    parameters = [
        Parameter(one["name"], one["in"], one["required"], one["type"], one["description"])
        for one in entry["parameters"]
    ]
    body = None if entry["body"] is None else Body(entry["body"]["media_type"], entry["body"]["required"])
    return Operation(api=api, **parts, parameters=parameters, body=body, _example=example)
