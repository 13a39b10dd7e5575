"""Try to reach a token from the side of a user, with real users of this machine: ``python -m tests.wall``, as root.

Each line is one attempt. Exits with 1 if one of them led to a token, or if the search finds none where tokens are.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from tests.support.memory import holders, with_children
from tests.support.notebook import run_cells
from tests.wall.place import ADA, BOB, BROKER, Place

SESSION = "jupyter-oidc/providers/corp/session"
CALL = "import jupyter_oidc as oidc\nprint(oidc.api('orders').get('items/1').status_code)"
KINDS = ("access_token", "refresh_token", "id_token")
REACHES = """
import json, os, sys
from pathlib import Path
told = json.loads(sys.argv[1])
reached = []
for path in told["files"]:
    try:
        Path(path).open("rb").read(1)
    except OSError:
        continue
    reached.append(path)
for pid in told["processes"]:
    for name in ("mem", "environ", "fd"):
        try:
            os.listdir(f"/proc/{pid}/fd") if name == "fd" else open(f"/proc/{pid}/{name}", "rb").read(1)
        except OSError:
            continue
        reached.append(f"/proc/{pid}/{name}")
print(json.dumps(reached))
"""
READS_ALL = """
import json, os, sys
from pathlib import Path
secrets, folder = [one.encode() for one in json.loads(sys.argv[1])], Path(sys.argv[2])
found, seen = [], 0
for path in folder.rglob("*"):
    try:
        text = path.read_bytes() if path.is_file() else b""
    except OSError:
        continue
    seen += 1
    found += [str(path)] if any(secret in text for secret in secrets) else []
for place in Path("/proc").glob("[0-9]*"):
    if place.name == str(os.getpid()):  # it was told what to look for
        continue
    for name in ("environ", "cmdline"):
        try:
            text = (place / name).read_bytes()
        except OSError:
            continue
        seen += 1
        found += [f"{place}/{name}"] if any(secret in text for secret in secrets) else []
print(json.dumps([found, seen]))
"""
ASKS = """
import json, socket, sys
facts, path = json.loads(sys.argv[1]), sys.argv[2]
with socket.socket(socket.AF_UNIX) as plug:
    plug.connect(path)
    head = f"GET /{sys.argv[3]} HTTP/1.1\\r\\nHost: broker\\r\\nConnection: close\\r\\nX-OIDC-Forwarded: {json.dumps(facts)}\\r\\n\\r\\n"
    plug.sendall(head.encode())
    answer = b""
    while piece := plug.recv(65536):
        answer += piece
print(answer.decode())
"""
FACTS = {
    "caller_kind": "user",
    "caller_name": "user:bob",
    "bears_token": False,
    "base_url": "/",
    "protocol": "http",
    "host": "localhost:8888",
    "browser": "here",
    "public_url": None,
    "origin": None,
    "has_own_host": False,
    "under_hub": False,
    "server_name": "",
    "has_logins": True,
    "sharing_mode": "none",
    "xsrf_token": "",
    "request_id": "r1",
}
Attempt = Callable[[Place], str]


def secrets_of(place: Place) -> dict[str, bytes]:
    """Return every token that the provider has issued so far."""
    found = {
        f"{kind} {number}": text.encode() for kind in KINDS for number, text in enumerate(place.provider.issued(kind))
    }
    assert {name.partition(" ")[0] for name in found} == set(KINDS), sorted(found)
    return found


def sign_in_and_call(place: Place) -> str:
    """The journey, so that there is something to find."""
    ada = place.people["ada"]
    page = ada.sign_in()
    assert "You are signed in" in page.text, page.text
    (cell,) = run_cells(ada.process, CALL)
    assert cell.text == "200\n", cell.text
    assert ada.jupyter.post("jupyter-oidc/providers/corp/refresh", json={}).status_code in (200, 503)
    return f"signed in, a cell called, {len(secrets_of(place))} tokens issued"


def finds_them_in_the_broker(place: Place) -> str:
    """The search works: root finds the tokens where they are."""
    found = [name for pid in with_children([place.broker.pid]) for name in holders(pid, secrets_of(place))]
    assert found, "the search finds nothing in the broker"
    return f"root finds {len(found)} in the broker's memory"


def memory_of_the_servers(place: Place) -> str:
    """Root looks into the memory of ada's server and of a kernel that has just called, as an escaped container would."""
    process = place.people["ada"].process
    kernel = threading.Thread(target=run_cells, args=(process, f"{CALL}\nimport time; time.sleep(20)"))
    before, until = len(place.upstream.seen), time.monotonic() + 60
    kernel.start()
    while len(place.upstream.seen) == before and time.monotonic() < until:
        time.sleep(0.1)
    processes = with_children([process.pid])
    commands = [Path(f"/proc/{pid}/cmdline").read_bytes() for pid in processes]
    found = [f"{pid}: {name}" for pid in processes for name in holders(pid, secrets_of(place))]
    kernel.join()
    assert not found, found
    assert any(b"ipykernel" in command for command in commands), commands
    return f"{len(processes)} processes searched"


