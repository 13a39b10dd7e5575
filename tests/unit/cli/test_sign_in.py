"""The text for the person at a terminal follows the strategy that the server's reply names."""

from __future__ import annotations

from typing import Any, get_args

import pytest

from jupyter_oidc import contract
from jupyter_oidc.cli.running import ServerError
from jupyter_oidc.cli.sign_in import TerminalSignIn, strategy_in
from jupyter_oidc.contract.strategy import Strategy

STARTED = {
    "flow": "f" * 22,
    "provider": "corp",
    "start_url": "/jupyter-oidc/start/t",
    "device": None,
    "expires_in": 600,
}
CODE = {"user_code": "ABCD-EFGH", "verification_uri": "https://id.example/device", "verification_uri_complete": None}


class Server:
    """Answer as the running server would, and record the requests."""

    url = "http://localhost:8888/"

    def __init__(self, **started: Any) -> None:
        self.asked: list[tuple[str, str]] = []
        self.bodies: list[Any] = []
        self._started = {**STARTED, **started}

    def call(self, verb: str, path: str, *, wait: float = 0.0, body: Any = None) -> dict[str, Any]:
        del wait
        self.bodies.append(body)
        self.asked.append((verb, path.removeprefix("jupyter-oidc/providers/corp/")))
        if path.endswith("/sign-in"):
            return self._started
        if path.endswith("/session"):
            return {"state": "active"}
        return {"state": "completed", "error": None, "expires_in": 0}


def told(server: Server) -> str:
    lines: list[str] = []
    TerminalSignIn(server, "corp", lines.append, opens_browser=False).run()  # type: ignore[arg-type]
    return "\n".join(lines)


@pytest.mark.parametrize("strategy", ["server", "loopback"])
def test_a_link_of_our_own_is_shown(strategy: str) -> None:
    """Q7.7: Every client knows every way to sign in."""
    assert told(Server(strategy=strategy)) == (
        "Open this link to sign in:\n\n    http://localhost:8888/jupyter-oidc/start/t\n"
    )


def test_a_code_is_shown_with_the_link_to_the_provider() -> None:
    """Q7.7: the command once showed no code and waited for ten minutes."""
    assert told(Server(strategy="device", start_url=None, device=CODE)) == (
        "Open this link on any machine to sign in:\n\n    https://id.example/device\n\n"
        "Then enter this code there:\n\n    ABCD-EFGH\n\nDo not enter a code that somebody else has sent you.\n"
    )


def test_a_link_that_holds_the_code_is_preferred() -> None:
    """Q7.7: Every client knows every way to sign in."""
    whole = {**CODE, "verification_uri_complete": "https://id.example/device?user_code=ABCD-EFGH"}
    said = told(Server(strategy="device", start_url=None, device=whole))
    assert "https://id.example/device?user_code=ABCD-EFGH" in said
    assert "Then check that the page shows this code:" in said


def test_every_strategy_of_the_contract_is_known() -> None:
    """Q7.7: the type check proves the table complete, and this test proves the type complete."""
    listed = contract.schema("sign-in.reply")["properties"]["strategy"]["enum"]
    assert sorted(listed) == sorted(get_args(Strategy))
    assert [strategy_in({"strategy": one}) for one in listed] == listed


def test_a_strategy_that_is_not_known_is_said_and_cancelled() -> None:
    """Q7.7: the server may be newer than this command."""
    server = Server(strategy="by-pigeon")
    with pytest.raises(ServerError, match="in a way that this command does not know"):
        told(server)
    assert server.asked[-1] == ("DELETE", f"sign-in/{'f' * 22}")


@pytest.mark.parametrize(("prompt", "body"), [("", None), ("none", {"prompt": "none"}), ("login", {"prompt": "login"})])
def test_a_prompt_goes_to_the_server(prompt: str, body: dict[str, str] | None) -> None:
    """Q10.3: A page may sign in silently, once."""
    server = Server(strategy="server")
    TerminalSignIn(server, "corp", print, opens_browser=False, prompt=prompt).run()  # type: ignore[arg-type]
    assert server.bodies[0] == body
