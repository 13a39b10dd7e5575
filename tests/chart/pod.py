"""Runs what the chart makes as a pod would, without Kubernetes: the Job, then the Deployment (Linux, as root).

Volumes have the owners and modes that kubelet gives them: a folder that everybody may write to by its mode (1777), a
link ``..data`` to a folder of the time, files of root's, and the group of ``fsGroup``. All other files are read-only.
"""

from __future__ import annotations

import os
import re
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from jupyter_oidc.secret_access import reveal
from tests.chart.rendered import EXAMPLE, Rendered, rendered, text_of
from tests.chart.tools import ROOT
from tests.support.postgres import Postgres

CONTAINERFILE = ROOT / "config" / "container" / "Containerfile"
BROKER = ("-m", "jupyter_oidc.cli", "broker")
PATIENCE = 60.0
_OF_ETC = (
    "passwd group hosts nsswitch.conf resolv.conf ssl ca-certificates ld.so.cache ld.so.conf alternatives localtime"
)

_WRITES = """
import tempfile
from pathlib import Path
import jupyter_oidc
written = []
for folder in ("/", "/etc/jupyter-oidc", "/run/jupyter-oidc", "/var/tmp", Path(jupyter_oidc.__file__).parent, "/tmp"):
    try:
        tempfile.TemporaryFile(dir=folder).close()
    except OSError:
        continue
    written.append(str(folder))
print("written:", *written)
"""

_VIEW = r"""
set -e
hold=$1; shift
mkdir "$hold/etc"
for name in $OF_ETC; do [ ! -e "/etc/$name" ] || cp -a "/etc/$name" "$hold/etc/"; done
number=0
while [ "$1" != -- ]; do  # what the interpreter and the package need
  number=$((number + 1))
  mkdir "$hold/needed-$number"
  mount --bind "$1" "$hold/needed-$number"
  shift
done
shift
mount --bind "$hold/etc" /etc
mount -t tmpfs -o mode=755 tmpfs /run
while [ "$1" != -- ]; do  # the volumes
  if [ -d "$1" ]; then mkdir -p "$2"; else mkdir -p "${2%/*}"; touch "$2"; fi
  mount --bind "$1" "$2"
  mount -o "remount,bind,ro" "$2"
  shift 2
done
shift
mount --rbind "$hold" /mnt
while [ "$1" != -- ]; do  # folders that hide what is needed, or other people's files
  mount -t tmpfs -o mode=755 tmpfs "$1"
  shift
done
shift
mount -t tmpfs -o mode=1777,size=16m tmpfs /tmp
number=0
while [ "$1" != -- ]; do
  number=$((number + 1))
  mkdir -p "$1"
  mount --bind "/mnt/needed-$number" "$1"
  mount -o "remount,bind,ro" "$1"
  shift
done
shift
umount --lazy /mnt
mount -o "remount,bind,ro" /etc
mount -o "remount,bind,ro" /run
mount -o "remount,bind,ro" /
exec "$@"
"""


def image_environment() -> dict[str, str]:
    """Return the variables of the image."""
    (lines,) = re.findall(r"^ENV (PATH=(?:.*\\\n)*.*)$", CONTAINERFILE.read_text(encoding="utf-8"), re.MULTILINE)
    return dict(part.split("=", 1) for part in lines.replace("\\\n", " ").split())


def _needed() -> list[Path]:
    """Return the folders of the interpreter and the package, none of them below another one."""
    paths = sorted({Path(one).resolve() for one in (sys.base_prefix, sys.prefix, ROOT)})
    return [one for one in paths if not any(other in one.parents for other in paths)]


def _closed(needed: Sequence[Path]) -> list[Path]:
    """Return the folders above the needed ones that the broker's user may not enter."""
    above = [folder for one in needed for folder in one.parents]
    return sorted({folder for folder in above if not folder.stat().st_mode & 0o001 and folder != Path("/tmp")})


