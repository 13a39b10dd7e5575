"""Law 9: the outside sees the contract and nothing else.

Proof that the law can fail: each test below runs a small suite that leaks a secret in one way (a log record at
DEBUG, one with a traceback, an exception, a print, a file, a reply), and sees that suite fail and say where.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.canary import Canary
from tests.support.marker import MARKER

ROOT = str(Path(__file__).parents[2])

LEAKS = {
    "a record of the log": """
        def test_leak():
            logger = logging.getLogger("quiet")
            logger.propagate = False
            logger.setLevel(logging.DEBUG)
            logger.debug("sent %s", SECRET)
    """,
    "a record of the log quiet": """
        def test_leak():
            try:
                raise ValueError(SECRET)
            except ValueError:
                logging.getLogger("quiet").error("it failed", exc_info=True)
    """,
    "the call report of test_leak": """
        def test_leak():
            print("token:", SECRET)
    """,
    "report of test_leak": """
        def test_leak():
            raise ValueError(f"cannot use {SECRET}")
    """,
    "the file": """
        def test_leak(tmp_path):
            (tmp_path / "server.log").write_text(f"GET /?code={SECRET}")
    """,
    "the body of a reply (200)": """
        def test_leak(canary):
            canary.look_at_reply(httpx.Response(200, json={"token": SECRET}))
    """,
    "the head of a reply (302)": """
        def test_leak(canary):
            canary.look_at_reply(httpx.Response(302, headers={"Location": f"/?code={SECRET}"}))
    """,
}
HEAD = "import logging\nimport httpx\nfrom tests.support.marker import MARKER\nSECRET = MARKER + 'x' * 20\n"


def run(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, body: str, *more: str) -> pytest.RunResult:
    import textwrap

    monkeypatch.setenv("PYTHONPATH", ROOT)
    # NOTE: of all plugins these runs need the canary and xdist; to import the others takes most of their time.
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    pytester.makepyfile(HEAD + textwrap.dedent(body))
    # NOTE: the leak is inside this run's own temporary folder only for a moment; it is a mark, not a secret.
    return pytester.runpytest_subprocess(
        "-q", "-p", "xdist.plugin", "-p", "tests.support.canary_plugin", "--basetemp", "inner", *more
    )


@pytest.mark.parametrize(("where", "body"), LEAKS.items(), ids=list(LEAKS))
def test_a_leak_of_any_kind_fails_the_suite_and_is_named(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, where: str, body: str
) -> None:
    result = run(pytester, monkeypatch, body)
    text = result.stdout.str().replace(MARKER, "")
    clean_up(pytester)
    assert (result.ret, where in text) == (1, True)


@pytest.mark.parametrize("where", ["the file", "the call report of test_leak"])
def test_a_leak_in_one_of_several_processes_fails_the_suite_and_is_named(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    result = run(pytester, monkeypatch, LEAKS[where], "--numprocesses=2")
    text = result.stdout.str().replace(MARKER, "")
    clean_up(pytester)
    assert (result.ret, where in text) == (1, True)


def test_a_suite_without_a_leak_passes(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    result = run(pytester, monkeypatch, "def test_nothing():\n    logging.getLogger('x').error('all is well')\n")
    assert result.ret == 0


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("the code is ab3-_XYZ0123456789012345 here", True),
        ("/callback?code=ab3-_XYZ0123456789012345&state=1", True),
        (r"a line\nab3-_XYZ0123456789012345", True),
        ("%22ab3-_XYZ0123456789012345%22", True),
        ("eyJhbGciOiJSUzI1NiJ9", False),
        ("eyJzdWIiOiJhMSIsImF1ZCI6ImEifQ", True),
        ("nothing of the kind", False),
    ],
)
def test_an_exact_value_is_recognised_in_any_text(text: str, seen: bool) -> None:
    canary = Canary()
    canary.hold("ab3-_XYZ0123456789012345")
    canary.hold("eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhMSIsImF1ZCI6ImEifQ.c2lnbmF0dXJlLXNpZ25hdHVyZQ")
    assert (canary.find(text) is not None) is seen


@pytest.mark.parametrize("offset", [0, 1, 2])
def test_the_mark_is_recognised_in_base64(offset: int) -> None:
    import base64

    text = base64.b64encode(b"x" * offset + MARKER.encode() + b"rest").decode()
    assert Canary().find(text) is not None


def clean_up(pytester: pytest.Pytester) -> None:
    """Remove the files of the inner run, so that the outer canary need not sing about them."""
    import shutil

    shutil.rmtree(pytester.path)
    pytester.path.mkdir()
