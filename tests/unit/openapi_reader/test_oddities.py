"""Real documents are odd: what is read of each oddity, and which problem is named."""

from __future__ import annotations

import json
from typing import Any

import pytest

from jupyter_oidc.openapi_reader.document import Fault, parsed
from jupyter_oidc.openapi_reader.operations import MAX_OPERATIONS, line, read_operations

BASE = "https://api.example.com/v1/"


def read(paths: Any, base: str = BASE, **more: Any) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    document = {"openapi": "3.1.0", "info": {"title": "T", "version": "1"}, "paths": paths, **more}
    head, *operations = read_operations(document, base, base + "openapi.json")
    return head, operations


def one(operation: Any, item: Any = (), **more: Any) -> dict[str, Any]:
    _, [found] = read({"/a": {**dict(item), "get": operation}}, **more)
    return found


def problems(paths: Any, **more: Any) -> list[tuple[str, str]]:
    head, _ = read(paths, **more)
    return [(problem["where"], problem["message"]) for problem in head["problems"]]


def query(name: str = "q", **more: Any) -> dict[str, Any]:
    return {"name": name, "in": "query", **more}


def parameters(operation: Any, item: Any = (), **more: Any) -> list[tuple[str, bool, str | None]]:
    return [(part["name"], part["required"], part["type"]) for part in one(operation, item, **more)["parameters"]]


def sample(schema: Any, **components: Any) -> Any:
    """The sample of a body with ``schema``."""
    body = {"content": {"application/json": {"schema": schema}}}
    found = one({"requestBody": body}, components={"schemas": components})
    return found["body"]["sample"]


class TestParameters:
    def test_those_of_the_path_are_overridden_by_those_of_the_operation(self) -> None:
        item = {"parameters": [query(schema={"type": "string"}), query("r", required=True)]}
        assert parameters({"parameters": [query(required=True, schema={"type": "integer"})]}, item) == [
            ("q", True, "integer"),
            ("r", True, None),
        ]

    def test_a_reference_is_followed(self) -> None:
        shared = {"parameters": {"Q": query(schema={"type": "boolean"})}}
        assert parameters({"parameters": [{"$ref": "#/components/parameters/Q"}]}, components=shared) == [
            ("q", False, "boolean")
        ]

    def test_one_of_the_path_is_always_required_and_an_undescribed_one_is_added(self) -> None:
        _, [found] = read({"/a/{id}/{other}": {"get": {"parameters": [{"name": "id", "in": "path"}]}}})
        assert [(part["name"], part["in"], part["required"]) for part in found["parameters"]] == [
            ("other", "path", True),
            ("id", "path", True),
        ]

    @pytest.mark.parametrize("name", ["Accept", "content-type", "AUTHORIZATION"])
    def test_a_header_that_is_described_elsewhere_is_none(self, name: str) -> None:
        assert one({"parameters": [{"name": name, "in": "header"}]})["parameters"] == []

    def test_a_cookie_is_listed(self) -> None:
        assert one({"parameters": [{"name": "c", "in": "cookie"}]})["parameters"][0]["in"] == "cookie"

    @pytest.mark.parametrize(
        ("part", "wanted"),
        [
            (query(example=7), 7),
            (query(examples={"a": {"value": 8}}), 8),
            (query(schema={"type": "integer", "default": 9}), 9),
            (query(schema={"enum": [None, "x"]}), "x"),
            (query(schema={"type": ["null", "integer"], "minimum": 3}), 3),
            (query(schema={"type": "string", "format": "date"}), "2026-01-01"),
            (query(content={"application/json": {"schema": {"type": "array", "items": {"type": "string"}}}}), ["text"]),
            (query(schema={}), None),
        ],
    )
    def test_its_sample_is_what_the_document_gives(self, part: Any, wanted: Any) -> None:
        assert one({"parameters": [part]})["parameters"][0]["sample"] == wanted

    def test_a_list_that_is_sent_as_one_value_says_so(self) -> None:
        assert one({"parameters": [query(explode=False)]})["parameters"][0]["joined"] is True