def core_of_the_server(place: Place) -> str:
    """A core of ada's server, taken by root."""
    pid = max(with_children([place.people["ada"].process.pid]), key=_size)
    prefix = place.folder / "core"
    subprocess.run(["gcore", "-o", str(prefix), str(pid)], capture_output=True, check=True, timeout=120)
    (core,) = place.folder.glob("core.*")
    text = core.read_bytes()
    core.unlink()
    found = [name for name, secret in secrets_of(place).items() if secret in text]
    assert not found, found
    return f"{len(text) // 1_000_000} MB searched"


def what_ada_can_read(place: Place) -> str:
    """Every file of hers, and the environment and command line of every process that she can look into."""
    texts = json.dumps([secret.decode() for secret in secrets_of(place).values()])
    found, seen = json.loads(place.as_user(ADA, READS_ALL, texts, str(place.folder)))
    assert not found, found
    return f"{seen} files and entries of /proc"


def the_brokers_own(place: Place) -> str:
    """The broker's database, settings key and process, as ada."""
    pids = sorted(with_children([place.broker.pid]))
    files = [
        str(path)
        for path in place.broker.folder.iterdir()
        if path.suffix in (".sqlite", ".lock") or "sqlite" in path.name
    ]
    reached = json.loads(place.as_user(ADA, REACHES, json.dumps({"files": files, "processes": pids})))
    assert not reached, reached
    own = json.loads(place.as_user(BROKER, REACHES, json.dumps({"files": files, "processes": []})))
    assert own == files, "the search reaches nothing"
    return f"{len(files)} files and {len(pids)} processes are closed"


def what_is_stored(place: Place) -> str:
    """The database, as a backup of it would be."""
    stored = b"".join(path.read_bytes() for path in place.broker.folder.glob("sessions.sqlite*"))
    assert b"uid:61001" in stored, "the session is not stored there"
    found = [name for name, secret in secrets_of(place).items() if secret in stored]
    assert not found, found
    return f"{len(stored) // 1000} kB searched"


def the_traffic_of_the_server(place: Place) -> str:
    """Everything that ada's server reads and writes, at the socket of the broker and elsewhere, in a call and a refresh."""
    ada, trace = place.people["ada"], place.folder / "trace"
    pid = max(with_children([ada.process.pid]), key=_size)
    options = [
        "-f",
        "-qq",
        "-xx",
        "-s",
        "1000000",
        "-e",
        "trace=read,write,readv,writev,sendto,recvfrom,sendmsg,recvmsg",
    ]
    tracer = subprocess.Popen(["strace", *options, "-o", str(trace), "-p", str(pid)])
    try:
        time.sleep(2)
        assert ada.jupyter.get("jupyter-oidc/api/orders/items/1").status_code == 200
        ada.jupyter.post("jupyter-oidc/providers/corp/refresh", json={})
        ada.sign_in()
        assert ada.jupyter.get(SESSION).json()["state"] == "active"
    finally:
        tracer.terminate()
        tracer.wait(30)
    said = trace.read_text(encoding="ascii", errors="replace").replace("\\x", "")
    assert b"orders".hex() in said, "the trace shows nothing"
    found = [name for name, secret in secrets_of(place).items() if secret.hex() in said]
    assert not found, found
    return f"{len(said) // 2_000} kB searched"


