"""Owners and modes decide who could change a file; the tests pass them as values, or read them from real files."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from jupyter_oidc.adapters.system.ownership import Owners, PathEntry, is_protected, is_system_file, path_entries

ADA = Owners(uid=1000, trusted=frozenset({0, 900}))
"""User id of a person; root and the owner of the installation are trusted."""

FOLDER, FILE, LINK = stat.S_IFDIR | 0o755, stat.S_IFREG | 0o644, stat.S_IFLNK | 0o755
ROOT = PathEntry(0, FOLDER)


@pytest.mark.parametrize(
    "entries",
    [
        (ROOT, ROOT, PathEntry(0, FILE)),
        (ROOT, PathEntry(900, FOLDER), PathEntry(900, FILE)),
        (PathEntry(0, stat.S_IFDIR | stat.S_ISVTX | 0o777), ROOT, PathEntry(0, FILE)),
        (ROOT, PathEntry(0, LINK), ROOT, PathEntry(0, FILE)),
    ],
    ids=["root's", "the installation's", "below a folder for all with the sticky bit", "through root's link"],
)
def test_a_file_of_trusted_owners_is_out_of_reach(entries: tuple[PathEntry, ...]) -> None:
    """Q8.1, Q10.6: such files count under ``settings_sources: "system"``."""
    assert is_protected(entries, ADA)


@pytest.mark.parametrize(
    "entries",
    [
        (ROOT, ROOT, PathEntry(1000, FILE)),
        (ROOT, PathEntry(1000, FOLDER), PathEntry(0, FILE)),
        (ROOT, ROOT, PathEntry(0, stat.S_IFREG | 0o664)),
        (ROOT, ROOT, PathEntry(0, stat.S_IFREG | 0o646)),
        (ROOT, PathEntry(0, stat.S_IFDIR | 0o775), PathEntry(0, FILE)),
        (ROOT, PathEntry(0, stat.S_IFDIR | stat.S_ISVTX | 0o777), PathEntry(0, FILE)),
        (ROOT, PathEntry(1000, LINK), ROOT, PathEntry(0, FILE)),
        (PathEntry(0, stat.S_IFDIR | stat.S_ISVTX | 0o777), PathEntry(0, LINK), ROOT, PathEntry(0, FILE)),
        (ROOT, PathEntry(555, FOLDER), PathEntry(0, FILE)),
        (),
    ],
    ids=[
        *("the user's", "in the user's folder", "for a group", "for all", "in a folder for a group"),
        *(
            "in a folder for all",
            "through the user's link",
            "a link in a folder for all",
            "a stranger's folder",
            "none",
        ),
    ],
)
def test_a_file_that_somebody_else_could_change_or_replace_is_not(entries: tuple[PathEntry, ...]) -> None:
    """Q8.1: Wider settings wait for the next sign-in.

    Q10.6: Users cannot replace the administrator's provider.
    """
    assert not is_protected(entries, ADA)


MOUNTED, DATA = stat.S_IFDIR | stat.S_ISVTX | stat.S_ISGID | 0o777, stat.S_IFDIR | stat.S_ISGID | 0o755


def test_settings_that_kubernetes_mounts_as_one_file_are_out_of_reach_and_a_mounted_folder_is_not() -> None:
    """kubelet lets everybody write to the folder of a ConfigMap by its mode; a subPath mounts the file alone."""
    broker, link, file = Owners(65532, frozenset({0, 65532})), PathEntry(0, LINK), PathEntry(0, stat.S_IFREG | 0o444)
    folder = (ROOT, ROOT, PathEntry(0, MOUNTED), link, link, PathEntry(0, DATA), file)
    assert (is_protected(folder, broker), is_protected((ROOT, ROOT, ROOT, file), broker)) == (False, True)


def test_the_way_leads_through_every_link(tmp_path: Path) -> None:
    """Q8.1: a user who may replace a link on the way chooses the file."""
    for name in ("a", "b", "c"):
        (tmp_path / name).mkdir(mode=0o755)
    (tmp_path / "c" / "file").write_text("{}", encoding="utf-8")
    (tmp_path / "b" / "there").symlink_to("../c/file")
    (tmp_path / "a" / "first").symlink_to(tmp_path / "b" / "there")
    (tmp_path / "b").chmod(0o777)
    mine = Owners(uid=1, trusted=frozenset({0, os.getuid()}))
    direct, through = tmp_path / "c" / "file", tmp_path / "a" / "first"
    assert (is_system_file(str(direct), mine), is_system_file(str(through), mine)) == (True, False)


def test_a_file_that_cannot_be_looked_at_is_nobodys(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")
    mine = Owners(uid=1, trusted=frozenset({0, os.getuid()}))
    assert not is_system_file(str(tmp_path / "loop"), mine)
    assert not is_system_file(str(tmp_path / "nothing"), mine)


def test_without_user_numbers_nothing_is_a_system_file(tmp_path: Path) -> None:
    """On Windows every user has the number 0, which says nothing."""
    (tmp_path / "file").write_text("{}", encoding="utf-8")
    assert not is_system_file(str(tmp_path / "file"), None)


def test_the_way_begins_at_the_root_and_ends_at_the_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("{}", encoding="utf-8")
    entries = path_entries(str(tmp_path / "file"))
    assert len(entries) == len((tmp_path / "file").resolve().parts)
    assert stat.S_ISREG(entries[-1].mode)
