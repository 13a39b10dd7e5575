"""A Jupyter Server extension that says how many tasks the event loop has: ``GET soak/tasks``."""

from __future__ import annotations

import asyncio
from typing import Any

from jupyter_server.base.handlers import JupyterHandler
from jupyter_server.utils import url_path_join
from tornado.web import authenticated


class TasksHandler(JupyterHandler):
    """Counts."""

    @authenticated
    def get(self) -> None:
        """Answer the number of tasks."""
        self.finish({"tasks": len(asyncio.all_tasks())})


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    return [{"module": "tests.soak.count_extension"}]


def _load_jupyter_server_extension(server: Any) -> None:
    pattern = url_path_join(server.web_app.settings["base_url"], r"/soak/tasks")
    server.web_app.add_handlers(".*", [(pattern, TasksHandler)])
