"""Replaces Jupyter's routes for converting notebooks, so that no code of users runs in this process (Q8.2).

The replies, the headers and the permissions are those of Jupyter; only the conversion runs in another process.
"""

from __future__ import annotations

import asyncio
import json
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Final, TypeVar

from jupyter_core.utils import ensure_async
from jupyter_server.auth.decorator import authorized
from jupyter_server.base.handlers import FilesRedirectHandler, path_regex
from jupyter_server.nbconvert.handlers import NbconvertFileHandler, NbconvertPostHandler, respond_zip
from jupyter_server.services.nbconvert.handlers import NbconvertRootHandler
from jupyter_server.utils import url_path_join
from tornado import web
from tornado.httputil import HTTPHeaders, HTTPServerRequest, RequestStartLine

from jupyter_oidc.adapters.system.notebook_export import ConversionFailed, Converted, convert, exporters
from jupyter_oidc.compat.jupyter_server import path_of_file

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from tornado.web import RequestHandler

_T = TypeVar("_T")

MAX_CONVERSIONS: Final = 4
"""Conversions at the same time, each a process of its own; more of them wait."""

_FORMAT: Final = r"nbconvert/(?P<format>\w+)"


def export_routes(
    base_url: str, ready: Callable[[], Awaitable[None]]
) -> list[tuple[str, type[RequestHandler], dict[str, Any]]]:
    """Return the routes that replace Jupyter's; no conversion begins before ``ready`` returns."""
    given = {"limiter": _ConversionLimiter(ready)}
    return [
        (url_path_join(base_url, _FORMAT), _PostedNotebook, given),
        (url_path_join(base_url, _FORMAT) + path_regex, _NotebookFile, given),
        (url_path_join(base_url, "api/nbconvert"), _Formats, given),
    ]


class _ConversionLimiter:
    """Limits the number of simultaneous conversions, and lets none begin before this server is ready."""

    def __init__(self, ready: Callable[[], Awaitable[None]]) -> None:
        self._ready = ready
        self._semaphore = asyncio.Semaphore(MAX_CONVERSIONS)

    async def __aenter__(self) -> None:
        await self._ready()
        await self._semaphore.acquire()

    async def __aexit__(self, *error: object) -> None:
        self._semaphore.release()


def converts_elsewhere(application: Any, path: str) -> bool:
    """Return whether ``application`` routes the conversion at ``path`` to us, and so to a process of its own."""
    request = HTTPServerRequest(
        start_line=RequestStartLine("GET", path, "HTTP/1.1"), headers=HTTPHeaders({"Host": "localhost"})
    )
    found = getattr(application.find_handler(request), "handler_class", None)
    return found is _NotebookFile


class _NotebookFile(NbconvertFileHandler):
    """``GET nbconvert/FORMAT/PATH``: a notebook of the served folder in another format."""

    def initialize(self, **given: Any) -> None:
        self._limiter: _ConversionLimiter = given["limiter"]

    @web.authenticated
    @authorized
    async def get(self, format: str, path: str) -> None:  # noqa: A002  # NOTE: Jupyter's name for it
        self.check_xsrf_cookie()
        path = path.strip("/")
        contents: Any = self.contents_manager
        model = await ensure_async(contents.get(path=path))
        if model["type"] != "notebook":
            redirect: Any = FilesRedirectHandler.redirect_to_files
            await ensure_async(redirect(self, path))
            return
        changed = model["last_modified"]
        about = {"name": PurePath(model["name"]).stem, "modified_date": f"{changed:%B} {changed.day}, {changed.year}"}
        file = path_of_file(contents, path)
        if file is not None:  # NOTE: other contents managers have no folder for pictures beside the notebook
            about["path"] = str(file.parent)
        sanitize = self.get_argument("sanitize_html", None) if format == "html" else None
        traits = {} if sanitize is None else {"sanitize_html": sanitize.lower() == "true"}
        converted = await _converted(self, self._limiter, format, model["content"], about, traits)
        self.set_header("Last-Modified", changed)
        if _answered_with_zip(self, model["name"], converted):
            return
        if self.get_argument("download", "false").lower() == "true":
            self.set_attachment_header(about["name"] + converted.extension)
        self.set_header("Cache-Control", "no-store, no-cache, must-revalidate, max-age=0")
        _answer(self, converted)


class _PostedNotebook(NbconvertPostHandler):
    """``POST nbconvert/FORMAT``: a notebook from the request's body in another format."""

    def initialize(self, **given: Any) -> None:
        self._limiter: _ConversionLimiter = given["limiter"]

    @web.authenticated
    @authorized
    async def post(self, format: str) -> None:  # noqa: A002  # NOTE: Jupyter's name for it
        model = self.get_json_body()
        if not isinstance(model, dict) or not isinstance(model.get("content"), dict):
            raise web.HTTPError(400, "The body is not a notebook's model.")
        name = str(model.get("name", "notebook.ipynb"))
        about = {"name": PurePath(name).stem}
        converted = await _converted(self, self._limiter, format, model["content"], about, {})
        if not _answered_with_zip(self, name, converted):
            _answer(self, converted)


class _Formats(NbconvertRootHandler):
    """``GET api/nbconvert``: the formats; listing them loads each exporter, so that is done in a process, too."""

    def initialize(self, **given: Any) -> None:
        self._limiter: _ConversionLimiter = given["limiter"]

    @web.authenticated
    @authorized
    async def get(self) -> None:
        self.finish(json.dumps(await _run_limited(self._limiter, lambda: exporters(self.log))))


async def _converted(
    handler: Any,
    limiter: _ConversionLimiter,
    to: str,
    notebook: Mapping[str, Any],
    about: Mapping[str, str],
    traits: Mapping[str, Any],
) -> Converted:
    resources = {"metadata": about, "config_dir": handler.application.settings["config_dir"]}
    config, log = handler.config, handler.log
    return await _run_limited(limiter, lambda: convert(to, notebook, resources, config=config, traits=traits, log=log))


async def _run_limited(limiter: _ConversionLimiter, work: Callable[[], _T]) -> _T:
    async with limiter:
        try:
            return await asyncio.to_thread(work)
        except ConversionFailed as failure:
            # NOTE: a %-sign in the conversion's message is no placeholder of tornado's log.
            raise web.HTTPError(failure.status, str(failure).replace("%", "%%")) from None


def _answered_with_zip(handler: Any, name: str, converted: Converted) -> bool:
    """Answer with an archive if files belong to the notebook."""
    resources = {"outputs": dict(converted.files), "output_extension": converted.extension}
    text = converted.content.decode("utf-8", "replace")
    zipped: Callable[..., object] = respond_zip
    return bool(zipped(handler, name, text, resources))


def _answer(handler: Any, converted: Converted) -> None:
    if converted.mimetype is not None:
        handler.set_header("Content-Type", f"{converted.mimetype}; charset=utf-8")
    handler.finish(converted.content)
