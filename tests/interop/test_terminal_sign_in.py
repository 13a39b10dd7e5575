"""``jupyter oidc sign-in`` at a terminal and in a pipe, by every strategy, at the certified provider (Q7.7)."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from jupyter_oidc.kernel.paste import PROMPT
from tests.interop.person import Person, at_work
from tests.interop.test_sign_in_by_code import BY_CODE, agree
from tests.interop.test_sign_in_by_paste import CLIENT, PASTED, URI
from tests.support.certified_provider import CertifiedProvider
from tests.support.command import Command
from tests.support.upstream import Upstream


def beside(person: Person, folder: Path) -> Command:
    """A command that finds the person's server; its output is buffered as Python does in a pipe."""
    return Command(
        folder / "command",
        environment={
            "JUPYTER_RUNTIME_DIR": str(person.process.folder / "runtime"),
            "JUPYTER_CONFIG_DIR": str(person.process.folder / "config"),
            "PYTHONUNBUFFERED": "",
        },
    )


def line_with(stream: Any, pattern: str) -> re.Match[str]:
    """Read lines until one matches."""
    for line in stream:
        found = re.search(pattern, line)
        if found:
            return found
    raise AssertionError(f"the output ended without {pattern}")


def prompted(stream: Any) -> None:
    """Read up to the end of the prompt; input before it is thrown away, as for a password."""
    seen = ""
    while not seen.endswith(PROMPT):
        sign = stream.read(1)
        assert sign, f"the output ended without a prompt: {seen}"
        seen += sign


def screen_of(terminal: int) -> bytes:
    """Return the terminal's output; one that shows nothing and has no other end any more cannot be read."""
    try:
        return os.read(terminal, 65_536)
    except OSError:
        return b""
    finally:
        os.close(terminal)


def test_a_code_and_its_link_are_shown_in_a_pipe(
    tmp_path: Path, provider: CertifiedProvider, upstream: Upstream
) -> None:
    """Q7.7: strategy ``device``; the reader of the pipe sees both while the command waits."""
    with at_work(tmp_path, provider, upstream, changes=BY_CODE) as person:
        with beside(person, tmp_path).start("sign-in", "--no-browser") as waiting:
            link = line_with(waiting.stdout, r"https?://\S+")[0]
            assert line_with(waiting.stdout, r"check that the page shows this code")
            code = line_with(waiting.stdout, r"[A-Z]{4}-[A-Z]{4}")[0]
            assert code in link
            agree(person.browser, link)
            out, err = waiting.communicate(timeout=60)
        assert (waiting.returncode, err) == (0, "")
        assert "signed in as Example User" in out


def test_an_address_is_pasted_at_a_hidden_prompt(
    tmp_path: Path, provider: CertifiedProvider, upstream: Upstream
) -> None:
    """Q7.7: strategy ``paste``; a slip may be mended, and the terminal shows nothing of the pasted address."""
    with at_work(tmp_path, provider, upstream, changes=PASTED, client=CLIENT) as person:
        terminal, its_end = pty.openpty()
        command = beside(person, tmp_path)
        with subprocess.Popen(
            [sys.executable, "-m", "jupyter_oidc.cli", "sign-in", "--no-browser"],
            cwd=tmp_path,
            env=command._environment(),
            stdin=its_end,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        ) as waiting:
            os.close(its_end)
            link = line_with(waiting.stdout, r"https?://\S+")[0]
            end = person.browser.sign_in(link, "user1", "any", stop_at=URI).headers["location"]
            prompted(waiting.stdout)
            os.write(terminal, b"https://elsewhere.example/?code=c&state=s\n")
            prompted(waiting.stdout)
            os.write(terminal, f"{end}\n".encode())
            out, _ = waiting.communicate(timeout=60)
            echoed = screen_of(terminal)
        assert waiting.returncode == 0, out
        assert "signed in as Example User" in out
        assert end.partition("code=")[2].partition("&")[0] not in out + echoed.decode()


def test_where_nobody_can_type_it_says_so_and_nothing_is_left_behind(
    tmp_path: Path, provider: CertifiedProvider, upstream: Upstream
) -> None:
    """Q7.7: a paste without a terminal; the sign-in is cancelled."""
    with at_work(tmp_path, provider, upstream, changes=PASTED, client=CLIENT) as person:
        with subprocess.Popen(
            [sys.executable, "-m", "jupyter_oidc.cli", "sign-in", "--no-browser"],
            cwd=tmp_path,
            env=beside(person, tmp_path)._environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        ) as command:
            _, err = command.communicate(timeout=60)
        assert command.returncode == 1
        assert "Nobody can type here, and this sign-in needs an address to be pasted." in err
        assert person.summary()["state"] == "signed-out"
