"""A cell and a command are one program of one form, whatever the document says."""

from __future__ import annotations

import ast
import io
import shlex
import tokenize
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from IPython.core.inputtransformer2 import TransformerManager

from jupyter_oidc.catalogue.cell import cell_of, curl_of
from jupyter_oidc.catalogue.operation import Body, Operation, Parameter
from jupyter_oidc.openapi_reader.operations import read_operations
from tests.support.documents import document

ADDRESS = "http://localhost:8888/jupyter-oidc/api/orders/"

EVIL = (
    '"\nimport os; os.system("id")\n"',
    "'''\nimport os\n'''",
    '"""+__import__("os").system("id")+"""',
    "\\",
    '\\"',
    "x\r\nimport os",
    "x\u2028import os",
    "x\u2029import os",
    "x\x85import os",
    "x\x0cimport os",
    "\u202e'); import os #",
    "\u2066\u2069\u200b\ufeff",
    "\x00",
    "\ud800",
    "{__import__('os').system('id')}",
    "%system id",
    "!id",
    "%%bash\nid",
    "os?",
    "$(id)",
    "`id`",
    "'; id; '",
    "coding: utf-7",
    "-*- coding=utf-16 -*-",
    "@/etc/passwd",
    "x" * 5_000,
    "\uff07\uff02",
    "None",
    "__import__",
    "oidc",
    "reply",
    "quote",
    "str",
    "lambda",
    "match",
    "1",
    "",
    "é",
    "名前",
)


def statements(cell: str) -> list[str]:
    """The kinds of the statements of ``cell``, which hold nothing but what such a cell may hold."""
    tree, kinds = ast.parse(cell), []
    for part in tree.body:
        match part:
            case ast.ImportFrom(module="urllib.parse", names=[ast.alias(name="quote", asname=None)]):
                kinds.append("quote")
            case ast.Import(names=[ast.alias(name="jupyter_oidc", asname="oidc")]):
                kinds.append("import")
            case ast.Assign(targets=[ast.Name(id="reply")], value=ast.Call() as call):
                check_call(call)
                kinds.append("call")
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                assert name not in ("oidc", "reply", "quote", "str", "map")
                ast.literal_eval(value)
                kinds.append("value")
            case ast.Expr(value=value):
                assert ast.unparse(value) in (
                    "reply.raise_for_status()",
                    "reply.json()",
                    "reply.text",
                    "reply.status_code",
                )
                kinds.append("expression")
            case _:
                pytest.fail(f"another statement: {ast.dump(part)}")
    return kinds


def check_call(call: ast.Call) -> None:
    """Only ``oidc.api("...").verb(...)`` of literals, names of the cell, and ``quote``, ``str``, ``map`` and ``join``."""
    for node in ast.walk(call):
        if isinstance(node, ast.Call):
            target = ast.unparse(node.func)
            known = target in ("quote", "str", "map", "','.join", "oidc.api", "body.encode")
            assert known or target.startswith("oidc.api("), target
        assert not isinstance(node, (ast.Lambda, ast.NamedExpr, ast.JoinedStr, ast.Await, ast.Subscript, ast.Starred))


def check(cell: str) -> None:
    kinds = statements(cell)
    assert [kind for kind in kinds if kind != "value"] in (
        ["import", "call", "expression", "expression"],
        ["quote", "import", "call", "expression", "expression"],
    )
    transformer: Any = TransformerManager
    assert transformer().transform_cell(cell) == cell
    assert all(char.isprintable() or char == "\n" for char in cell)
    comments = [
        one.string for one in tokenize.generate_tokens(io.StringIO(cell).readline) if one.type == tokenize.COMMENT
    ]
    assert all("coding:" not in one and "coding=" not in one for one in comments)


def check_curl(command: str) -> None:
    command = command.replace(" \\\n  ", " ")  # as a shell joins lines
    words = shlex.split(command)
    assert words[:3] == ["curl", "--fail", "--globoff"]
    assert words[-1].startswith(ADDRESS)
    options = {"--request", "--head", "--header", "--data-raw", "--form-string"}
    rest = words[3:-1]
    while rest:
        assert rest[0] in options, rest
        rest = rest[1:] if rest[0] == "--head" else rest[2:]
    assert all(char.isprintable() for char in command)
    unquoted = command.replace('"Authorization: token $JUPYTER_TOKEN"', "")
    lexer = shlex.shlex(unquoted, posix=False, punctuation_chars=True)
    lexer.whitespace_split = True
    assert not {"|", ";", "&", "&&", ">", "<", "("} & {token for token in lexer if not token.startswith("'")}


BODIES = ("application/json", "text/plain", "multipart/form-data", "application/x-www-form-urlencoded", "a/b;c=d")


def operations_of(evil: str) -> list[Operation]:
    """What is read of a document that says ``evil`` wherever a document can say something."""
    schema = {"type": "object", "properties": {evil: {"type": "string", "default": evil}}, "required": [evil, "x"]}
    places = ("path", "query", "header", "cookie")
    listed = [{"name": f"{evil}", "in": place, "required": True, "example": evil} for place in places]
    listed += [{"name": f"n{place}", "in": place, "required": True, "schema": {"enum": [evil]}} for place in places]
    paths = {}
    for number, media_type in enumerate((*BODIES, evil)):
        body = {"content": {media_type: {"schema": schema}}}
        texts = {"operationId": evil, "summary": evil, "description": evil, "tags": [evil], "deprecated": True}
        paths[f"/{number}/{{npath}}/{evil}"] = {"post": {**texts, "parameters": listed, "requestBody": body}}
        paths[f"/{number}/{{npath}}/b"] = {
            "post": {**texts, "parameters": listed[4:], "requestBody": body},
            "delete": {**texts, "parameters": listed[4:], "requestBody": {**body, "required": True}},
            "head": {**texts, "parameters": listed[4:]},
            "trace": texts,
        }
    return operations_from(document(paths))