class TestPathsAndServers:
    @pytest.mark.parametrize(
        ("servers", "base", "path"),
        [
            ([], BASE, "/a"),
            ([{"url": "/v1"}], BASE, "/a"),
            ([{"url": "https://api.example.com/v1/"}], BASE, "/a"),
            ([{"url": "https://api.example.com/v1/eu"}], BASE, "/eu/a"),
            ([{"url": "/api/v2/"}], "https://api.example.com/", "/api/v2/a"),
            ([{"url": "eu"}], BASE, "/eu/a"),
            ([{"url": "{p}://h/{v}", "variables": {"p": {"default": "https"}, "v": {"default": "v1"}}}], BASE, "/a"),
            ([{"url": "https://h/v1/eu"}, {"url": "https://h/v1/us"}], BASE, "/eu/a"),
            ([{"url": "https://gateway.example.com/"}], BASE, "/a"),
        ],
    )
    def test_the_first_server_stands_in_front_of_the_path(self, servers: Any, base: str, path: str) -> None:
        _, [found] = read({"/a": {"get": {}}}, base, servers=servers)
        assert found["path"] == path

    def test_the_servers_of_an_operation_or_path_come_first(self) -> None:
        item = {"servers": [{"url": "/v1/b"}], "get": {}, "put": {"servers": [{"url": "/v1/c"}]}}
        _, found = read({"/a": item}, servers=[{"url": "/v1/d"}])
        assert [part["path"] for part in found] == ["/b/a", "/c/a"]

    @pytest.mark.parametrize("server", [{"url": "/v2"}, {"url": "https://h/elsewhere"}])
    def test_a_server_that_is_not_below_the_address_is_named(self, server: Any) -> None:
        assert problems({"/a": {"get": {}}}, servers=[server]) == [
            ("#/servers/0", "The server does not lie below base_url; paths are taken as below base_url.")
        ]

    def test_a_path_item_may_be_a_reference_and_an_extension_is_no_path(self) -> None:
        paths = {"/a": {"$ref": "#/components/pathItems/A"}, "x-note": {"get": {}}}
        _, [found] = read(paths, components={"pathItems": {"A": {"get": {}}}})
        assert (found["method"], found["path"]) == ("GET", "/a")

    def test_every_method_of_http_is_read_and_nothing_else(self) -> None:
        words = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
        _, found = read({"/a": {**{word: {} for word in words}, "x-y": {}, "summary": "S", "GET": {}}})
        assert [part["method"] for part in found] == [word.upper() for word in words]
        assert {part["summary"] for part in found} == {"S"}


