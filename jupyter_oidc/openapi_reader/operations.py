"""Reads the operations of an OpenAPI document, 3.0 or 3.1, as real ones are written.

An operation that is broken is left out and named; one fault never hides the other operations.
"""

from __future__ import annotations

import re
from typing import Any, Final
from urllib.parse import urljoin, urlsplit

from jupyter_oidc.language import Sentence, on_the_wire, sentence
from jupyter_oidc.openapi_reader.document import Fault
from jupyter_oidc.openapi_reader.references import Broken, References, below
from jupyter_oidc.openapi_reader.samples import Samples

MAX_OPERATIONS: Final = 2_000
MAX_PROBLEMS: Final = 100
MAX_PARAMETERS: Final = 100
MAX_TAGS: Final = 10
MAX_TITLE_CHARACTERS: Final = 200
MAX_DESCRIPTION_CHARACTERS: Final = 500
MAX_PATH_CHARACTERS: Final = 1_000

_METHODS: Final = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
_PLACES: Final = ("path", "query", "header", "cookie")
_VERSION: Final = re.compile(r"3\.([01])(\.[0-9]{1,3})?")
_VARIABLE: Final = re.compile(r"\{([^{}]{1,100})\}")
_MEDIA_TYPE: Final = re.compile(r"[A-Za-z0-9!#$&^_.+-]{1,80}/[A-Za-z0-9!#$&^_.+*-]{1,80}")
_UNUSABLE: Final = re.compile(r"[?#\\\s]|\A(?!/)")
_NO_PARAMETER: Final = ("accept", "content-type", "authorization")
"""Headers that OpenAPI describes elsewhere, so a parameter of this name counts for nothing (OpenAPI 3.1.1, 4.8.12)."""

Json = dict[str, Any]


def read_operations(document: Json, base_url: str, document_url: str) -> list[Json]:
    """Return the head of the answer and each operation; ``base_url`` is the API's, ``document_url`` the document's address.

    Raises :class:`Fault` if it is no OpenAPI document.
    """
    version = _version(document)
    paths = document.get("paths", {})
    if not isinstance(paths, dict):
        raise Fault(sentence("its 'paths' is no mapping"))
    reader = _Reader(document, base_url, document_url)
    for path, item in paths.items():
        if not path.startswith("x-"):
            reader.read_path(path, item)
    info = document.get("info")
    info = info if isinstance(info, dict) else {}
    head = {
        "document": {
            "title": line(info.get("title")) or "",
            "version": line(info.get("version")) or "",
            "openapi": version,
        },
        "problems": reader.problems,
        "operations_more": reader.more,
    }
    return [head, *reader.operations]


def _version(document: Json) -> str:
    if "swagger" in document:
        raise Fault(
            sentence(
                "it is written in Swagger {version}, and only OpenAPI 3.0 and 3.1 are read",
                version=line(document["swagger"]) or "",
            )
        )
    if "openapi" not in document:
        raise Fault(sentence("it is no OpenAPI document: it has no member 'openapi'"))
    found = _VERSION.fullmatch(str(line(document["openapi"])))
    if found is None:
        raise Fault(sentence("it is written in another version than OpenAPI 3.0 and 3.1"))
    return f"3.{found[1]}{found[2] or '.0'}"


