"""A process looks for modules in trusted folders only; each test runs a process of its own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

CHILD = """
import json, os, sys
from jupyter_oidc.adapters.system.module_folders import remove_from_sys_path, remove_user_writable_folders
before = list(sys.path)
{script}
print(json.dumps({{"left": list(left), "path": [entry for entry in sys.path if entry not in before or entry in mine]}}))
"""


def tried(folder: Path, script: str) -> dict[str, list[str]]:
    """Run ``script``; return its list ``left``, and the new entries and those of ``mine`` that stay on the path."""
    done = subprocess.run(
        [sys.executable, "-P" if sys.version_info >= (3, 11) else "-I", "-c", CHILD.format(script=script)],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    told: dict[str, list[str]] = json.loads(done.stdout)
    return told


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "place").mkdir()
    return tmp_path / "place"


@pytest.mark.parametrize("entry", ["", ".", "{place}"])
def test_the_working_folder_is_left_however_it_is_written(place: Path, entry: str) -> None:
    """Q8.3: an empty entry in PYTHONPATH means the folder in which the server was started."""
    entry = entry.format(place=place)
    told = tried(place, f"mine = [{entry!r}]; sys.path[:0] = mine; left = remove_from_sys_path([])")
    assert told == {"left": [entry], "path": []}


def test_a_served_folder_is_left(tmp_path: Path, place: Path) -> None:
    """Q8.3: Imports are done before any kernel starts."""
    told = tried(
        tmp_path, f"mine = [{str(place)!r}]; sys.path[:0] = mine; left = remove_from_sys_path([{str(place)!r}])"
    )
    assert told == {"left": [str(place)], "path": []}


def test_a_link_to_the_served_folder_is_left_too(tmp_path: Path, place: Path) -> None:
    """Q8.3, a sibling: Imports are done before any kernel starts."""
    link = tmp_path / "link"
    link.symlink_to(place)
    told = tried(
        tmp_path, f"mine = [{str(link)!r}]; sys.path[:0] = mine; left = remove_from_sys_path([{str(place)!r}])"
    )
    assert told == {"left": [str(link)], "path": []}


@pytest.mark.parametrize("file", ["needed.py", "needed/__init__.py", "needed/inner/__init__.py"])
def test_a_place_from_which_something_was_loaded_stays(place: Path, file: str) -> None:
    """The installation keeps working; a server extension may be developed in the working folder."""
    (place / file).parent.mkdir(parents=True, exist_ok=True)
    (place / file).touch()
    name = file.replace("/__init__.py", "").replace(".py", "").replace("/", ".")
    script = f"mine = [{str(place)!r}]; sys.path[:0] = mine; import {name}; left = remove_from_sys_path([])"
    assert tried(place, script) == {"left": [], "path": [str(place)]}


def test_a_relative_place_that_is_needed_is_what_it_means_now(place: Path) -> None:
    """Q8.3: sibling: the process may change its working folder later."""
    (place / "needed.py").touch()
    told = tried(place, "mine = [os.getcwd()]; sys.path.insert(0, ''); import needed; left = remove_from_sys_path([])")
    assert told == {"left": [], "path": [str(place)]}


def test_a_place_above_the_one_from_which_something_was_loaded_is_not_needed(place: Path) -> None:
    """Q8.3: a home that contains the installation is no part of it."""
    (place / "lib").mkdir()
    (place / "lib" / "needed.py").touch()
    lib = str(place / "lib")
    script = (
        f"mine = [{str(place)!r}, {lib!r}]; sys.path[:0] = mine; import needed; left = remove_user_writable_folders()"
    )
    assert tried(place, script)["path"] == [lib]


def test_a_folder_that_only_adds_to_a_package_without_init_is_not_needed(place: Path) -> None:
    """Q8.3: sibling: any folder with the name of such a package would count as a part of it."""
    for part in ("one", "two"):
        (place / part / "shared").mkdir(parents=True)
    (place / "two" / "shared" / "needed.py").touch()
    one, two = str(place / "one"), str(place / "two")
    script = (
        f"mine = [{one!r}, {two!r}]; sys.path[:0] = mine; import shared.needed; left = remove_user_writable_folders()"
    )
    assert tried(place, script)["path"] == [two]


def test_a_place_that_this_user_could_make_is_left(place: Path) -> None:
    """Q8.3: sibling: a Python in a home has the standard library's archive on its path, which does not exist."""
    entry = str(place / "python.zip")
    script = f"mine = [{entry!r}]; sys.path[:0] = mine; left = remove_user_writable_folders()"
    assert tried(place, script)["path"] == []


