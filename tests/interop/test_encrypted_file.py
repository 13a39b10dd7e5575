"""A session in an encrypted file: a real server that is restarted, and a kernel that looks for the key."""

from __future__ import annotations

import os
import secrets
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.interop.person import at_work
from tests.support.canary import CANARY
from tests.support.certified_provider import CertifiedProvider
from tests.support.jupyter_process import JupyterProcess
from tests.support.upstream import Upstream

VARIABLE = "JUPYTER_OIDC_STORAGE_KEY"
LOOK = """
import os, subprocess
print("JUPYTER_OIDC_STORAGE_KEY" in os.environ)
print("JUPYTER_OIDC_STORAGE_KEY" in subprocess.run(["env"], capture_output=True, text=True).stdout)
"""


@pytest.fixture
def key() -> str:
    """A new key, which the canary looks for in every output."""
    made = secrets.token_urlsafe(32)
    CANARY.hold(made)
    return made


def test_a_session_survives_a_restart_and_a_change_of_the_key(
    tmp_path: Path, provider: CertifiedProvider, upstream: Upstream, key: str
) -> None:
    data = tmp_path / "data"
    place: dict[str, Any] = {"storage": "encrypted-file", "environment": {"JUPYTER_DATA_DIR": str(data), VARIABLE: key}}
    with at_work(tmp_path / "first", provider, upstream, **place) as person:
        person.sign_in()
        assert (person.summary()["state"], person.summary()["storage"]) == ("active", "encrypted-file")
    (file,) = (data / "jupyter_oidc").glob("*.jwe")
    before = file.read_bytes()

    newer = secrets.token_urlsafe(32)
    place["environment"] = {"JUPYTER_DATA_DIR": str(data), VARIABLE: f"{newer} {key}"}
    with at_work(tmp_path / "second", provider, upstream, **place) as person:
        assert person.summary()["state"] == "active"
        assert person.post("refresh").json()["state"] == "active"
        assert file.read_bytes().split(b".")[0] != before.split(b".")[0]

    place["environment"] = {"JUPYTER_DATA_DIR": str(data), VARIABLE: newer}
    with at_work(tmp_path / "third", provider, upstream, **place) as person:
        assert person.summary()["state"] == "active"
        assert person.post("sign-out").json()["revoked"] == "done"
        assert list((data / "jupyter_oidc").glob("*.jwe*")) == []


def test_a_server_with_another_key_says_so_and_a_new_sign_in_is_kept(
    tmp_path: Path, provider: CertifiedProvider, upstream: Upstream, key: str
) -> None:
    """B20: A damaged entry is never used in part."""
    data = tmp_path / "data"
    place: dict[str, Any] = {"storage": "encrypted-file", "environment": {"JUPYTER_DATA_DIR": str(data), VARIABLE: key}}
    with at_work(tmp_path / "first", provider, upstream, **place) as person:
        person.sign_in()
    place["environment"] = {"JUPYTER_DATA_DIR": str(data), VARIABLE: secrets.token_urlsafe(32)}
    with at_work(tmp_path / "second", provider, upstream, **place) as person:
        assert (person.summary()["state"], person.summary()["reason"]) == ("signed-out", "storage_key")
        person.sign_in()
        assert (person.summary()["state"], person.summary()["storage"]) == ("active", "encrypted-file")


def test_without_a_key_the_server_says_how_to_make_one_and_the_session_is_kept_in_memory(
    tmp_path: Path, provider: CertifiedProvider, upstream: Upstream
) -> None:
    with at_work(tmp_path, provider, upstream, storage="encrypted-file") as person:
        assert "JUPYTER_OIDC_STORAGE_KEY is not set. Make a key with: python -c" in person.process.log
        person.sign_in()
        assert (person.summary()["state"], person.summary()["storage"]) == ("active", "unsaved")


