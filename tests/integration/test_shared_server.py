"""A shared server gives no grant to a kernel that a user other than its owner starts or uses (DESIGN-2, 7)."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from jupyter_oidc.server.sharing import Sharing
from tests.support.jupyter_process import JupyterProcess
from tests.support.kernel_proof import GRANT, proof, start_kernel

IDENTITY = '''
from jupyter_server.auth.identity import IdentityProvider, User

class ByHeader(IdentityProvider):
    """Believes in a header, as a Hub's login is believed."""
    def get_user(self, handler):
        return User(username=handler.request.headers.get("X-User", "ada"))
'''


class Asking:
    """Names the user of each request; a test changes the name."""

    def __init__(self) -> None:
        self.name: str | None = None

    def __call__(self) -> str | None:
        return self.name


@pytest.mark.parametrize(
    ("before", "starter", "then", "admitted"),
    [
        pytest.param(None, "ada", None, True, id="the owner's"),
        pytest.param(None, "bob", None, False, id="another's"),
        pytest.param(None, "ada", "bob", False, id="the owner's, used by another"),
        pytest.param(None, None, None, True, id="of nobody known, on a server that nobody else uses"),
        pytest.param("bob", None, None, False, id="of nobody known, on a shared server"),
        pytest.param("bob", "ada", None, True, id="the owner's, on a shared server"),
        pytest.param(None, "bob", "ada", False, id="another's, used by the owner"),
    ],
)
def test_a_kernel_acts_for_the_owner_if_nobody_else_had_a_hand_in_it(
    before: str | None, starter: str | None, then: str | None, admitted: bool
) -> None:
    """Q10.4: A guest's kernel gets no grant."""
    asking = Asking()
    sharing = Sharing("ada", asking)
    for name, kernel in ((before, "k0"), (starter, "k1"), (then, "k1")):
        asking.name = name
        if name is not None:
            sharing.note_use(kernel)
    assert sharing.admits("k1") is admitted


def shared(folder: Path, **extension: Any) -> JupyterProcess:
    """A server of ada's, where others are let in."""
    plugin = folder / "identity"
    plugin.mkdir()
    (plugin / "by_header.py").write_text(IDENTITY, encoding="utf-8")
    return JupyterProcess(
        folder / "jupyter",
        {"corp": {"issuer": "https://id.example.com", "client_id": "jupyter"}},
        server={"identity_provider_class": "by_header.ByHeader", "disable_check_xsrf": True},
        environment={"JUPYTERHUB_USER": "ada", "PYTHONPATH": str(plugin)},
        extension=extension,
    )


@pytest.mark.parametrize(
    ("user", "extension", "status"),
    [("ada", {}, 200), ("bob", {}, 401), ("bob", {"grant_kernels_of_others": True}, 200)],
)
def test_the_kernel_that_bob_starts_on_ada_s_server_gets_no_grant(
    tmp_path: Path, user: str, extension: dict[str, Any], status: int
) -> None:
    """Q10.4: unless the owner has switched it on."""
    with shared(tmp_path, **extension) as process, closing(process.client(headers={"X-User": user})) as jupyter:
        kernel_id, key = start_kernel(process, jupyter)
        reply = jupyter.post(GRANT, json=proof(kernel_id, key))
        assert reply.status_code == status, reply.text
        assert ("This server is shared" in reply.text) is (status == 401)


@pytest.mark.parametrize(
    ("extension", "word"), [({}, "own-kernels"), ({"grant_kernels_of_others": True}, "all-kernels")]
)
def test_the_owner_is_told_when_another_has_been_there(tmp_path: Path, extension: dict[str, Any], word: str) -> None:
    """Q10.4: panel, cell and terminal say it from then on, and a page that follows the session hears of it."""
    path = "jupyter-oidc/providers/corp/session"
    with shared(tmp_path, **extension) as process, closing(process.client()) as jupyter:
        ada, bob = {"X-User": "ada"}, {"X-User": "bob"}
        before = jupyter.get(path, headers=ada)
        assert before.json()["sharing"] == "none"
        assert jupyter.get(path, headers=bob).status_code == 403
        after = jupyter.get(path, headers={**ada, "If-None-Match": before.headers["ETag"]})
        assert (after.status_code, after.json()["sharing"]) == (200, word)


def test_the_first_of_the_others_is_told_of_once() -> None:
    """Q10.4: A guest's kernel gets no grant."""
    asking, told = Asking(), []
    sharing = Sharing("ada", asking, changed=lambda: told.append("shared"))
    for name in ("ada", "bob", "eve", "ada"):
        asking.name = name
        sharing.notice_current_user()
    assert (told, sharing.mode) == (["shared"], "own-kernels")