AS_NOBODY = (
    "import sysconfig; sysconfig.get_paths(); os.setuid(65534)"
    if hasattr(os, "getuid") and os.getuid() == 0
    else "pass"
)
"""Statement that gives up the rights of root, who may write everywhere."""


def test_a_place_that_this_user_cannot_write_to_stays(place: Path) -> None:
    """A folder of plug-ins that belongs to the administrator is trusted."""
    script = f"mine = ['/usr/share']; sys.path[:0] = mine\n{AS_NOBODY}\nleft = remove_user_writable_folders()"
    assert tried(place, script)["path"] == ["/usr/share"]


@pytest.fixture
def own() -> Iterator[Path]:
    """Make a folder that belongs to the user of these processes."""
    folder = Path(tempfile.mkdtemp(dir="/tmp"))
    if AS_NOBODY != "pass":
        os.chown(folder, 65534, -1)
    yield folder
    folder.chmod(0o755)
    shutil.rmtree(folder)


@pytest.mark.parametrize(
    "make",
    [
        lambda own: (own / "link").symlink_to("/usr/share"),
        lambda own: ((own / "second").symlink_to("/usr/share"), (own / "link").symlink_to("second")),
        lambda own: (own / "link").mkdir(mode=0o555),
    ],
)
def test_a_place_in_a_folder_of_this_user_is_left_wherever_it_leads(place: Path, own: Path, make: Any) -> None:
    """Q8.3: a user who may write to a folder may replace any entry in it, link or not."""
    make(own)
    entry = str(own / "link")
    script = (
        f"mine = [{entry!r}, '/usr/share']; sys.path[:0] = mine\n{AS_NOBODY}\nleft = remove_user_writable_folders()"
    )
    told = tried(place, script)
    assert (entry in told["left"], told["path"]) == (True, ["/usr/share"])


def test_a_folder_that_its_owner_may_open_again_is_left(place: Path, own: Path) -> None:
    """Q8.3: sibling: a mode is no protection against the owner."""
    own.chmod(0o555)
    script = f"mine = [{str(own)!r}]; sys.path[:0] = mine\n{AS_NOBODY}\nleft = remove_user_writable_folders()"
    assert str(own) in tried(place, script)["left"]


@pytest.mark.skipif(AS_NOBODY == "pass", reason="only root can make what is root's")
def test_a_folder_of_root_in_one_with_the_sticky_bit_stays(place: Path) -> None:
    """Q8.3: sibling: in /tmp, other users cannot replace an entry of root's."""
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        Path(folder).chmod(0o755)
        script = f"mine = [{folder!r}]; sys.path[:0] = mine\n{AS_NOBODY}\nleft = remove_user_writable_folders()"
        assert tried(place, script)["path"] == [folder]


def test_of_a_link_that_stays_the_real_path_is_kept(tmp_path: Path, place: Path) -> None:
    """Q8.3: sibling: the link may lead elsewhere a moment later."""
    (place / "needed.py").touch()
    link = tmp_path / "link"
    link.symlink_to(place)
    script = f"mine = [{str(link)!r}, {str(place)!r}]; sys.path.insert(0, mine[0]); import needed; left = remove_from_sys_path([])"
    assert tried(tmp_path, script) == {"left": [], "path": [str(place)]}


def test_the_folder_of_installed_packages_stays_though_nothing_was_loaded_from_it(place: Path) -> None:
    script = "import site; mine = site.getsitepackages()[:1]; left = remove_user_writable_folders()"
    assert len(tried(place, script)["path"]) == 1