class _Reader:
    """Collects the operations and the problems of one document."""

    def __init__(self, document: Json, base_url: str, document_url: str) -> None:
        self._document = document
        self._base_url = base_url
        self._document_url = document_url
        self._references = References(document)
        self._samples = Samples(self._references)
        self._ids: set[str] = set()
        self._reported: set[tuple[str, str]] = set()
        self.operations: list[Json] = []
        self.problems: list[Json] = []
        self.more = 0

    def read_path(self, path: str, item: Any) -> None:
        """Read the operations of one path."""
        where = below("#/paths", path)
        try:
            item = self._references.follow(item, where)
            if not isinstance(item, dict):
                raise Broken(where, sentence("It is no mapping."))
            if _UNUSABLE.search(path) or len(path) > MAX_PATH_CHARACTERS or line(path) != path:
                raise Broken(
                    where, sentence("The path does not begin with a slash, or holds something that no path can hold.")
                )
        except Broken as broken:
            self._report(broken.where, broken.message)
            return
        for method in _METHODS:
            if method in item:
                self._read_operation(path, item, method, below(where, method))

    def _read_operation(self, path: str, item: Json, method: str, where: str) -> None:
        if len(self.operations) >= MAX_OPERATIONS:
            self.more += 1
            return
        try:
            self.operations.append(self._operation(path, item, method, where))
        except Broken as broken:
            self._report(broken.where, broken.message)

    def _operation(self, path: str, item: Json, method: str, where: str) -> Json:
        operation = item[method]
        if not isinstance(operation, dict):
            raise Broken(where, sentence("It is no mapping."))
        identity = line(operation.get("operationId"))
        if identity is not None and identity in self._ids:
            self._report(below(where, "operationId"), sentence("The operationId is used more than once."))
        if identity is not None:
            self._ids.add(identity)
        tags = operation.get("tags")
        parameters = self._parameters(item, operation, where)
        full_path = self._prefix(item, operation, where) + path
        named = {one["name"] for one in parameters if one["in"] == "path"}
        if set(_VARIABLE.findall(full_path)) - named:
            missing = sorted(set(_VARIABLE.findall(full_path)) - named)
            parameters = [*(_undescribed(name) for name in missing), *parameters]
        return {
            "id": identity,
            "method": method.upper(),
            "path": full_path,
            "summary": line(operation.get("summary")) or line(item.get("summary")),
            "description": paragraph(operation.get("description")),
            "tags": [tag for tag in map(line, tags[:MAX_TAGS]) if tag] if isinstance(tags, list) else [],
            "deprecated": operation.get("deprecated") is True,
            "parameters": parameters,
            "body": self._body(operation, where),
            "reply": self._reply(operation, where),
        }

    def _parameters(self, item: Json, operation: Json, where: str) -> list[Json]:
        """Return the parameters of the path and of the operation, which override those of the path."""
        found: dict[tuple[str, str], Json] = {}
        path_where = where.rpartition("/")[0]
        for holder, place in ((item, path_where), (operation, where)):
            written = holder.get("parameters") or []
            if not isinstance(written, list):
                raise Broken(below(place, "parameters"), sentence("It is no list."))
            if len(written) > MAX_PARAMETERS:
                raise Broken(
                    below(place, "parameters"),
                    sentence("There are more than {number} parameters.", number=MAX_PARAMETERS),
                )
            for number, part in enumerate(written):
                one = self._parameter(part, below(place, "parameters", number))
                if one is not None:
                    found[one["name"], one["in"]] = one
        return list(found.values())

    def _parameter(self, part: Any, where: str) -> Json | None:
        part = self._references.follow(part, where)
        name = part.get("name") if isinstance(part, dict) else None
        if not isinstance(name, str) or not name or line(name) != name or part.get("in") not in _PLACES:
            raise Broken(where, sentence("It is no parameter: it needs a 'name' and an 'in'."))
        if part["in"] == "header" and name.lower() in _NO_PARAMETER:
            return None
        holder, place = part, where
        content = part.get("content")
        if isinstance(content, dict) and content and "schema" not in part:
            media_type, holder = next(iter(content.items()))
            place = below(where, "content", media_type)
        holder = holder if isinstance(holder, dict) else {}
        return {
            "name": name,
            "in": part["in"],
            "required": part["in"] == "path" or part.get("required") is True,
            "type": self._tolerant(lambda: self._samples.type_of(holder.get("schema"), below(place, "schema"))),
            "description": paragraph(part.get("description")),
            "joined": part.get("explode") is False,
            "sample": self._tolerant(lambda: self._samples.of({**holder, **_examples_of(part)}, place)),
        }

    def _body(self, operation: Json, where: str) -> Json | None:
        if "requestBody" not in operation:
            return None
        where = below(where, "requestBody")
        body = self._references.follow(operation["requestBody"], where)
        content = body.get("content") if isinstance(body, dict) else None
        if not isinstance(content, dict) or not content:
            raise Broken(where, sentence("It is no request body: it needs a 'content'."))
        usable = [name for name in content if _MEDIA_TYPE.fullmatch(name.partition(";")[0].strip())]
        if not usable:
            raise Broken(below(where, "content"), sentence("It names no media type."))
        chosen = min(usable, key=_preference)
        holder = content[chosen] if isinstance(content[chosen], dict) else {}
        return {
            "media_type": chosen.partition(";")[0].strip(),
            "required": body.get("required") is True,
            "sample": self._tolerant(lambda: self._samples.of(holder, below(where, "content", chosen))),
        }

    def _reply(self, operation: Json, where: str) -> str:
        """Return ``json``, ``text`` or ``none``: what a reply of success brings."""
        replies = operation.get("responses")
        replies = replies if isinstance(replies, dict) else {}
        for status in sorted(replies, key=lambda one: (not one.startswith("2"), one)):
            if not (status.startswith("2") or status == "default"):
                continue
            try:
                reply = self._references.follow(replies[status], below(where, "responses", status))
            except Broken as broken:
                self._report(broken.where, broken.message)
                continue
            content = reply.get("content") if isinstance(reply, dict) else None
            if isinstance(content, dict) and content:
                return "json" if any(_is_json(media_type) for media_type in content) else "text"
        return "none" if "204" in replies else "text"

    def _prefix(self, item: Json, operation: Json, where: str) -> str:
        """Return the part of the path that the ``servers`` put in front, below the API's address."""
        path_where = where.rpartition("/")[0]
        for holder, place in ((operation, where), (item, path_where), (self._document, "#")):
            servers = holder.get("servers")
            if isinstance(servers, list) and servers:
                return self._prefix_of(servers[0], below(place, "servers", 0))
        return ""

    def _prefix_of(self, server: Any, where: str) -> str:
        url = server.get("url") if isinstance(server, dict) else None
        if not isinstance(url, str) or len(url) > MAX_PATH_CHARACTERS:
            self._report(where, sentence("It is no server: it needs a 'url'."))
            return ""
        variables = server.get("variables")
        variables = variables if isinstance(variables, dict) else {}
        filled = _VARIABLE.sub(lambda found: _default_of(variables.get(found[1])), url)
        try:
            target, base = urlsplit(urljoin(self._document_url, filled)), urlsplit(self._base_url)
        except ValueError:
            self._report(where, sentence("The address of the server is none."))
            return ""
        path, start = target.path.rstrip("/") + "/", base.path
        if path.startswith(start) and not _UNUSABLE.search(path):
            return "/" + path[len(start) :].rstrip("/") if path[len(start) :].rstrip("/") else ""
        if path != "/":
            self._report(where, sentence("The server does not lie below base_url; paths are taken as below base_url."))
        return ""

    def _tolerant(self, read: Any) -> Any:
        """Return what ``read`` returns; ``None`` if a schema is broken, which leaves the operation usable."""
        try:
            return read()
        except Broken as broken:
            self._report(broken.where, broken.message)
            return None

    def _report(self, where: str, message: Sentence) -> None:
        if (where, message) not in self._reported and len(self.problems) < MAX_PROBLEMS:
            self._reported.add((where, message))
            shown = (line(where) or "#")[:MAX_PATH_CHARACTERS]
            self.problems.append({"where": shown, "message": message, "message_sentences": on_the_wire(message)})