class TestBodies:
    def test_json_is_preferred(self) -> None:
        content: dict[str, Any] = {
            "text/plain": {},
            "application/xml": {},
            "application/vnd.x+json": {},
            "application/json": {},
        }
        body = one({"requestBody": {"content": content, "required": True}})["body"]
        assert (body["media_type"], body["required"]) == ("application/json", True)

    @pytest.mark.parametrize(
        ("schema", "wanted"),
        [
            (
                {"allOf": [{"properties": {"a": {"type": "string"}}}, {"properties": {"b": {"const": 2}}}]},
                {"a": "text", "b": 2},
            ),
            ({"oneOf": [{"type": "null"}, {"type": "integer"}]}, 1),
            ({"anyOf": [{"type": "boolean"}]}, False),
            ({"type": "object", "nullable": True, "properties": {"a": {"type": "number"}}}, {"a": 1.0}),
            ({"type": "object", "required": ["a"], "properties": {"a": {}, "b": {"type": "string"}}}, {"a": None}),
            ({"properties": {"a": {"type": "string", "readOnly": True}, "b": {"example": 5}}}, {"b": 5}),
            ({"type": "array", "items": {"enum": ["x"]}}, ["x"]),
            ({"type": "string", "minLength": 6}, "textxx"),
            ({"type": "integer", "minimum": 0, "exclusiveMinimum": True}, 1),
            ({"type": "integer", "exclusiveMinimum": 5}, 6),
            ({"type": "integer", "maximum": -4}, -4),
            ({"examples": [{"z": 1}]}, {"z": 1}),
            (True, None),
        ],
    )
    def test_a_sample_is_built_from_the_schema(self, schema: Any, wanted: Any) -> None:
        assert sample(schema) == wanted

    def test_a_recursive_schema_ends_where_it_would_begin_again(self) -> None:
        kids = {"type": "array", "items": {"$ref": "#/components/schemas/Node"}}
        node = {"type": "object", "properties": {"name": {"type": "string"}, "kids": kids}}
        assert sample({"$ref": "#/components/schemas/Node"}, Node=node) == {"name": "text", "kids": []}

    def test_a_schema_that_multiplies_gives_no_sample(self) -> None:
        levels = {
            f"L{n}": {
                "type": "object",
                "properties": {f"p{k}": {"$ref": f"#/components/schemas/L{n + 1}"} for k in range(20)},
            }
            for n in range(5)
        }
        assert sample({"$ref": "#/components/schemas/L0"}, **levels, L5={"type": "string"}) is None

    def test_a_huge_example_gives_way_to_the_schema(self) -> None:
        media = {"example": "x" * 100_000, "schema": {"type": "string"}}
        assert one({"requestBody": {"content": {"text/plain": media}}})["body"]["sample"] == "text"


class TestProblems:
    @pytest.mark.parametrize(
        ("item", "where", "message"),
        [
            ({"get": 7}, "#/paths/~1a~0b/get", "It is no mapping."),
            ([], "#/paths/~1a~0b", "It is no mapping."),
            ({"get": {"parameters": {}}}, None, None),
            ({"get": {"parameters": {"a": 1}}}, "#/paths/~1a~0b/get/parameters", "It is no list."),
            (
                {"get": {"parameters": [{"$ref": "#/x"}]}},
                "#/paths/~1a~0b/get/parameters/0",
                "The reference leads nowhere.",
            ),
            (
                {"get": {"parameters": [{"name": "a"}]}},
                "#/paths/~1a~0b/get/parameters/0",
                "It is no parameter: it needs a 'name' and an 'in'.",
            ),
            (
                {"get": {"requestBody": {"$ref": "https://evil.example.com/x.json#/a"}}},
                "#/paths/~1a~0b/get/requestBody",
                "The reference leads to another document, which is not read.",
            ),
            (
                {"get": {"requestBody": {}}},
                "#/paths/~1a~0b/get/requestBody",
                "It is no request body: it needs a 'content'.",
            ),
            (
                {"$ref": "file:///etc/passwd"},
                "#/paths/~1a~0b",
                "The reference leads to another document, which is not read.",
            ),
        ],
    )
    def test_a_broken_operation_is_left_out_and_named(self, item: Any, where: str | None, message: str | None) -> None:
        head, found = read({"/a~b": item, "/good": {"get": {}}})
        assert [(part["where"], part["message"]) for part in head["problems"]] == ([(where, message)] if where else [])
        assert found[-1]["path"] == "/good"

    def test_references_in_a_circle_end(self) -> None:
        circle = {"A": {"$ref": "#/components/parameters/B"}, "B": {"$ref": "#/components/parameters/A"}}
        told = problems(
            {"/a": {"get": {"parameters": [{"$ref": "#/components/parameters/A"}]}}}, components={"parameters": circle}
        )
        assert told == [("#/paths/~1a/get/parameters/0", "The reference leads back to itself.")]

    def test_a_broken_schema_leaves_the_operation(self) -> None:
        body = {"content": {"application/json": {"schema": {"properties": {"a": {"$ref": "#/nowhere"}}}}}}
        head, [found] = read({"/a": {"post": {"requestBody": body}}})
        assert (found["body"]["sample"], len(head["problems"])) == (None, 1)

    def test_an_operation_id_that_occurs_twice_is_named_and_both_stay(self) -> None:
        head, found = read({"/a": {"get": {"operationId": "x"}}, "/b": {"get": {"operationId": "x"}}})
        assert ([part["id"] for part in found], len(head["problems"])) == (["x", "x"], 1)

    @pytest.mark.parametrize(
        "path", ["a", "/a?b=c", "/a#b", "/a\\b", "/a b", "/a\u202eb", "/\ud800", "/" + "x" * 1_001]
    )
    def test_a_path_that_no_call_can_have_is_left_out(self, path: str) -> None:
        head, found = read({path: {"get": {}}})
        assert (len(head["problems"]), found) == (1, [])

    def test_operations_beyond_the_limit_are_counted(self) -> None:
        head, found = read({f"/{n}": {"get": {}} for n in range(MAX_OPERATIONS + 3)})
        assert (len(found), head["operations_more"]) == (2_000, 3)


