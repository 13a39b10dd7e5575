"""Makes the tables of keys in ``docs/reference/configuration.md`` from the table of settings."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

from jupyter_oidc.settings.broker import BROKER_SETTINGS
from jupyter_oidc.settings.fields import Count, Seconds, Setting
from jupyter_oidc.settings.model import API_SETTINGS, PROVIDER_SETTINGS
from jupyter_oidc.settings.section import SECTION_SETTINGS
from tests.laws.source import ROOT

PAGE = ROOT / "docs" / "reference" / "configuration.md"
TABLES: dict[str, tuple[str, Sequence[Setting]]] = {
    "section": ("Trait", SECTION_SETTINGS),
    "provider": ("Key", PROVIDER_SETTINGS),
    "api": ("Key", API_SETTINGS),
    "broker": ("Key", BROKER_SETTINGS),
}


def page(text: str) -> str:
    """Return ``text`` with each table between its two marks made anew."""
    for name, (title, settings) in TABLES.items():
        begin, end = f"<!-- made from the table of settings: {name} -->\n", "<!-- end -->\n"
        before, mark, rest = text.partition(begin)
        assert mark, f"the page has no place for the table {name}"
        rows = "".join(f"| `{one.key}` | {default(one)} | {meaning(one)} |\n" for one in settings)
        text = f"{before}{begin}\n| {title} | Default | Meaning |\n|---|---|---|\n{rows}\n{end}{rest.partition(end)[2]}"
    return text


def default(setting: Setting) -> str:
    """Return what the page says of a key that is left out."""
    if setting.required:
        return "required"
    if setting.unset:
        return setting.unset
    value = setting.default
    if value is None:
        return "none"
    if isinstance(value, (tuple, frozenset)):
        value = {} if setting.is_mapping else sorted(value) if isinstance(value, frozenset) else list(value)
    return f"`{value!r}`" if isinstance(value, bool) else f"`{json.dumps(value)}`"


def meaning(setting: Setting) -> str:
    """Return what a key means, with its limits and the links of the page."""
    limits = f" ({setting.shape.low} to {setting.shape.high})" if isinstance(setting.shape, (Seconds, Count)) else ""
    return re.sub(r"(?<!\\)\|", r"\\|", f"{setting.meaning}{limits}{setting.page}")
