"""A Jupyter Server extension that counts the functions which the event loop's thread calls, and the garbage it leaves.

``GET bench-tally/start`` begins to count Python and C functions, ``GET bench-tally/stop`` ends it and says how many
there were, and how many objects in reference cycles. The garbage collector is off in between.
It costs nothing before the start and after the stop.
"""

from __future__ import annotations

import gc
import sys
from types import FrameType
from typing import Any

from jupyter_server.base.handlers import JupyterHandler
from jupyter_server.utils import url_path_join
from tornado.web import authenticated


class Tally:
    """A profiling function that counts the functions entered in the thread in which it is set."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, _: FrameType, event: str, __: object) -> None:
        if event in ("call", "c_call"):
            self.calls += 1


class TallyHandler(JupyterHandler):
    """Starts and stops."""

    def initialize(self, tallies: list[Tally]) -> None:
        """Remember where the running tally is."""
        self.tallies = tallies

    @authenticated
    def get(self, act: str) -> None:
        """Start from nothing, or stop and tell."""
        sys.setprofile(None)
        calls = self.tallies.pop().calls if self.tallies else 0
        garbage = gc.collect()
        gc.enable()
        self.finish({"calls": calls, "garbage": garbage})
        if act == "start":
            gc.disable()
            self.tallies.append(Tally())
            sys.setprofile(self.tallies[0])


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    return [{"module": "tests.bench.proxy.tally_extension"}]


def _load_jupyter_server_extension(server: Any) -> None:
    pattern = url_path_join(server.web_app.settings["base_url"], r"/bench-tally/(start|stop)")
    told: dict[str, list[Tally]] = {"tallies": []}
    server.web_app.add_handlers(".*", [(pattern, TallyHandler, told)])
