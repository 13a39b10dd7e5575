"""Lets the workers of a Ray cluster call APIs: ``ray.init(runtime_env=oidc.ray.runtime_env("orders"))``.

The grant comes to a worker as a function that Ray runs when the worker's process starts, and not as an environment
variable, which Ray's dashboard and its logs would show.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from jupyter_oidc.kernel.delegation import granted
from jupyter_oidc.language import _

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jupyter_oidc.kernel.delegation import WorkerGrant

_HOOK: Final = "worker_process_setup_hook"


def runtime_env(*apis: str | WorkerGrant, env: Mapping[str, Any] | None = None, **wish: Any) -> dict[str, Any]:
    """Return a runtime environment for ``ray.init()`` by which ``oidc.api()`` in tasks and actors calls with a grant.

    ``apis`` and ``wish`` are those of :func:`jupyter_oidc.delegate`, whose errors it raises, or one grant of yours.
    ``env`` is the rest of the environment; raises ``ValueError`` if that has a function for the start of a worker.
    Ray keeps the grant at its head node: those who run that can use it.
    """
    rest = dict(env or {})
    if _HOOK in rest:
        raise ValueError(
            _(
                "The environment has a {hook} already. Make a grant with oidc.delegate(), and call grant.use() in that "
                "function.",
                hook=_HOOK,
            )
        )
    return {**rest, _HOOK: granted(apis, {"name": "Ray", **wish}).use}
