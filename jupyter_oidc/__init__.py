"""Sign in at any OpenID Connect provider from JupyterLab; tokens never leave the Jupyter server.

In a notebook::

    import jupyter_oidc as oidc

    oidc.sign_in()
    oidc.api("orders").get("items").json()

Importing this package imports nothing heavy: every name below is loaded when it is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jupyter_oidc.kernel.errors import OIDCError as OIDCError
    from jupyter_oidc.kernel.errors import OIDCWarning as OIDCWarning
    from jupyter_oidc.kernel.session import api as api
    from jupyter_oidc.kernel.session import async_api as async_api
    from jupyter_oidc.kernel.session import auth as auth
    from jupyter_oidc.kernel.session import endpoint as endpoint
    from jupyter_oidc.kernel.session import session as session
    from jupyter_oidc.kernel.session import sign_in as sign_in
    from jupyter_oidc.kernel.session import sign_out as sign_out

__version__ = "0.1.0"

_CALLS = ("api", "async_api", "auth", "endpoint", "session", "sign_in", "sign_out")

__all__ = [
    "OIDCError",
    "OIDCWarning",
    "__version__",
    "api",
    "async_api",
    "auth",
    "endpoint",
    "session",
    "sign_in",
    "sign_out",
]


def __getattr__(name: str) -> Any:
    if name in _CALLS:
        return getattr(import_module("jupyter_oidc.kernel.session"), name)
    if name[:1].isupper():
        errors = import_module("jupyter_oidc.kernel.errors")
        if isinstance(kind := getattr(errors, name, None), type) and issubclass(
            kind, (errors.OIDCError, errors.OIDCWarning)
        ):
            return kind
    raise AttributeError(f"module 'jupyter_oidc' has no attribute {name!r}")


def __dir__() -> list[str]:
    errors = import_module("jupyter_oidc.kernel.errors")
    kinds = (kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.OIDCError))
    return sorted({*__all__, *(kind.__name__ for kind in kinds if not kind.__name__.startswith("_"))})


def load_ipython_extension(shell: Any) -> None:
    """Add the ``%oidc`` magic: ``%load_ext jupyter_oidc``."""
    import_module("jupyter_oidc.kernel.magics").load(shell)


def _jupyter_server_extension_points() -> list[dict[str, Any]]:
    extension = import_module("jupyter_oidc.server.extension")
    return [{"module": "jupyter_oidc.server.extension", "app": extension.JupyterOIDC}]


def _jupyter_labextension_paths() -> list[dict[str, str]]:
    return [{"src": "labextension", "dest": "@jupyter-oidc/labextension"}]
