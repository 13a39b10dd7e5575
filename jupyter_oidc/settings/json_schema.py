"""The JSON Schema of a settings file, for editors: completion, explanations and marks while typing (ADR 44).

It is made from the table of settings. It is looser than the reader and never stricter: what the server takes, whether in
one file or in several that are merged, the schema takes too. So no key is required, each may be ``null``, and rules
between keys are left to ``jupyter oidc config check``.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from jupyter_oidc.settings.fields import Setting, camel_case
from jupyter_oidc.settings.model import API_SETTINGS, PROVIDER_SETTINGS
from jupyter_oidc.settings.section import SECTION_SETTINGS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

SCHEMA_FILE: Final = Path(__file__).with_name("settings.schema.json")
"""The schema as a file, which the ``$schema`` of a settings file can name; a test keeps it current."""


def settings_schema() -> dict[str, Any]:
    """Return the schema of a file that may hold the section ``JupyterOIDC`` beside others (draft 2020-12)."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Settings of jupyter_oidc",
        "type": "object",
        "properties": {"JupyterOIDC": {"$ref": "#/$defs/section"}},
        "$defs": {
            # NOTE: open, because the section may hold what traitlets knows of every extension, too.
            "section": {"type": "object", "properties": _properties(SECTION_SETTINGS)},
            "provider": _closed("provider", PROVIDER_SETTINGS),
            "api": _closed("api", API_SETTINGS),
        },
    }


def _closed(name: str, settings: Iterable[Setting]) -> dict[str, Any]:
    """Return a mapping that holds ``settings`` in either spelling and nothing else; editors propose ``snake_case`` only."""
    keys = _properties(settings)
    return {
        "type": ["object", "null"],
        "properties": keys,
        "patternProperties": {
            f"^{camel_case(key)}$": {"$ref": f"#/$defs/{name}/properties/{key}"}
            for key in keys
            if camel_case(key) != key
        },
        "additionalProperties": False,
    }


def _properties(settings: Iterable[Setting]) -> dict[str, Any]:
    return {one.key: _property(one) for one in settings}


def _property(setting: Setting) -> dict[str, Any]:
    described: dict[str, Any] = {"description": setting.sentence}
    if setting.required:
        described["description"] += " Required."
    if setting.deprecated:
        described["deprecated"] = True
    if setting.default is not None and not setting.unset:
        described["default"] = _as_json(setting)
    return {**described, **_or_null(setting.shape.schema)}


def _or_null(schema: Mapping[str, Any]) -> dict[str, Any]:
    if "enum" in schema:
        return {**schema, "enum": [*schema["enum"], None]}
    return {**schema, "type": [schema["type"], "null"]}


def _as_json(setting: Setting) -> Any:
    value = setting.default
    if isinstance(value, frozenset):
        return sorted(value)
    if isinstance(value, tuple):
        return {} if setting.is_mapping else list(value)
    return value
