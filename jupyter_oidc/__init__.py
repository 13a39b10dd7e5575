"""Sign in at any OpenID Connect provider from JupyterLab; tokens never leave the Jupyter server."""

__version__ = "0.1.0"


def _jupyter_server_extension_points() -> list[dict[str, object]]:
    from jupyter_oidc.server.extension import JupyterOIDC

    return [{"module": "jupyter_oidc.server.extension", "app": JupyterOIDC}]
