"""The configuration of the Hub of a test; what differs from one to the next is in ``HUB_UNDER_TEST``."""

import json
import os
from typing import Any

c = get_config()  # type: ignore[name-defined]  # noqa: F821 - the Hub's own
said = json.loads(os.environ["HUB_UNDER_TEST"])
c.JupyterHub.bind_url = said["url"]
c.JupyterHub.hub_port = said["hub_port"]
c.ConfigurableHTTPProxy.api_url = f"http://127.0.0.1:{said['proxy_port']}"
c.ConfigurableHTTPProxy.command = said["proxy"]
c.JupyterHub.db_url = f"sqlite:///{said['folder']}/hub.sqlite"
c.JupyterHub.cookie_secret_file = f"{said['folder']}/cookie-secret"
c.JupyterHub.authenticator_class = "dummy"
c.DummyAuthenticator.password = said["password"]
c.Authenticator.allowed_users = set(said["users"])
c.JupyterHub.spawner_class = "simple"
c.SimpleLocalProcessSpawner.home_dir_template = f"{said['folder']}/home/{{username}}"
c.Spawner.cmd = said["server"]
c.Spawner.args = ["--allow-root"]
c.Spawner.default_url = "/lab"
c.Spawner.start_timeout = c.Spawner.http_timeout = 120
c.Spawner.environment = said["environment"]
c.JupyterHub.allow_named_servers = True
c.JupyterHub.services = [{"name": "check", "api_token": said["api_token"]}]
wanted = ["admin:users", "admin:servers", "tokens", "shares"]
c.JupyterHub.load_roles = [{"name": "check", "services": ["check"], "scopes": wanted}]
c.JupyterHub.subdomain_host = said["subdomain_host"]
if said["tls"]:
    c.JupyterHub.ssl_cert, c.JupyterHub.ssl_key = said["tls"]


def of_user(spawner: Any) -> None:
    """Run the server as its user."""
    spawner.cmd = said["commands"].get(spawner.user.name, spawner.cmd)


c.Spawner.pre_spawn_hook = of_user
load_subconfig(said["documented"])  # type: ignore[name-defined]  # noqa: F821 - the Hub's own
