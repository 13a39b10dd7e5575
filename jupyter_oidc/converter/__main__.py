"""Read one order from standard input, convert or list with nbconvert, write one answer to standard output.

Both are JSON objects. Templates, preprocessors and exporters that users write run here, as they would in a kernel.
Their output goes to standard error, because standard output is the answer.
"""

from __future__ import annotations

import base64
import json
import os
import sys
from importlib import import_module
from typing import Any


def main() -> None:
    """Carry out the order."""
    answer_to = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    order = json.load(sys.stdin.buffer)
    try:
        answer = _exporters() if order["do"] == "list" else _converted(order)
    except ImportError as error:
        answer = {"status": 500, "problem": f"Could not import nbconvert: {error}"}
    except Exception as error:  # noqa: BLE001 - exporters fail with errors of their own, and the answer reports them
        answer = {"status": 500, "problem": f"nbconvert failed: {error}"}
    with answer_to:
        answer_to.write(json.dumps(answer).encode())


def _exporters() -> dict[str, Any]:
    base: Any = import_module("nbconvert.exporters.base")
    found = {}
    for name in base.get_export_names():
        try:
            found[name] = {"output_mimetype": base.get_exporter(name).output_mimetype}
        except Exception as error:  # noqa: BLE001 - one that cannot be loaded hides no other
            sys.stderr.write(f"exporter {name!r} is left out: {error}\n")
    return {"exporters": found}


def _converted(order: dict[str, Any]) -> dict[str, Any]:
    base: Any = import_module("nbconvert.exporters.base")
    notebooks: Any = import_module("nbformat")
    try:
        kind = base.get_exporter(order["format"])
    except (KeyError, NameError, ValueError):
        return {"status": 404, "problem": f"No exporter for format: {order['format']}"}
    exporter = kind(config=_config(order["config"]))
    for name, value in order["traits"].items():
        setattr(exporter, name, value)
    output, resources = exporter.from_notebook_node(
        notebooks.from_dict(order["notebook"]), resources=order["resources"]
    )
    content = output if isinstance(output, bytes) else output.encode("utf-8", "surrogatepass")
    return {
        "content": _text_of(content),
        "mimetype": exporter.output_mimetype,
        "extension": resources["output_extension"],
        "files": {name: _text_of(data) for name, data in (resources.get("outputs") or {}).items()},
    }


def _text_of(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _config(sections: dict[str, dict[str, Any]]) -> Any:
    from traitlets.config.loader import Config, LazyConfigValue

    config = Config()
    for section, values in sections.items():
        for name, value in values.items():
            if "value" in value:
                config[section][name] = value["value"]
                continue
            later = LazyConfigValue()
            for change, argument in value["changes"].items():
                # NOTE: 'inserts' is a list of places and values; the other changes are methods of one argument.
                for pair in argument if change == "inserts" else ():
                    later.insert(*pair)
                if change != "inserts":
                    getattr(later, change)(argument)
            config[section][name] = later
    return config


if __name__ == "__main__":
    main()
