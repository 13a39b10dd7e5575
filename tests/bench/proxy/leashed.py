"""Runs a program that is not Python and ends it when this process's standard input ends.

The parent holds the other end, so the program ends with it, even if the parent is killed.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading


def main() -> int:
    """Run the command line's program and return its exit code."""
    process = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL)

    def watch() -> None:
        while os.read(0, 1024):
            continue
        process.terminate()

    threading.Thread(target=watch, daemon=True, name="leash").start()
    return process.wait()


if __name__ == "__main__":
    sys.exit(main())
