"""Writes the tables of ``docs/reference/presets.md`` from the preset files: ``python -m tests.support.preset_page``."""

from __future__ import annotations

import json
from collections.abc import Iterator

from jupyter_oidc.settings.presets import Preset, names, preset
from tests.laws.source import ROOT

PAGE = ROOT / "docs" / "reference" / "presets.md"
_BEGIN, _END = "<!-- made from config/providers -->\n", "<!-- end -->\n"


def page(text: str) -> str:
    """Return ``text`` with the tables between its two marks made anew."""
    before, _, rest = text.partition(_BEGIN)
    _, _, after = rest.partition(_END)
    tables = "\n".join("\n".join(_section(preset(name))) for name in names())
    return f"{before}{_BEGIN}\n{tables}\n{_END}{after}"


def _section(one: Preset) -> Iterator[str]:
    yield f"## {one.title}: `{one.name}`"
    yield ""
    yield f"Issuer: `{one.issuer}`"
    yield ""
    yield "| Setting that it fills in | Value |"
    yield "|---|---|"
    for key, value in one.settings.items():
        yield f"| `{key}` | `{json.dumps(value)}` |"
    yield ""
    yield "| About | Fact | Source |"
    yield "|---|---|---|"
    for fact in one.facts:
        yield f"| {fact.topic} | {fact.fact} | [documentation]({fact.source}) |"
    yield ""


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
