"""Configures a JupyterHub for jupyter_oidc: add it to the Hub's configuration."""

import base64
import hashlib
import hmac
import os
from pathlib import Path
from urllib.parse import unquote

from jupyterhub.utils import url_path_join

c = get_config()  # noqa: F821 - the Hub's own

# A user's own configuration is a program that runs inside their server, where tokens are.
c.Spawner.disable_user_config = True

# Sessions outlive a server that is culled, in a file that opens with a key of each user's own.
# The key of the Hub, from which those are made, is 32 random bytes in a file that only the Hub can read.
hub_key = Path(os.environ["JUPYTER_OIDC_HUB_KEY_FILE"]).read_bytes()


def storage_key(spawner):
    """Return the key of this user, which opens no other user's sessions."""
    key = hmac.new(hub_key, b"jupyter_oidc storage of " + spawner.user.name.encode(), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(key).decode("ascii")


c.Spawner.environment.update({"JUPYTER_OIDC_STORAGE_KEY": storage_key})


# One redirect URI serves all users; for named servers the end of the state says which one it is.
async def to_named_server(path, request, user, base_url):
    """Return the address where the browser goes on, or ``None`` for requests that are not ours."""
    state = request.arguments.get("state", [b""])[0].decode("utf-8", "replace")
    name = unquote(state.partition(".")[2])
    if not path.startswith("jupyter-oidc/") or name not in user.spawners:
        return None
    return f"{url_path_join(user.server_url(name), path)}?{request.query}"


c.JupyterHub.user_redirect_hook = to_named_server
