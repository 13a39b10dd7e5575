"""Ends a process of the demo when its parent process has ended, also if that was killed.

The parent holds the other end of standard input. The end of that pipe means: stop now. This works for a normal
stop, for Ctrl-C and for a parent that was killed. The module starts no process by itself and knows none by name.
"""

from __future__ import annotations

import os
import runpy
import shutil
import signal
import sys
import threading
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

GRACE_SECONDS: Final = 15.0
"""Seconds between the request to stop and the end by force."""


def watch_parent(*, grace: float = GRACE_SECONDS) -> None:
    """Watch standard input in the background.

    At its end, ask this process to stop, then kill it after ``grace`` seconds.
    """
    threading.Thread(target=_watch, args=(grace,), daemon=True, name="parent-watch").start()


def _watch(grace: float) -> None:
    while os.read(0, 1024):
        continue
    forced = threading.Timer(grace, os._exit, args=(70,))
    forced.daemon = True
    forced.start()
    os.kill(os.getpid(), signal.SIGTERM)


def publish(path: Path, text: str) -> None:
    """Write ``text`` to the file that the parent waits for, atomically and for this user only."""
    draft = path.with_suffix(".draft")
    draft.touch(mode=0o600)
    draft.write_text(text, encoding="utf-8")
    draft.replace(path)


def main() -> None:
    """Run ``module arguments...`` under the watch, and remove ``folder`` afterwards if the parent no longer can."""
    folder, module, *arguments = sys.argv[1:]
    parent = os.getppid()
    watch_parent()
    sys.argv = [module, *arguments]
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    finally:
        if os.getppid() != parent:
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
