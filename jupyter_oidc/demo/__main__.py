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


def instructions(demo: DemoEnvironment, *, opens_browser: bool) -> str:
    """Return the text for the user once all parts run; it fits one screen of a terminal."""
    people = "\n".join(f"         {one.name} {one.about}" for one in PERSONAS)
    return (
        f"\n  {'JupyterLab opens in your browser. If it does not, open' if opens_browser else 'Open'} this address:"
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
    demo: DemoEnvironment | None = None
    try:
        demo = DemoEnvironment(options, lambda line: print(f"  ... {line}", flush=True), requests)
        with demo:
            print(instructions(demo, opens_browser=not chosen.no_browser), flush=True)
            if not chosen.no_browser and not webbrowser.open(demo.lab_url):
                print("  No browser was found here: open the address above yourself.\n", flush=True)
            while True:
                demo.check()
                time.sleep(0.5)
    except KeyboardInterrupt:
        left = demo is not None and demo.places.root.exists()
        print(f"\n  The demo has stopped{'' if left else ', and nothing of it is left on this machine'}.")
        return 0
    except ChildFailed as failure:
        print(f"\n  The demo stopped because a part of it failed:\n  {failure}", file=sys.stderr)
        return 1
    finally:
        requests.ignore_until_exit()


if __name__ == "__main__":
    sys.exit(main())
