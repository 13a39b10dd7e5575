"""Writes one operation as a cell of Python, and as a command for curl.

Whatever a document says, what is written here is one program of this form: every text of the document stands in a literal
or, on one line and without characters that cannot be seen, in a comment; names are made of ASCII letters and digits.
"""

from __future__ import annotations

import builtins
import json
import keyword
import math
import re
import shlex
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, urlencode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from jupyter_oidc.catalogue.operation import Body, Operation, Parameter

MAX_COMMENT_CHARACTERS: Final = 100
_INDENT: Final = "    "
_WIDTH: Final = 88
_VARIABLE: Final = re.compile(r"\{([^{}]{1,200})\}")
_SAFE_IN_PATH: Final = "/-._~!$&'()*+,;=:@"
_OF_CLIENT: Final = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE")
_BODILESS: Final = ("GET", "HEAD", "OPTIONS", "DELETE")
"""Methods of the client that take no body as an argument."""

_NO_NAME: Final = frozenset(
    {*keyword.kwlist, *keyword.softkwlist, *dir(builtins), "oidc", "quote", "reply", "body", "get_ipython"}
)
_SET_BY_CLIENT: Final = ("application/json", "*/*", "application/*")
"""Media types of a body for which the client writes the header by itself."""

_HEADER_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}")
_SAMPLES: Final = {"integer": 1, "number": 1.0, "boolean": False, "array": ["text"], "object": {}}


def cell_of(api: str, operation: Operation) -> str:
    """Return the code of a cell that makes ``operation`` of ``api``; values to fill in stand at its beginning."""
    parameters = _needed(operation)
    names = dict(zip(parameters, _names(one.name for one in parameters), strict=True))
    has_path = any(one.place == "path" for one in parameters)
    lines = ["import jupyter_oidc as oidc"]
    if has_path:
        lines = ["from urllib.parse import quote", "", *lines]
    lines += ["", *_comments(operation)]
    lines += [f"{name} = {_literal(_sample_of(one))}" for one, name in names.items()]
    arguments = [_path_expression(operation, names), *_keywords(operation, names)]
    if operation.body is not None and _sends_body(operation):
        value, more = _body_of(operation.body)
        lines += [f"body = {_literal(value)}"]
        arguments += more
    lines += ["", *_call(api, operation, arguments), "reply.raise_for_status()"]
    lines += [{"json": "reply.json()", "text": "reply.text", "none": "reply.status_code"}[_shown(operation)]]
    return "\n".join(lines) + "\n"


def curl_of(operation: Operation, address: str) -> str:
    """Return a command that makes ``operation`` through the proxy at ``address``, which ends with a slash.

    It reads Jupyter's token from the environment variable ``JUPYTER_TOKEN`` and holds no secret.
    """
    parameters = _needed(operation)
    query = [pair for one in parameters if one.place == "query" for pair in _pairs(one)]
    url = (
        address
        + path_with(operation, lambda one: _plain_text(_sample_of(one)))
        + (f"?{urlencode(query, errors='replace')}" if query else "")
    )
    words = ["curl", "--fail", "--globoff", "--request", operation.method]
    if operation.method == "HEAD":
        words = ["curl", "--fail", "--globoff", "--head"]
    parts = [" ".join(words), '--header "Authorization: token $JUPYTER_TOKEN"']
    parts += [
        f"--header {shlex.quote(f'{one.name}: {_header_text(_sample_of(one))}')}"
        for one in parameters
        if one.place == "header"
    ]
    if operation.body is not None and _sends_body(operation):
        parts += _curl_body(operation.body)
    return " \\\n  ".join([*parts, shlex.quote(url)])


def _needed(operation: Operation) -> list[Parameter]:
    """Return the parameters that a call has to have; cookies go through no proxy, and odd names into no header."""
    return [
        one
        for one in operation.parameters
        if one.required
        and (one.place in ("path", "query") or (one.place == "header" and _HEADER_NAME.fullmatch(one.name)))
    ]


def _names(written: Iterable[str]) -> Iterator[str]:
    """Yield a name for each parameter: its own in ASCII, never one that the cell or Python uses already."""
    used = set(_NO_NAME)
    for text in written:
        plain = re.sub(r"[^A-Za-z0-9]+", "_", text).strip("_")[:40]
        stem = plain if plain and not plain[0].isdigit() else f"parameter_{plain}".rstrip("_")
        name = stem if stem not in used else f"{stem}_"
        number = 2
        while name in used:
            name, number = f"{stem}_{number}", number + 1
        used.add(name)
        yield name


