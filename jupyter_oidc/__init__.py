"""Sign in at any OpenID Connect provider from JupyterLab; tokens never leave the Jupyter server.

In a notebook::

    import jupyter_oidc as oidc

    oidc.sign_in()
    oidc.api("orders").get("items").json()

Importing this package imports nothing else: every name below is loaded when it is first used.
In an IPython shell it also registers the completion of names in ``oidc.api("``.
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_CALLS = (
    "api",
    "apis",
    "async_api",
    "auth",
    "delegate",
    "endpoint",
    "grants",
    "session",
    "sessions",
    "sign_in",
    "sign_out",
)

_ENGINES = ("dask", "ray", "spark")
"""The engines that run work elsewhere; a star import leaves them out, since one needs its library to be imported."""

if TYPE_CHECKING:
    from jupyter_oidc import errors as errors
    from jupyter_oidc.errors import *  # noqa: F403 - its list of names is the list of errors
    from jupyter_oidc.kernel.delegation import delegate, grants
    from jupyter_oidc.kernel.engines import dask as dask
    from jupyter_oidc.kernel.engines import ray as ray
    from jupyter_oidc.kernel.engines import spark as spark
    from jupyter_oidc.kernel.session import api, apis, async_api, auth, endpoint, session, sessions, sign_in, sign_out

    __all__ = [
        "__version__",
        "api",
        "apis",
        "async_api",
        "auth",
        "delegate",
        "endpoint",
        "errors",
        "grants",
        "session",
        "sessions",
        "sign_in",
        "sign_out",
    ]
    __all__ += errors.__all__
else:  # NOTE: a type checker would take every name for one of ours, of type Any.

    def __getattr__(name: str) -> Any:
        if name in _CALLS:
            module = "delegation" if name in ("delegate", "grants") else "session"
            return getattr(import_module(f"jupyter_oidc.kernel.{module}"), name)
        if name in _ENGINES:
            return import_module(f"jupyter_oidc.kernel.engines.{name}")
        if name == "errors":
            return import_module("jupyter_oidc.errors")
        if name == "__all__":
            return sorted([*__dir__(), *_names_of_errors()])
        if not name.startswith("_") and name in _names_of_errors():
            return getattr(import_module("jupyter_oidc.errors"), name)
        raise AttributeError(f"module 'jupyter_oidc' has no attribute {name!r}")

    class _Package(ModuleType):
        """This package, whose ``sessions`` is the call also where the server's part of that name has been imported.

        An import sets its module as an attribute here; code of the server reaches that part by its import alone.
        """

        def __reduce__(self) -> tuple[Any, tuple[str]]:
            """Pickle as its name: a function of a notebook that names ``oidc`` is sent to workers with it."""
            return import_module, (__name__,)

        @property
        def sessions(self) -> Any:
            return import_module("jupyter_oidc.kernel.session").sessions

        @sessions.setter
        def sessions(self, part: ModuleType) -> None:
            pass

    sys.modules[__name__].__class__ = _Package


def _names_of_errors() -> list[str]:
    names: list[str] = import_module("jupyter_oidc.errors").__all__
    return names


def __dir__() -> list[str]:
    """Return the names that a notebook calls, and ``errors``; the bare names of the errors work without being listed."""
    return sorted(["__version__", "errors", *_CALLS])


def load_ipython_extension(shell: Any) -> None:
    """Add the ``%oidc`` magic: ``%load_ext jupyter_oidc``."""
    import_module("jupyter_oidc.kernel.magics").load(shell)
    import_module("jupyter_oidc.kernel.completion").register(shell)


def _register_completion() -> None:
    """Register completion with the IPython shell of this process, if there is one; nothing else is loaded for it."""
    get_shell = getattr(sys.modules.get("IPython"), "get_ipython", None)
    shell = None if get_shell is None else get_shell()
    if shell is not None:
        import_module("jupyter_oidc.kernel.completion").register(shell)


def _jupyter_server_extension_points() -> list[dict[str, Any]]:
    try:
        extension = import_module("jupyter_oidc.server.extension")
    except ModuleNotFoundError as missing:
        if missing.name != "jupyter_oidc.server":
            raise
        from jupyter_oidc.language import _

        said = _(
            "This is the kernel helper alone, of jupyter_oidc_client. A Jupyter server needs all of jupyter_oidc in its "
            "own environment: pip install jupyter_oidc. If it is there already, the client hides it: pip uninstall "
            "jupyter_oidc_client."
        )
        raise ModuleNotFoundError(said, name=missing.name, path=__file__) from None
    return [{"module": "jupyter_oidc.server.extension", "app": extension.JupyterOIDC}]


def _jupyter_labextension_paths() -> list[dict[str, str]]:
    return [{"src": "labextension", "dest": "@jupyter-oidc/labextension"}]


_register_completion()
