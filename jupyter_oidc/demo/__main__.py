"""``python -m jupyter_oidc.demo``: start the demo, say what to do, stop with Ctrl-C."""

from __future__ import annotations

import argparse
import sys
import time
import webbrowser

from jupyter_oidc.demo.child import ChildFailed
from jupyter_oidc.demo.environment import DemoEnvironment, DemoOptions
from jupyter_oidc.demo.interrupts import StopRequests
from jupyter_oidc.demo.personas import ACCESS_TOKEN_SECONDS, PERSONAS


def instructions(demo: DemoEnvironment) -> str:
    """Return the text for the user once all parts run."""
    people = "\n".join(f"         {one.name} {one.about}" for one in PERSONAS)
    return (
        "\n  JupyterLab opens in your browser. If it does not, open this address:"
        f"\n\n     {demo.lab_url}\n"
        "\n  1. Run the notebook's first cell (Shift+Enter) and click its link, or click 'Sign in' at the bottom of the window."
        f"\n  2. Choose who you are. No password is asked for:\n{people}"
        "\n  3. Run the other cells. One finds an operation by a word, one uses another account."
        f"\n     Access tokens end after {ACCESS_TOKEN_SECONDS} seconds here, and no call fails for it."
        "\n\n  Ctrl-C stops the demo and removes all that it made, changes to the notebook too.\n"
    )


def main() -> int:
    """Run until Ctrl-C; return 1 if a part of the demo fails."""
    parser = argparse.ArgumentParser(prog="python -m jupyter_oidc.demo", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="JupyterLab's port (default: a free one)")
    parser.add_argument("--base-url", default="/", help="JupyterLab's base URL (default: /)")
    parser.add_argument("--no-browser", action="store_true", help="do not open a browser")
    chosen = parser.parse_args()

    requests = StopRequests()
    requests.listen()
    options = DemoOptions(port=chosen.port, base_url=chosen.base_url)
    try:
        with DemoEnvironment(options, lambda line: print(f"  ... {line}", flush=True), requests) as demo:
            print(instructions(demo), flush=True)
            if not chosen.no_browser:
                webbrowser.open(demo.lab_url)
            while True:
                demo.check()
                time.sleep(0.5)
    except KeyboardInterrupt:
        print("\n  The demo has stopped.")
        return 0
    except ChildFailed as failure:
        print(f"\n  The demo stopped because a part of it failed:\n  {failure}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