def _undescribed(name: str) -> Json:
    """Return the parameter of a path that has no description; a call needs it all the same."""
    known = {"name": line(name) or name, "in": "path", "required": True, "type": None, "description": None}
    return {**known, "joined": False, "sample": None}


def _examples_of(part: Json) -> Json:
    return {word: part[word] for word in ("example", "examples") if word in part}


def _default_of(variable: Any) -> str:
    default = variable.get("default") if isinstance(variable, dict) else None
    return str(default) if isinstance(default, (str, int, float)) else ""


def _is_json(media_type: str) -> bool:
    bare = media_type.partition(";")[0].strip().lower()
    return bare in ("application/json", "*/*", "application/*") or bare.endswith("+json")


def _preference(media_type: str) -> int:
    bare = media_type.partition(";")[0].strip().lower()
    if bare == "application/json":
        return 0
    if _is_json(media_type):
        return 1
    order = ("application/x-www-form-urlencoded", "multipart/form-data", "text/plain")
    return order.index(bare) + 2 if bare in order else 5


def line(value: Any, limit: int = MAX_TITLE_CHARACTERS) -> str | None:
    """Return a text or number of the document on one line, without characters that cannot be seen; ``None`` if empty."""
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return None
    text = str(value)[: 4 * limit]
    shown = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    return shown[:limit] or None


def paragraph(value: Any) -> str | None:
    """Return a longer text on one line; ``None`` if there is none."""
    return line(value, MAX_DESCRIPTION_CHARACTERS)
