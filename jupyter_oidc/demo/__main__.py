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
    people = "\n".join(f"     {one.username} / {one.password:<11} {one.about}" for one in PERSONAS)
    return (
        f"\n  Open     {demo.lab_url}\n"
        "\n  1. Click 'Sign in' at the bottom of the window and in the panel that opens, or follow the notebook's first cell."
        f"\n  2. Sign in as one of these two (user name / password):\n{people}"
        f"\n  3. Run the other cells. Access tokens end after {ACCESS_TOKEN_SECONDS} seconds; watch that nothing breaks."
        "\n  4. Press Ctrl-C here to stop everything; nothing is left behind.\n"
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
