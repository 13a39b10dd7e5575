"""What Jupyter servers tell their broker about the requests that they forward, for tests."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from jupyter_oidc.web.forwarded import Forwarded


def facts_of(user: str, **changes: Any) -> Forwarded:
    """Return what the server of ``user`` says about a request of its page."""
    said = Forwarded(
        caller_kind="user",
        caller_name=f"user:{user}",
        bears_token=False,
        base_url=f"/user/{user}/",
        protocol="http",
        host="localhost",
        browser="here",
        public_url=None,
        origin=None,
        has_own_host=False,
        under_hub=True,
        server_name="",
        has_logins=True,
        sharing_mode="none",
        xsrf_token="",
        request_id="r1",
    )
    return replace(said, **changes)


FORWARDED = facts_of(
    "ada",
    caller_kind="kernel",
    caller_name="kernel:k1",
    protocol="https",
    host="hub.example.com",
    browser="elsewhere",
    public_url="https://hub.example.com/user/ada/",
    origin="https://hub.example.com",
)
"""What Ada's server at a Hub says about a request of her kernel."""
