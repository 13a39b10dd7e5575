"""The routes that list the APIs of the proxy and their operations, and write an operation as code."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jupyter_oidc.catalogue.cell import cell_of, curl_of
from jupyter_oidc.catalogue.service import Visitor
from jupyter_oidc.web.access_rule import allow
from jupyter_oidc.web.proxy_request_parsing import API_PATH
from jupyter_oidc.web.reply import Reply, json_reply
from jupyter_oidc.web.request import parameter
from jupyter_oidc.web.views import api_view, operations_view

if TYPE_CHECKING:
    from jupyter_oidc.web.front import Call


@allow("user", "kernel", action="read")
async def show_apis(call: Call) -> Reply:
    """List every API in the order of the settings, with readiness and entitlements."""
    to_kernel, base_url = call.request.caller.is_kernel, call.front.base_url
    entries = await call.sessions.apis()
    views = [api_view(entry, f"{base_url}{API_PATH}{entry.name}/", to_kernel=to_kernel) for entry in entries]
    return json_reply({"apis": views})


@allow("user", "kernel", action="read")
async def show_operations(call: Call, api: str) -> Reply:
    """List the operations in the OpenAPI document of an API."""
    return json_reply(operations_view(await call.catalogue.operations(api, _visitor(call))))


@allow("user", "kernel", action="read")
async def show_example(call: Call, api: str) -> Reply:
    """Write one operation as a cell and as a command, for the address at which this caller reaches the server."""
    method, path = parameter(call.request, "method", ""), parameter(call.request, "path", "")
    operation = await call.catalogue.operation(api, method, path, _visitor(call))
    front = call.front
    address = f"{front.protocol}://{front.host}{front.base_url}{API_PATH}{api}/"
    view = {"api": api, "method": method, "path": path}
    return json_reply({**view, "cell": cell_of(api, operation), "curl": curl_of(operation, address)})


def _visitor(call: Call) -> Visitor:
    return Visitor("kernel" if call.request.caller.is_kernel else "browser", call.front.begin_record)
