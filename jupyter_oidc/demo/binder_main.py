"""``python -m jupyter_oidc.demo.binder_main COMMAND ...``: the demo in a Jupyter that another program starts, as Binder does.

The provider and the API are started first, the settings for them are added to Jupyter's, and then the command runs;
when it ends, everything ends. The browser is expected to reach the Jupyter server and nothing else, so people sign in
with a code (RFC 8628), on a page of the provider that jupyter-server-proxy shows.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from importlib import resources
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from jupyter_oidc.demo import binder_landing
from jupyter_oidc.demo.child import Child, ChildFailed
from jupyter_oidc.demo.environment import NOTEBOOK, answer_questions, oidc_settings

_START_TIMEOUT_SECONDS = 90.0


def jupyter_settings(issuer: str, api_url: str) -> dict[str, Any]:
    """Return the settings that are added to those of the Jupyter server."""
    return {
        "JupyterOIDC": oidc_settings(issuer, api_url, redirect_strategy="device"),
        "ServerApp": {
            "jpserver_extensions": {
                "jupyter_oidc": True,
                "jupyter_oidc.demo.binder_landing": True,
                "jupyter_server_proxy": True,
            },
            "default_url": "/jupyter-oidc-demo",
            # NOTE: the scheme that the browser sees is known to the proxy in front only.
            "trust_xheaders": True,
        },
        "LabApp": {"news_url": None, "check_for_updates_class": "jupyterlab.NeverCheckForUpdate"},
    }


def main() -> int:
    """Run until the command ends, and return its exit code."""
    command = sys.argv[1:]
    if not command or command[0] in ("-h", "--help"):
        print(__doc__)
        return 0 if command else 2
    with tempfile.TemporaryDirectory(prefix="jupyter-oidc-demo-") as name:
        children: list[Child] = []
        try:
            return _run(Path(name), command, children)
        except ChildFailed as failure:
            print(f"The demo could not start: {failure}", file=sys.stderr)
            return 1
        finally:
            for child in reversed(children):
                child.release()
                child.finish(within=10)


def _run(root: Path, command: list[str], children: list[Child]) -> int:
    told = root / "told"
    issuer = _helper(root, "provider", children, "--folder", str(root / "provider"), "--told", str(told))
    api_url = _helper(root, "api", children, "--issuer", issuer)
    settings = root / "settings"
    settings.mkdir()
    (settings / "jupyter_server_config.json").write_text(json.dumps(jupyter_settings(issuer, api_url)), "utf-8")
    answer_questions(root / "lab-settings")
    notebook = Path(NOTEBOOK)
    if not notebook.exists():
        notebook.write_bytes((resources.files("jupyter_oidc.demo") / "notebooks" / NOTEBOOK).read_bytes())
    paths = (str(settings), os.environ.get("JUPYTER_CONFIG_PATH", ""))
    environment = {
        **os.environ,
        "JUPYTER_CONFIG_PATH": os.pathsep.join(path for path in paths if path),
        "JUPYTERLAB_SETTINGS_DIR": str(root / "lab-settings"),
        binder_landing.ADDRESS_FILE_VARIABLE: str(told),
        binder_landing.PROVIDER_PORT_VARIABLE: str(urlsplit(issuer).port),
    }
    process = subprocess.Popen(command, env=environment)
    for ending in (signal.SIGTERM, signal.SIGINT):
        signal.signal(ending, lambda number, _: process.send_signal(number))
    return process.wait()


def _helper(root: Path, name: str, children: list[Child], *arguments: str) -> str:
    ready = root / f"{name}.ready"
    started = ("-m", f"jupyter_oidc.demo.{name}", "--ready", str(ready), *arguments)
    child = Child.start(f"The demo's {name}", started, root / f"{name}.log", os.environ)
    children.append(child)
    return child.published(ready, within=_START_TIMEOUT_SECONDS)


if __name__ == "__main__":
    sys.exit(main())