def _comments(operation: Operation) -> list[str]:
    lines = []
    summary = _comment(operation.summary or operation.id or f"{operation.method} {operation.path}")
    if summary:
        lines.append(f"# {summary}")
    if operation.deprecated:
        lines.append("# The document says that this operation is deprecated.")
    if any(one.required and one.place == "cookie" for one in operation.parameters):
        lines.append("# It wants a cookie, which the proxy does not send.")
    return lines


def _comment(text: str) -> str:
    """Return ``text`` as it may stand in a comment: on one line, printable, and no word for an editor or encoding."""
    shown = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    return re.sub(r"coding\s*[:=]", "coding ", shown)[:MAX_COMMENT_CHARACTERS].strip()


def _sample_of(parameter: Parameter) -> Any:
    """Return a value to begin with: what the document gives, or one of the parameter's type."""
    value = parameter.sample
    if value is None:
        value = _SAMPLES.get(parameter.type or "", "text")
    if parameter.place == "path" and (isinstance(value, (dict, list)) or value == ""):
        return "text"
    return value if _literal_fits(value) else "text"


def _literal_fits(value: Any) -> bool:
    return not isinstance(value, float) or math.isfinite(value)


def _path_expression(operation: Operation, names: dict[Parameter, str]) -> str:
    """Return the path as an expression: literals, and quoted parameters between them."""
    of_path = {one.name: name for one, name in names.items() if one.place == "path"}
    parts, literal = [], ""
    for place, piece in enumerate(_VARIABLE.split(operation.path.removeprefix("/"))):
        if place % 2 and piece in of_path:
            parts += [_text_literal(literal)] if literal else []
            parts.append(f'quote(str({of_path[piece]}), safe="")')
            literal = ""
        else:
            literal += _quoted(f"{{{piece}}}" if place % 2 else piece, safe=_SAFE_IN_PATH + "%")
    parts += [_text_literal(literal)] if literal or not parts else []
    return " + ".join(parts)


def path_with(operation: Operation, value_of: Callable[[Parameter], str]) -> str:
    """Return the path without its first slash, with the quoted value of each parameter in its place."""
    values = {one.name: _quoted(value_of(one)) for one in operation.parameters if one.place == "path"}
    pieces = _VARIABLE.split(operation.path.removeprefix("/"))
    return "".join(
        values.get(piece, _quoted(f"{{{piece}}}")) if place % 2 else _quoted(piece, safe=_SAFE_IN_PATH + "%")
        for place, piece in enumerate(pieces)
    )


def _quoted(text: str, *, safe: str = "") -> str:
    """Return ``text`` as it may stand in an address; what cannot be written as UTF-8 becomes a question mark."""
    return quote(text, safe=safe, errors="replace")


def _keywords(operation: Operation, names: dict[Parameter, str]) -> list[str]:
    query = [(one, name) for one, name in names.items() if one.place == "query"]
    headers = [(one, name) for one, name in names.items() if one.place == "header"]
    made = []
    if query:
        made.append("params=" + _mapping(query))
    own = [f"{_text_literal(one.name)}: str({name})" for one, name in headers]
    body = operation.body if _sends_body(operation) else None
    if body is not None and _form_of(body.media_type) is None and body.media_type.lower() not in _SET_BY_CLIENT:
        own.append(f'"Content-Type": {_text_literal(body.media_type)}')
    if own:
        made.append("headers={" + ", ".join(own) + "}")
    return made


def _mapping(pairs: list[tuple[Parameter, str]]) -> str:
    joined = []
    for one, name in pairs:
        value = f'",".join(map(str, {name}))' if one.is_joined and isinstance(_sample_of(one), list) else name
        joined.append(f"{_text_literal(one.name)}: {value}")
    return "{" + ", ".join(joined) + "}"


def _call(api: str, operation: Operation, arguments: list[str]) -> list[str]:
    method = operation.method
    if method in _OF_CLIENT and not (method in _BODILESS and _sends_body(operation)):
        begin = f"reply = oidc.api({_text_literal(api)}).{method.lower()}("
    else:
        begin = f"reply = oidc.api({_text_literal(api)}).request("
        arguments = [_text_literal(method), *arguments]
    whole = begin + ", ".join(arguments) + ")"
    if len(whole) <= _WIDTH:
        return [whole]
    return [begin, *(f"{_INDENT}{one}," for one in arguments), ")"]


def _sends_body(operation: Operation) -> bool:
    """Return whether the cell sends a body: one that must be there, or one of a method that usually has one."""
    return operation.body is not None and (operation.body.required or operation.method in ("POST", "PUT", "PATCH"))