@dataclass
class Node:
    """Makes volumes in ``folder``, from ConfigMaps of ``made`` and from ``secrets``, and runs pods with them."""

    folder: Path
    made: Rendered
    secrets: Mapping[str, Mapping[str, str]]

    def start(self, pod: Mapping[str, Any], *instead: str, as_folder: bool = False) -> subprocess.Popen[str]:
        """Start the only container of ``pod``, with the arguments ``instead`` of Python where there are some.

        ``as_folder`` mounts the settings without a subPath.
        """
        spec = pod["spec"]
        (container,) = spec["containers"]
        hold = self.folder / secrets.token_hex(4)
        hold.mkdir()
        volumes = {one["name"]: self._volume(hold, one, spec["securityContext"]["fsGroup"]) for one in spec["volumes"]}
        mounts: list[str] = []
        for mount in container["volumeMounts"]:
            source, target = volumes[mount["name"]], mount["mountPath"]
            if source is None:
                assert target == "/tmp", "only /tmp is writable"
            elif "subPath" in mount and not as_folder:
                mounts += [str((source / mount["subPath"]).resolve()), target]
            else:
                mounts += [str(source), str(Path(target).parent) if "subPath" in mount else target]
        needed = _needed()
        user = spec["securityContext"]
        run = [
            *("setpriv", f"--reuid={user['runAsUser']}", f"--regid={user['runAsGroup']}"),
            *(f"--groups={user['fsGroup']}", "--no-new-privs", "--bounding-set=-all", "--inh-caps=-all", "--"),
            *(sys.executable, *(instead or (*BROKER, *container["args"]))),
        ]
        view = ["sh", "-c", _VIEW, "view", str(hold), *map(str, needed), "--", *mounts, "--"]
        view += [*map(str, _closed(needed)), "--", *map(str, needed), "--", *run]
        return subprocess.Popen(
            ["unshare", "--mount", "--propagation=private", *view],
            env={**image_environment(), **self._environment(container), "OF_ETC": _OF_ETC},
            cwd="/",
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def _environment(self, container: Mapping[str, Any]) -> dict[str, str]:
        found = {}
        for one in container.get("env", []):
            reference = one.get("valueFrom", {}).get("secretKeyRef")
            found[one["name"]] = self.secrets[reference["name"]][reference["key"]] if reference else one["value"]
        # NOTE: the folder in which ``mount`` and ``setpriv`` are.
        return {**found, "PATH": f"{image_environment()['PATH']}:/usr/sbin:/sbin"}

    def _volume(self, hold: Path, volume: Mapping[str, Any], group: int) -> Path | None:
        """Make the folder of ``volume`` as kubelet does; ``None`` for an empty one."""
        if "emptyDir" in volume:
            return None
        if "configMap" in volume:
            said = volume["configMap"]
            content: Mapping[str, str] = self.made.named("ConfigMap", said["name"])["data"]
        else:
            said = volume["secret"]
            content = self.secrets[said["secretName"]]
        named = [(one["key"], one["path"]) for one in said.get("items", [])] or [(key, key) for key in content]
        folder = hold / str(volume["name"])
        inner = folder / "..2026_01_01_00_00_00.1"
        inner.mkdir(parents=True)
        for key, path in named:
            file = inner / path
            file.write_text(content[key], encoding="utf-8")
            os.chown(file, 0, group)
            file.chmod(said["defaultMode"] | 0o440)  # what fsGroup adds to files of a read-only volume
            (folder / path).symlink_to(f"..data/{path}")
        (folder / "..data").symlink_to(inner.name)
        for one in (inner, folder):
            os.chown(one, 0, group)
        inner.chmod(0o2755)
        folder.chmod(0o3777)
        return folder


def tried(folder: Path, port: int) -> list[tuple[str, str]]:
    """Run the pods of the example; return each step, and what went wrong in it."""
    with Postgres() as postgres:
        address = reveal(postgres.address())
        listen = f"settings.JupyterOIDCBroker.listen=http://127.0.0.1:{port}"
        hub = "hub.apiUrl=http://127.0.0.1:9/hub/api"
        made = rendered(text_of(EXAMPLE, "--set", listen, "--set", hub))
        node = Node(
            folder,
            made,
            {
                "jupyter-oidc-broker": {"storage-key": secrets.token_urlsafe(32), "database": f"{address}\n"},
                "jupyter-oidc-clients": {"corp": "secret of the client"},
                "hub": {"hub.services.oidc.apiToken": secrets.token_hex(32)},
            },
        )
        broker, migration = made.pods
        return [
            ("the Job migrates the tables", _ends(node.start(migration), 0, "now")),
            ("the Job finds them migrated the next time", _ends(node.start(migration), 0, "already")),
            ("the broker is live and ready, and stops when it is asked", _serves(node.start(broker), port)),
            (
                "its doctor reads key and database",
                _ends(node.start(broker, *BROKER, "doctor"), 1, "The database of the"),
            ),
            ("only /tmp can be written", _ends(node.start(broker, "-c", _WRITES), 0, "written: /tmp\n")),
            (
                "settings in a mounted folder are refused",
                _ends(node.start(broker, as_folder=True), 1, "can be changed"),
            ),
        ]


def _ends(process: subprocess.Popen[str], code: int, word: str) -> str:
    try:
        said, _ = process.communicate(timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        return "it did not end"
    return "" if process.returncode == code and word in said else f"exit code {process.returncode}: {said.strip()}"


def _serves(process: subprocess.Popen[str], port: int) -> str:
    until, found = time.monotonic() + PATIENCE, 0
    while time.monotonic() < until and process.poll() is None and found != 200:
        time.sleep(0.1)
        with suppress(httpx.TransportError):
            found = httpx.get(f"http://127.0.0.1:{port}/health/ready", trust_env=False).status_code
    paths = ("health/live", "metrics")
    with suppress(httpx.TransportError):
        found = max(httpx.get(f"http://127.0.0.1:{port}/{path}", trust_env=False).status_code for path in paths)
    process.send_signal(signal.SIGTERM)
    end = _ends(process, 0, "listens")
    return end or ("" if found == 200 else f"it answered {found}")
