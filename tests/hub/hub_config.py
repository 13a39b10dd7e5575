"""The configuration of the Hub of ``make hub-check``: the documentation's, changed for a Hub without system users."""

import os
from pathlib import Path

c = get_config()  # type: ignore[name-defined]  # noqa: F821 - the Hub's own
FOLDER = Path(os.environ["HUB_CHECK_FOLDER"])

c.JupyterHub.bind_url = os.environ["HUB_CHECK_URL"]
c.JupyterHub.hub_port = int(os.environ["HUB_CHECK_HUB_PORT"])
c.ConfigurableHTTPProxy.api_url = f"http://127.0.0.1:{os.environ['HUB_CHECK_PROXY_PORT']}"
c.ConfigurableHTTPProxy.command = [os.environ["HUB_CHECK_PROXY"]]
c.JupyterHub.db_url = f"sqlite:///{FOLDER / 'hub.sqlite'}"
c.JupyterHub.cookie_secret_file = str(FOLDER / "cookie-secret")
c.JupyterHub.authenticator_class = "dummy"
c.DummyAuthenticator.password = os.environ["HUB_CHECK_PASSWORD"]
c.Authenticator.allowed_users = {"ada", "bob"}
c.JupyterHub.spawner_class = "simple"
c.SimpleLocalProcessSpawner.home_dir_template = str(FOLDER / "home" / "{username}")
c.Spawner.default_url = "/lab"
c.Spawner.args = ["--allow-root"]
c.Spawner.start_timeout = c.Spawner.http_timeout = 120
c.Spawner.environment = {
    name: os.environ[name] for name in ("JUPYTER_PATH", "JUPYTER_CONFIG_PATH", "JUPYTERLAB_DIR", "NO_PROXY")
}
c.JupyterHub.allow_named_servers = True
c.JupyterHub.services = [{"name": "check", "api_token": os.environ["HUB_CHECK_API_TOKEN"]}]
c.JupyterHub.load_roles = [
    {
        "name": "check",
        "services": ["check"],
        "scopes": ["list:users", "read:users:activity", "read:servers", "servers", "delete:servers", "admin:servers"],
    },
    {"name": "guests-of-ada", "users": ["bob"], "scopes": ["access:servers!user=ada"]},
]

load_subconfig(os.environ["HUB_CHECK_DOCUMENTED"])  # type: ignore[name-defined]  # noqa: F821
