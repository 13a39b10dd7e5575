"""One redirect URI for all users of a Hub, which sends each browser on to its user's server (Q10.2)."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from tests.interop.person import settings_for
from tests.support.canary import CANARY
from tests.support.certified_provider import CertifiedProvider, RegisteredClient
from tests.support.form_sign_in import FormBrowser
from tests.support.hub_front import HubFront
from tests.support.jupyter_process import JupyterProcess
from tests.support.upstream import Upstream

REDIRECT = "hub/user-redirect/jupyter-oidc/providers/corp/callback"


@pytest.mark.parametrize(
    ("base_url", "environment"),
    [
        pytest.param("/user/ada/", {}, id="default-server"),
        pytest.param("/user/ada/gpu/", {"JUPYTERHUB_SERVER_NAME": "gpu"}, id="named-server"),
        pytest.param("/user/ada/big%20one/", {"JUPYTERHUB_SERVER_NAME": "big one"}, id="named-server-with-a-blank"),
    ],
)
def test_one_redirect_uri_serves_every_user_s_server(
    tmp_path: Path, provider: CertifiedProvider, upstream: Upstream, base_url: str, environment: dict[str, str]
) -> None:
    """Q10.2: the binding cookie is for where the browser comes out, not for where the provider sends it."""
    with ExitStack() as stack:
        front = stack.enter_context(HubFront(base_url, 0))
        redirect_uri = f"http://localhost:{front.port}/{REDIRECT}"
        process = JupyterProcess(
            tmp_path / "jupyter",
            {"corp": settings_for(provider, upstream, redirect_uri=redirect_uri)},
            base_url=base_url,
            environment=environment,
        )
        front.behind(process.port)
        provider.register_client(RegisteredClient("jupyter", (redirect_uri,)))
        stack.enter_context(process)
        jupyter = stack.enter_context(process.client())
        started = jupyter.post("jupyter-oidc/providers/corp/sign-in", json={}).json()
        start = str(httpx.URL(front.url).join(started["start_url"]))
        page = FormBrowser(provider.issuer, watch=_all_but_the_hub).sign_in(start, "user1", "any")
        assert "You are signed in" in page.text
        assert jupyter.get("jupyter-oidc/providers/corp/session").json()["state"] == "active"


def _all_but_the_hub(reply: httpx.Response) -> None:
    """Show a reply to the canary, unless it is the Hub's, which sends the provider's answer on as a URL."""
    if not reply.url.path.startswith("/hub/"):
        CANARY.look_at_reply(reply)