def _body_of(body: Body) -> tuple[Any, list[str]]:
    """Return the value of ``body``, and the arguments that send it."""
    match _form_of(body.media_type):
        case "urlencoded":
            return _fields(body.sample), ["data=body"]
        case "multipart":
            parts = {name: (None, value) for name, value in _fields(body.sample).items()}
            return _Parts(parts), ["files=body"]
    if _is_json(body.media_type):
        return {} if body.sample is None else body.sample, ["json=body"]
    return body.sample if isinstance(body.sample, str) else "", ["content=body.encode()"]


class _Parts(dict[str, Any]):
    """The parts of a multipart body, each a pair of no file name and a text."""


def _fields(sample: Any) -> dict[str, str]:
    return {name: _plain_text(value) for name, value in sample.items()} if isinstance(sample, dict) else {}


def _curl_body(body: Body) -> list[str]:
    form = _form_of(body.media_type)
    if form == "multipart":
        return [
            f"--form-string {shlex.quote(_visible(f'{name}={value}'))}" for name, value in _fields(body.sample).items()
        ]
    if form == "urlencoded":
        content = urlencode(_fields(body.sample), errors="replace")
    elif _is_json(body.media_type):
        content = json.dumps({} if body.sample is None else body.sample)
    else:
        content = _visible(body.sample) if isinstance(body.sample, str) else ""
    return [f"--header {shlex.quote(f'Content-Type: {body.media_type}')}", f"--data-raw {shlex.quote(content)}"]


def _pairs(parameter: Parameter) -> list[tuple[str, str]]:
    value = _sample_of(parameter)
    if isinstance(value, list) and not parameter.is_joined:
        return [(parameter.name, _plain_text(one)) for one in value]
    return [(parameter.name, _plain_text(value))]


def _plain_text(value: Any) -> str:
    """Return ``value`` as httpx writes it into a query; a text is encoded by the caller."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return ",".join(_plain_text(one) for one in value)
    if isinstance(value, dict):
        return json.dumps(value)
    return "" if value is None else str(value).encode(errors="replace").decode()


def _header_text(value: Any) -> str:
    return _visible(_plain_text(value)).encode("ascii", "replace").decode()


def _visible(text: str) -> str:
    return "".join(char if char.isprintable() else " " for char in text)


def _shown(operation: Operation) -> str:
    return "none" if operation.method == "HEAD" else operation.reply


def _is_json(media_type: str) -> bool:
    bare = media_type.lower()
    return bare in ("application/json", "*/*", "application/*") or bare.endswith("+json")


def _form_of(media_type: str) -> str | None:
    forms = {"application/x-www-form-urlencoded": "urlencoded", "multipart/form-data": "multipart"}
    return forms.get(media_type.lower())


def _text_literal(text: str) -> str:
    """Return ``text`` as a literal on one line; characters that cannot be seen are written as escapes."""
    written = "".join(char if char.isprintable() and char not in '"\\' else _escaped(char) for char in text)
    return f'"{written}"'


def _escaped(char: str) -> str:
    if char in '"\\':
        return f"\\{char}"
    return (
        f"\\x{ord(char):02x}"
        if ord(char) < 0x100
        else f"\\u{ord(char):04x}"
        if ord(char) < 0x10000
        else f"\\U{ord(char):08x}"
    )


def _literal(value: Any, depth: int = 0) -> str:
    """Return ``value``, which is one of JSON, as a literal of Python."""
    if value is None or isinstance(value, bool):
        return repr(value)
    if isinstance(value, int):
        return repr(value) if abs(value) < 10**18 else "0"
    if isinstance(value, float):
        return repr(value) if math.isfinite(value) else "0.0"
    if isinstance(value, str):
        return _text_literal(value)
    if isinstance(value, tuple):
        return "(" + ", ".join(_literal(one) for one in value) + ")"
    inner = _INDENT * (depth + 1)
    if isinstance(value, dict):
        pairs = [f"{_text_literal(name)}: {_literal(part, depth + 1)}" for name, part in value.items()]
        begin, end = "{", "}"
    else:
        pairs = [_literal(part, depth + 1) for part in value]
        begin, end = "[", "]"
    short = begin + ", ".join(pairs) + end
    if len(short) + depth * len(_INDENT) <= _WIDTH - 20 and "\n" not in short:
        return short
    return begin + "\n" + "".join(f"{inner}{pair},\n" for pair in pairs) + _INDENT * depth + end