def bob_has_nothing_of_adas(place: Place) -> str:
    """His server, and what he says to the socket himself: names and facts of anyone."""
    assert place.people["bob"].jupyter.get(SESSION).json()["state"] == "signed-out"
    path = str(place.broker.socket)
    answers = {
        name: place.as_user(uid, ASKS, json.dumps(FACTS), path, SESSION) for name, uid in (("ada", ADA), ("bob", BOB))
    }
    assert ('"state": "active"' in answers["ada"], '"state": "signed-out"' in answers["bob"]) == (True, True), answers
    forged = place.as_user(BOB, ASKS, json.dumps({**FACTS, "account": f"uid:{ADA}"}), path, SESSION)
    assert '"state": "signed-out"' in forged, forged
    return "ada is active, bob is signed out, whatever he says"


def an_api_of_her_own(place: Place) -> str:
    """Q8.1: a file of the user's that adds an API at her own listener."""
    ada = place.people["ada"]
    folder = ada.process.folder / "config" / "jupyter_server_config.d"
    folder.mkdir(exist_ok=True)
    own = {
        "corp": {
            "issuer": place.provider.issuer,
            "client_id": "jupyter",
            "apis": {"mine": {"base_url": place.upstream.url}},
        }
    }
    (folder / "zz.json").write_text(json.dumps({"JupyterOIDC": {"providers": own}}), encoding="utf-8")
    time.sleep(5)
    refused = ada.jupyter.get("jupyter-oidc/api/mine/x")
    assert refused.json()["code"] == "unknown_api", refused.text
    return "the file changes nothing"


def everything_ends(place: Place) -> str:
    """A sign-out ends the session for each server of the user."""
    ada = place.people["ada"]
    ada.jupyter.post("jupyter-oidc/providers/corp/sign-out", json={})
    assert ada.jupyter.get("jupyter-oidc/api/orders/items/1").status_code == 401
    return "calls are refused"


ATTEMPTS: dict[str, Attempt] = {
    "a sign-in and a call": sign_in_and_call,
    "the search, where tokens are": finds_them_in_the_broker,
    "the memory of the user's server and kernels": memory_of_the_servers,
    "a core of the user's server": core_of_the_server,
    "all that the user can read": what_ada_can_read,
    "the broker's files and process": the_brokers_own,
    "the database": what_is_stored,
    "the traffic of the user's server": the_traffic_of_the_server,
    "another user, by any name": bob_has_nothing_of_adas,
    "a settings file of the user's": an_api_of_her_own,
    "the end": everything_ends,
}


def _size(pid: int) -> int:
    with suppress(OSError, IndexError, ValueError):
        return int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    return 0


def main() -> int:
    """Make every attempt; return the code to exit with."""
    if not hasattr(os, "geteuid") or os.geteuid():
        print("Processes of several users are needed, so this check needs root (a container will do).")
        return 1
    missing = [tool for tool in ("unshare", "setpriv", "gcore", "strace") if shutil.which(tool) is None]
    if missing:
        print(f"These tools are needed and not here: {', '.join(missing)} (packages util-linux, gdb, strace).")
        return 1
    folder, failed = Path(tempfile.mkdtemp(prefix="wall-")), 0
    try:
        with Place(folder) as place:
            for name, attempt in ATTEMPTS.items():
                try:
                    print(f"  ✓ {name}: {attempt(place)}", flush=True)
                except Exception as error:  # NOTE: the other attempts are made after any error
                    failed += 1
                    print(f"  ✗ {name}: {type(error).__name__}: {str(error)[:600]}", flush=True)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(f"wall-check: {len(ATTEMPTS) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