def operations_from(read: dict[str, Any]) -> list[Operation]:
    import json

    from jupyter_oidc.catalogue.operation import ReadDocument, read_answer

    lines = read_operations(read, "https://api.example.com/", "https://api.example.com/openapi.json")
    answer = read_answer(json.loads(json.dumps(line)) for line in lines)
    assert isinstance(answer, ReadDocument)
    return list(answer.operations)


@pytest.mark.parametrize("evil", EVIL, ids=range(len(EVIL)))
def test_a_hostile_document_injects_nothing(evil: str) -> None:
    found = operations_of(evil)
    assert found
    for one in found:
        check(cell_of("orders", one))
        check_curl(curl_of(one, ADDRESS))


TEXTS = st.text() | st.sampled_from(EVIL)
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)
PARAMETERS = st.builds(
    Parameter,
    name=TEXTS.filter(bool),
    place=st.sampled_from(["path", "query", "header", "cookie"]),
    required=st.just(True),
    type=st.none() | TEXTS,
    sample=JSON_VALUES,
    is_joined=st.booleans(),
)
OPERATIONS = st.builds(
    Operation,
    method=st.sampled_from(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"]),
    path=TEXTS.map(lambda text: "/" + text),
    summary=st.none() | TEXTS,
    deprecated=st.booleans(),
    parameters=st.lists(PARAMETERS, max_size=4, unique_by=lambda one: (one.name, one.place)).map(tuple),
    body=st.none()
    | st.builds(
        Body, media_type=st.from_regex(r"[\x21-\x7e]{1,40}", fullmatch=True), required=st.booleans(), sample=JSON_VALUES
    ),
    reply=st.sampled_from(["json", "text", "none"]),
)


@settings(deadline=None)
@given(operation=OPERATIONS)
@example(Operation(method="GET", path="/", parameters=(Parameter("\ud800", "query", required=True),)))
def test_whatever_a_broken_reader_says_a_cell_is_one_call(operation: Operation) -> None:
    """The process that reads could be taken over by a document: what it says is written no differently."""
    check(cell_of("orders", operation))
    check_curl(curl_of(operation, ADDRESS))


@pytest.mark.parametrize(
    ("operation", "cell"),
    [
        (
            Operation(method="DELETE", path="/a", body=Body("application/json", required=True, sample={"a": [1]})),
            (
                'import jupyter_oidc as oidc\n\n# DELETE /a\nbody = {"a": [1]}\n\n'
                'reply = oidc.api("orders").request("DELETE", "a", json=body)\nreply.raise_for_status()\nreply.text\n'
            ),
        ),
        (
            Operation(
                method="GET",
                path="/a/{x-y}/b c",
                summary="Find",
                parameters=(
                    Parameter("x-y", "path", required=True, sample="a/b"),
                    Parameter("class", "query", required=True, type="array", sample=[1, 2], is_joined=True),
                    Parameter("X-Trace", "header", required=True, type="integer"),
                    Parameter("more", "query", required=False),
                ),
                reply="json",
            ),
            (
                "from urllib.parse import quote\n\nimport jupyter_oidc as oidc\n\n# Find\n"
                'x_y = "a/b"\nclass_ = [1, 2]\nX_Trace = 1\n\n'
                'reply = oidc.api("orders").get(\n    "a/" + quote(str(x_y), safe="") + "/b%20c",\n'
                '    params={"class": ",".join(map(str, class_))},\n    headers={"X-Trace": str(X_Trace)},\n)\n'
                "reply.raise_for_status()\nreply.json()\n"
            ),
        ),
        (
            Operation(method="POST", path="/f", body=Body("multipart/form-data", required=True, sample={"a": "b"})),
            (
                "import jupyter_oidc as oidc\n\n# POST /f\n"
                'body = {"a": (None, "b")}\n\nreply = oidc.api("orders").post("f", files=body)\n'
                "reply.raise_for_status()\nreply.text\n"
            ),
        ),
        (
            Operation(method="HEAD", path="/f", deprecated=True, reply="json"),
            (
                "import jupyter_oidc as oidc\n\n# HEAD /f\n# The document says that this operation is deprecated.\n\n"
                'reply = oidc.api("orders").head("f")\nreply.raise_for_status()\nreply.status_code\n'
            ),
        ),
    ],
)
def test_the_cell_of_an_operation(operation: Operation, cell: str) -> None:
    assert cell_of("orders", operation) == cell


def test_the_command_of_an_operation() -> None:
    operation = Operation(
        method="POST",
        path="/a/{id}",
        parameters=(
            Parameter("id", "path", required=True, sample="it's"),
            Parameter("tag", "query", required=True, sample=["x y", "&"]),
        ),
        body=Body("application/json", required=True, sample={"who": "it's"}),
    )
    assert curl_of(operation, ADDRESS) == (
        "curl --fail --globoff --request POST \\\n"
        '  --header "Authorization: token $JUPYTER_TOKEN" \\\n'
        "  --header 'Content-Type: application/json' \\\n"
        '  --data-raw \'{"who": "it\'"\'"\'s"}\' \\\n'
        "  'http://localhost:8888/jupyter-oidc/api/orders/a/it%27s?tag=x+y&tag=%26'"
    )