@pytest.mark.parametrize("storage", ["encrypted-file", "auto", "memory"])
def test_a_kernel_and_its_children_do_not_inherit_the_key(
    tmp_path: Path, provider: CertifiedProvider, upstream: Upstream, key: str, storage: str
) -> None:
    """D11: with every storage, and though the extension is unused before the kernel starts."""
    with at_work(tmp_path, provider, upstream, storage=storage, environment={VARIABLE: key}) as person:
        (look,) = person.run(LOOK)
        assert look.text.split() == ["False", "False"]
        assert key not in person.process.log


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="other systems do not show that memory")
def test_the_key_is_gone_from_what_the_system_shows_of_the_server(
    tmp_path: Path, provider: CertifiedProvider, upstream: Upstream, key: str
) -> None:
    """Q8.5: also where the process is not closed to others of the same user."""
    place: dict[str, Any] = {"extension": {"close_process": False}, "environment": {VARIABLE: key}, "as_program": True}
    with at_work(tmp_path, provider, upstream, **place) as person:
        environ = Path(f"/proc/{person.process.pid}/environ").read_bytes()
    assert (key.encode() in environ, b"JUPYTER_CONFIG_DIR" in environ) == (False, True)


OPEN = """
import os
def target(number):
    try:
        return os.readlink(f"/proc/self/fd/{number}")
    except OSError:
        return ""
print(any("the-key" in target(number) for number in range(64)), "JUPYTER_OIDC_STORAGE_KEY_FD" in os.environ)
"""


def test_a_server_takes_its_key_from_a_descriptor_that_no_kernel_has(
    tmp_path: Path, provider: CertifiedProvider, upstream: Upstream, key: str
) -> None:
    """Q8.5: the file may belong to root, which has opened it for the server."""
    file = tmp_path / "the-key"
    file.write_text(key, encoding="ascii")
    descriptor = os.open(file, os.O_RDONLY)
    file.unlink()
    place: dict[str, Any] = {
        "storage": "encrypted-file",
        "environment": {"JUPYTER_OIDC_STORAGE_KEY_FD": str(descriptor)},
        "descriptors": (descriptor,),
    }
    with at_work(tmp_path, provider, upstream, **place) as person:
        os.close(descriptor)
        person.sign_in()
        (cell,) = person.run(OPEN)
        assert (person.summary()["storage"], cell.text) == ("encrypted-file", "False False\n")
        if sys.platform.startswith("linux"):
            links = [str(link.readlink()) for link in Path(f"/proc/{person.process.pid}/fd").iterdir() if link.exists()]
            assert [link for link in links if "the-key" in link] == []


def test_a_server_takes_its_key_from_a_credential_file(
    tmp_path: Path, provider: CertifiedProvider, upstream: Upstream, key: str
) -> None:
    """Q8.5: as systemd hands it out."""
    credentials = tmp_path / "credentials"
    credentials.mkdir()
    (credentials / "jupyter_oidc_storage_key").write_text(key, encoding="ascii")
    place: dict[str, Any] = {"storage": "encrypted-file", "environment": {"CREDENTIALS_DIRECTORY": str(credentials)}}
    with at_work(tmp_path, provider, upstream, **place) as person:
        (credentials / "jupyter_oidc_storage_key").unlink()
        person.sign_in()
        assert person.summary()["storage"] == "encrypted-file"


def test_without_the_extension_a_kernel_would_inherit_it(tmp_path: Path, key: str) -> None:
    """That the test above can fail."""
    import asyncio
    from contextlib import closing

    # NOTE: at DEBUG, an older jupyter_server logs the environment of each kernel, and does not take out the key.
    process = JupyterProcess(tmp_path / "jupyter", {}, enabled=False, environment={VARIABLE: key}, log_level="INFO")
    with process, closing(process.client()) as client:

        async def look() -> str:
            door = process.rest(client)
            async with door.client:
                kernel = await door.kernel("notebook.ipynb")
                try:
                    return (await kernel.run(LOOK)).text
                finally:
                    await kernel.aclose()

        assert asyncio.run(look()).split() == ["True", "True"]
