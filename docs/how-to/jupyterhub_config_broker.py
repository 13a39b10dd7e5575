"""Configures a JupyterHub for a broker of jupyter_oidc: add it to the Hub's configuration."""

import os
from pathlib import Path

c = get_config()  # noqa: F821 - the Hub's own

# The token by which the broker knows the Hub and the Hub the broker: 32 random bytes in hexadecimal digits.
broker_token = Path(os.environ["JUPYTER_OIDC_BROKER_TOKEN_FILE"]).read_text(encoding="ascii").strip()

# Browsers come to the broker through the Hub's proxy, at /services/oidc/, and are not asked whether they want to.
c.JupyterHub.services.append(
    {"name": "oidc", "url": "http://127.0.0.1:10101", "api_token": broker_token, "oauth_no_confirm": True}
)

use_broker = "access:services!service=oidc"
c.JupyterHub.load_roles.extend(
    [
        # The sessions of users that the Hub has no more end.
        {"name": "oidc-broker", "services": ["oidc"], "scopes": ["list:users"]},
        # People, and the servers that run for them, may use the broker.
        {"name": "user", "scopes": ["self", use_broker]},
        {"name": "server", "scopes": ["users:activity!user", "access:servers!server", use_broker]},
    ]
)
