"""The text for the person at a terminal follows the strategy that the server's reply names."""

from __future__ import annotations

from typing import Any

import pytest

from jupyter_oidc.cli.running import ServerError
from jupyter_oidc.cli.sign_in import SignInWish, TerminalSignIn

STARTED = {
    "flow": "f" * 22,
    "provider": "corp",
    "start_url": "/jupyter-oidc/start/t",
    "device": None,
    "expires_in": 600,
}
CODE = {"user_code": "ABCD-EFGH", "verification_uri": "https://id.example/device", "verification_uri_complete": None}
COMPLETED = {"state": "completed", "error": None, "expires_in": 0}
WAITING = {"state": "waiting", "error": None, "expires_in": 1}


class Server:
    """Answer as the running server would, and record the requests."""

    def __init__(
        self, url: str = "http://localhost:8888/", progress: dict[str, Any] = COMPLETED, **started: Any
    ) -> None:
        self.url = url
        self.asked: list[tuple[str, str]] = []
        self.bodies: list[Any] = []
        self._progress = progress
        self._started = {**STARTED, **started}

    def call(self, verb: str, path: str, *, wait: float = 0.0, body: Any = None) -> dict[str, Any]:
        del wait
        self.bodies.append(body)
        self.asked.append((verb, path.removeprefix("jupyter-oidc/providers/corp/")))
        if path.endswith("/sign-in"):
            return self._started
        if path.endswith("/session"):
            return {"state": "active"}
        return self._progress


CANCELLED = ("DELETE", f"sign-in/{'f' * 22}")
NO_WISH = SignInWish()


def told(server: Server, wish: SignInWish = NO_WISH) -> str:
    lines: list[str] = []
    TerminalSignIn(server, "corp", lines.append, opens_browser=False, wish=wish).run()  # type: ignore[arg-type]
    return "\n".join(lines)


@pytest.mark.parametrize("strategy", ["server", "loopback"])
def test_a_link_of_our_own_is_shown(strategy: str) -> None:
    """Q7.7: Every client knows every way to sign in."""
    assert told(Server(strategy=strategy)) == (
        "Open this link to sign in:\n\n    http://localhost:8888/jupyter-oidc/start/t\n"
    )


def test_the_address_that_browsers_reach_is_preferred() -> None:
    """Q10.1: Links lead where browsers reach."""
    server = Server(strategy="server", start_address="https://hub.example.com/jupyter-oidc/start/t")
    assert told(server) == "Open this link to sign in:\n\n    https://hub.example.com/jupyter-oidc/start/t\n"


def test_the_link_of_a_server_on_a_unix_socket_is_a_path_and_says_whose() -> None:
    """A browser cannot open a socket, and the address of JupyterLab is known to the person only."""
    assert told(Server("http+unix://%2Frun%2Fjupyter.sock/", strategy="server")) == (
        "Open this link to sign in:\n\n    /jupyter-oidc/start/t\n\n"
        "It is a path of your Jupyter server: put it behind the address of your JupyterLab.\n"
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


def test_a_strategy_that_is_not_known_is_said_and_cancelled() -> None:
    """Q7.7: the server may be newer than this command."""
    server = Server(strategy="by-pigeon")
    with pytest.raises(ServerError, match="in a way that the jupyter_oidc of this environment does not know") as raised:
        told(server)
    assert raised.value.action == "Sign in from JupyterLab, or install the jupyter_oidc of the server here."
    assert server.asked[-1] == CANCELLED


def test_a_code_writes_no_line_of_its_own() -> None:
    """A code is the provider's text: it cannot pose as words of this command."""
    said = told(Server(strategy="device", start_url=None, device={**CODE, "user_code": "AB\n\nNow run: x\x1b[2J"}))
    assert "    AB\ufffd\ufffdNow run: x\ufffd[2J\n" in said


@pytest.mark.parametrize("address", ["javascript:alert(1)", "http://[", "https:///nowhere", "https://a.example/\n", ""])
def test_a_link_that_is_no_web_address_is_not_printed_and_the_sign_in_is_cancelled(address: str) -> None:
    server = Server(strategy="server", start_address=address)
    with pytest.raises(ServerError, match="does not match its contract"):
        told(server)
    assert server.asked[-1] == CANCELLED


@pytest.mark.parametrize(
    ("wish", "body"),
    [
        (SignInWish(), {}),
        (SignInWish(prompt="none"), {"prompt": "none"}),
        (SignInWish(prompt="login"), {"prompt": "login"}),
        (SignInWish(strategy="device"), {"strategy": "device"}),
        (SignInWish(strategy="paste", api="orders"), {"strategy": "paste", "api": "orders"}),
    ],
)
def test_the_wishes_go_to_the_server(wish: SignInWish, body: dict[str, str]) -> None:
    """Q10.3: A page may sign in silently, once."""
    server = Server(strategy="server")
    told(server, wish)
    assert server.bodies[0] == body


def test_a_sign_in_that_nobody_finishes_in_time_is_cancelled() -> None:
    server = Server(strategy="server", progress=WAITING)
    with pytest.raises(ServerError, match=r"Nobody finished the sign-in within 0\.2 seconds"):
        told(server, SignInWish(timeout_seconds=0.2))
    assert server.asked[-1] == CANCELLED


@pytest.mark.parametrize(
    ("progress", "message"),
    [
        ({**COMPLETED, "state": "cancelled"}, "The sign-in was cancelled."),
        ({**COMPLETED, "state": "expired"}, "The sign-in took too long."),
        (
            {**COMPLETED, "state": "failed", "error": {"message": "You declined.", "action": "Sign in again."}},
            "You declined.",
        ),
    ],
)
def test_a_sign_in_that_ended_otherwise_says_how_and_is_not_cancelled(progress: dict[str, Any], message: str) -> None:
    server = Server(strategy="server", progress=progress)
    with pytest.raises(ServerError) as raised:
        told(server)
    assert raised.value.message == message
    assert CANCELLED not in server.asked