class TestDocuments:
    @pytest.mark.parametrize(
        ("written", "version"),
        [('"3.0.3"', "3.0.3"), ("3.1.1", "3.1.1"), ("3.1", "3.1.0"), ("3.0", "3.0.0")],
    )
    def test_its_version_is_read(self, written: str, version: str) -> None:
        document = parsed(f"openapi: {written}\npaths: {{}}".encode())
        assert read_operations(document, BASE, BASE)[0]["document"]["openapi"] == version

    @pytest.mark.parametrize("written", ["2.0", "4.0.0", "3.2.0", "[]", "true", "3.1.0 evil"])
    def test_another_version_is_refused(self, written: str) -> None:
        with pytest.raises(Fault, match="another version"):
            read_operations(parsed(f"openapi: {written}".encode()), BASE, BASE)

    def test_yaml_and_json_mean_the_same(self) -> None:
        text = "a: &x {b: [1, 1.5, true, null, yes, 2026-01-01]}\nc: *x\n200: {<<: *x, d: '1'}\n"
        inner = {"b": [1, 1.5, True, None, "yes", "2026-01-01"]}
        wanted = {"a": inner, "c": inner, "200": {**inner, "d": "1"}}
        assert (parsed(text.encode()), parsed(json.dumps(wanted).encode())) == (wanted, wanted)

    @pytest.mark.parametrize("tag", ["!!python/object/apply:os.system ['x']", "!!binary aGk=", "!own {a: 1}"])
    def test_a_tag_makes_no_object(self, tag: str) -> None:
        assert isinstance(parsed(f"a: {tag}".encode())["a"], (list, str, dict))

    @pytest.mark.parametrize("number", ["1" * 5_000, "-" + "9" * 400, "1e999", "1" * 31 + ".5"])
    def test_a_number_beyond_all_bounds_is_text(self, number: str) -> None:
        assert parsed(f'{{"a": {number}}}'.encode())["a"] == number
        assert parsed(f"a: {number}".encode())["a"] == number

    def test_deep_mappings_of_yaml_end(self) -> None:
        deep = "".join(f"{' ' * n}a:\n" for n in range(300))
        with pytest.raises(Fault, match="nested too deeply"):
            parsed(deep.encode())

    def test_a_second_document_is_refused(self) -> None:
        with pytest.raises(Fault, match="a second document at line 2"):
            parsed(b"a: 1\n---\nb: 2\n")

    @pytest.mark.parametrize(
        ("given", "shown"),
        [
            ("a\n b\u2028c", "a b c"),
            ("\u202eevil", "evil"),
            ("\x00", None),
            (7, "7"),
            (True, None),
            ([], None),
            ("x" * 999, "x" * 200),
        ],
    )
    def test_texts_are_one_visible_line(self, given: Any, shown: str | None) -> None:
        assert line(given) == shown
