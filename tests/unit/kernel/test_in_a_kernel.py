"""The helper inside a real kernel: the notebook's output during a sign-in, and the parts that the notebook keeps."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import KernelManager

from jupyter_oidc.contract.announcement import KERNEL_VARIABLE, SERVER_VARIABLE, Announcement, this_machine
from jupyter_oidc.kernel.session_card import SESSION_TYPE, SIGN_IN_TYPE
from tests.unit.kernel.fake_server import (
    CANCELLED,
    COMPLETED,
    FLOW,
    ORDERS,
    SIGNED_OUT,
    STARTED,
    SUMMARY,
    WAITING,
    Answer,
    FakeServer,
    refusal,
)
from tests.unit.kernel.test_completion import LISTED

SESSION = "jupyter-oidc/providers/corp/session"
BEGIN = "jupyter-oidc/providers/corp/sign-in"
PROGRESS = f"jupyter-oidc/providers/corp/sign-in/{FLOW}"
HTML = "text/html"


Outputs = tuple[dict[str, list[Any]], str, list[tuple[str, str]]]


class Notebook:
    """A kernel, and the parts of its cells that a notebook file would keep: streams, errors, and last displays."""

    def __init__(self, client: BlockingKernelClient, manager: KernelManager) -> None:
        self.client = client
        self.manager = manager

    def run(self, code: str, on_first_display: Callable[[], object] | None = None) -> Outputs:
        shown: dict[str, list[Any]] = {}
        streams: list[str] = []
        errors: list[tuple[str, str]] = []

        def hook(message: dict[str, Any]) -> None:
            content = message["content"]
            if message["msg_type"] in ("display_data", "update_display_data"):
                shown.setdefault(content["transient"]["display_id"], []).append(content["data"])
                if on_first_display is not None and len(shown) == 1 and message["msg_type"] == "display_data":
                    on_first_display()
            elif message["msg_type"] == "execute_result":
                shown["result"] = [content["data"]]
            elif message["msg_type"] == "stream":
                streams.append(content["text"])
            elif message["msg_type"] == "error":
                errors.append((content["ename"], "\n".join(content["traceback"])))

        self.client.execute_interactive(code, timeout=30, output_hook=hook, store_history=False)
        return shown, "".join(streams), errors

    def offered(self, code: str) -> tuple[list[str], str]:
        """Return what the kernel offers at the end of ``code``, and the text that it would replace."""
        self.client.complete(code, len(code))
        while True:
            content = self.client.get_shell_msg(timeout=30)["content"]
            if "matches" in content:
                return content["matches"], code[content["cursor_start"] : content["cursor_end"]]


@pytest.fixture(scope="module")
def open_notebook(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[FakeServer, Notebook]]:
    """Start a kernel as a server with jupyter_oidc does: it learns where its server is, and its own identity."""
    runtime = tmp_path_factory.mktemp("runtime")
    kernel_id = "0f1e2d3c-4b5a-4978-8695-a4b3c2d1e0f9"
    ours = ("JUPYTER_", "JPY_")
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    with FakeServer("/user/ada/") as fake_server:
        announced = runtime / "jupyter-oidc-Yw3k0c8S1a9qT7xZ.json"
        told = Announcement(fake_server.url, None, None, False, this_machine(), os.getpid(), "")
        announced.write_text(told.text(), encoding="utf-8")
        connection_file = str(runtime / f"kernel-{kernel_id}.json")
        manager = KernelManager(connection_file=connection_file, kernel_name="python3")
        variables = {SERVER_VARIABLE: str(announced), KERNEL_VARIABLE: connection_file}
        manager.start_kernel(env={**inherited, **variables, "IPYTHONDIR": str(runtime)})
        client = manager.client()
        client.start_channels()
        try:
            client.wait_for_ready(timeout=60)
            notebook = Notebook(client, manager)
            notebook.run("import jupyter_oidc as oidc")
            yield fake_server, notebook
        finally:
            client.stop_channels()
            manager.shutdown_kernel(now=True)


@pytest.fixture
def notebook(open_notebook: tuple[FakeServer, Notebook]) -> Notebook:
    fake_server, notebook = open_notebook
    fake_server.received.clear()
    fake_server.answers("GET", SESSION, SIGNED_OUT, SUMMARY)
    fake_server.answers("POST", BEGIN, Answer(STARTED, 201))
    fake_server.answers("GET", PROGRESS, WAITING, COMPLETED)
    fake_server.answers("DELETE", PROGRESS, CANCELLED)
    return notebook


def only(shown: dict[str, list[Any]]) -> list[str]:
    """Return the HTML of the one place that the cell has written to, apart from its result and *Cancel*."""
    (updates,) = [updates for name, updates in shown.items() if name != "result" and SIGN_IN_TYPE not in updates[0]]
    return [update[HTML] for update in updates]


def test_a_kernel_finds_its_server_and_proves_itself_without_any_setting(
    open_notebook: tuple[FakeServer, Notebook], notebook: Notebook
) -> None:
    fake_server, _ = open_notebook
    shown, _, errors = notebook.run("oidc.session('corp')")
    assert (errors, HTML in shown["result"][0]) == ([], True)
    assert str(fake_server.received[-1].bearer).startswith("Bearer jog.")


def test_the_invitation_is_a_button(notebook: Notebook) -> None:
    shown, _, _ = notebook.run("_ = oidc.sign_in('corp')")
    assert ">Open the sign-in page</a>" in only(shown)[0]


def test_the_link_is_the_one_that_the_server_names_and_not_how_the_kernel_reaches_it(
    open_notebook: tuple[FakeServer, Notebook], notebook: Notebook
) -> None:
    """Q10.1: the browser is on another machine than the kernel."""
    fake_server, _ = open_notebook
    address = "https://hub.example.com/user/ada/jupyter-oidc/start/one-time-ticket"
    fake_server.answers("POST", BEGIN, Answer({**STARTED, "start_address": address}, 201))
    shown, _, _ = notebook.run("_ = oidc.sign_in('corp')")
    assert (f'href="{address}"' in only(shown)[0], fake_server.origin in only(shown)[0]) == (True, False)


def test_a_link_whose_host_nobody_knows_is_a_path_for_the_page_that_shows_it(
    open_notebook: tuple[FakeServer, Notebook], notebook: Notebook
) -> None:
    """Q10.1: JupyterLab leaves a path that begins with a slash to the browser, which knows its own address."""
    fake_server, _ = open_notebook
    shown, _, _ = notebook.run("_ = oidc.sign_in('corp')")
    assert 'href="/jupyter-oidc/start/one-time-ticket"' in only(shown)[0]
    assert fake_server.origin not in only(shown)[0]


def test_the_wait_is_counted_down_in_its_place(notebook: Notebook) -> None:
    shown, _, _ = notebook.run("_ = oidc.sign_in('corp', timeout=100)")
    assert [bool(re.search(r"1 min 3\d s left", html)) for html in only(shown)][:2] == [True, True]


def test_a_finished_sign_in_leaves_the_session_in_the_place_of_the_link(notebook: Notebook) -> None:
    shown, _, _ = notebook.run("_ = oidc.sign_in('corp')")
    assert "<b>Signed in as Ada Lovelace</b>" in only(shown)[-1]


def test_a_saved_notebook_keeps_no_link(notebook: Notebook) -> None:
    shown, streams, _ = notebook.run("_ = oidc.sign_in('corp')")
    assert "one-time-ticket" not in only(shown)[-1] + streams


def test_a_saved_notebook_keeps_no_mail_address(notebook: Notebook) -> None:
    shown, streams, _ = notebook.run("oidc.sign_in('corp')")
    assert "ada@example.com" not in str(shown["result"]) + only(shown)[-1] + streams


def test_interrupting_the_kernel_cancels_the_sign_in(
    open_notebook: tuple[FakeServer, Notebook], notebook: Notebook
) -> None:
    fake_server, _ = open_notebook
    fake_server.answers("GET", PROGRESS, Answer(WAITING, delay=1.0))
    notebook.run("oidc.sign_in('corp')", on_first_display=notebook.manager.interrupt_kernel)
    assert len(fake_server.asked("DELETE", PROGRESS)) == 1


def test_an_interrupted_sign_in_leaves_no_link(open_notebook: tuple[FakeServer, Notebook], notebook: Notebook) -> None:
    fake_server, _ = open_notebook
    fake_server.answers("GET", PROGRESS, Answer(WAITING, delay=1.0))
    shown, _, errors = notebook.run("oidc.sign_in('corp')", on_first_display=notebook.manager.interrupt_kernel)
    assert ([name for name, _ in errors], "The sign-in was cancelled." in only(shown)[-1]) == (
        ["KeyboardInterrupt"],
        True,
    )


def test_a_sign_in_that_timed_out_leaves_no_link(
    open_notebook: tuple[FakeServer, Notebook], notebook: Notebook
) -> None:
    fake_server, _ = open_notebook
    fake_server.answers("GET", PROGRESS, WAITING)
    shown, _, _ = notebook.run("oidc.sign_in('corp', timeout=0.3)")
    assert "one-time-ticket" not in only(shown)[-1]


def plain_lines(shown: str) -> list[str]:
    """Return the lines of a traceback without colours and rules."""
    return [line for line in re.sub(r"\x1b\[[0-9;]*m", "", shown).splitlines() if line.strip("-")]


def test_an_error_is_the_line_that_caused_it_and_a_few_lines(
    open_notebook: tuple[FakeServer, Notebook], notebook: Notebook
) -> None:
    fake_server, _ = open_notebook
    params = {"api": "orders", "provider": "corp"}
    fake_server.answers(
        "GET",
        "jupyter-oidc/api/orders/items",
        refusal("not_signed_in", link="https://hub.example.com/user/ada/lab", params=params),
    )
    _, _, errors = notebook.run("oidc.api('orders').get('items')")
    [(name, shown)] = errors
    head, place, line, *told = plain_lines(shown)
    assert (name, head.split()[0]) == ("NotSignedIn", "NotSignedIn")
    assert place.endswith("line 1")
    assert line == "----> 1 oidc.api('orders').get('items')"
    assert told == [
        "NotSignedIn: It did not work.",
        "Try something else. Run oidc.sign_in('corp') or open JupyterLab:",
        "https://hub.example.com/user/ada/lab",
        "(not_signed_in, API orders, provider corp, request req-12345678)",
    ]


def test_the_frames_of_the_author_are_shown_and_none_of_a_library(
    open_notebook: tuple[FakeServer, Notebook], notebook: Notebook
) -> None:
    """The last line is the author's own, also behind an authentication object, a hook and an event loop."""
    fake_server, _ = open_notebook
    fake_server.answers("GET", "jupyter-oidc/api/orders/items", refusal("caller_forbidden", 403))
    fake_server.answers("GET", "jupyter-oidc/providers", {"providers": []})
    cell = """
import asyncio, httpx, requests
def by_client():
    oidc.api('orders').get('items')
def by_requests():
    requests.get(oidc.auth('orders').base_url + 'items', auth=oidc.auth('orders'))
def by_httpx():
    httpx.get(oidc.auth('orders').base_url + 'items', auth=oidc.auth('orders'))
async def by_async_client():
    await oidc.async_api('orders').get('items')
"""
    notebook.run(cell)
    for call in ("by_client()", "by_requests()", "by_httpx()", "await by_async_client()"):
        _, _, [(name, shown)] = notebook.run(call)
        lines = plain_lines(shown)
        assert name == "CallerForbidden"
        assert not [line for line in lines if "site-packages" in line or "jupyter_oidc/" in line], lines
        frames = [line for line in lines if re.match(r"-+> ", line)]
        assert len(frames) == 2, lines
        assert "oidc" in frames[-1]


def test_an_error_follows_the_form_of_tracebacks_that_the_author_has_chosen(
    open_notebook: tuple[FakeServer, Notebook], notebook: Notebook
) -> None:
    fake_server, _ = open_notebook
    fake_server.answers("GET", "jupyter-oidc/api/orders/items", refusal("caller_forbidden", 403))
    notebook.run("%xmode Minimal")
    _, _, [(_, shown)] = notebook.run("oidc.api('orders').get('items')")
    notebook.run("%xmode Context")
    assert plain_lines(shown) == [
        "CallerForbidden: It did not work.",
        "Try something else.",
        "(caller_forbidden, request req-12345678)",
    ]


def test_what_the_author_was_handling_stays_in_sight(
    open_notebook: tuple[FakeServer, Notebook], notebook: Notebook
) -> None:
    fake_server, _ = open_notebook
    fake_server.answers("GET", "jupyter-oidc/api/orders/items", refusal("caller_forbidden", 403))
    cell = "try:\n    {}['missing']\nexcept KeyError:\n    oidc.api('orders').get('items')"
    _, _, [(_, shown)] = notebook.run(cell)
    lines = plain_lines(shown)
    assert "KeyError: 'missing'" in lines
    assert lines[-3:] == [
        "CallerForbidden: It did not work.",
        "Try something else.",
        "(caller_forbidden, request req-12345678)",
    ]


def test_an_endpoint_shown_by_a_notebook_hides_its_grant(
    open_notebook: tuple[FakeServer, Notebook], notebook: Notebook
) -> None:
    fake_server, _ = open_notebook
    fake_server.answers("GET", "jupyter-oidc/providers", {"providers": []})
    shown, _, errors = notebook.run("oidc.endpoint('orders')")
    assert (errors, "jog." in str(shown)) == ([], False)


def test_the_magic_works_in_a_notebook(notebook: Notebook) -> None:
    notebook.run("%load_ext jupyter_oidc")
    shown, _, _ = notebook.run("%oidc status corp")
    assert "Not signed in" in shown["result"][0][HTML]


def test_the_asynchronous_client_works_in_a_cell_that_awaits(
    open_notebook: tuple[FakeServer, Notebook], notebook: Notebook
) -> None:
    fake_server, _ = open_notebook
    fake_server.answers("GET", "jupyter-oidc/api/orders/items", ["a book"])
    shown, _, _ = notebook.run("(await oidc.async_api('orders').get('items')).json()")
    assert shown["result"][0]["text/plain"] == "['a book']"


# -- calls that wait, and uploads ----------------------------------------------------------------------------------

ITEMS = "jupyter-oidc/api/orders/items"


def busy(seconds: str) -> Answer:
    return Answer(b"", 429, {"Retry-After": seconds})


def test_a_call_that_waits_says_so_and_leaves_a_line(
    open_notebook: tuple[FakeServer, Notebook], notebook: Notebook
) -> None:
    fake_server, _ = open_notebook
    fake_server.answers("GET", ITEMS, busy("3"), ["a book"])
    shown, _, errors = notebook.run("orders = oidc.api('orders'); books = orders.get('items').json()")
    notes = only(shown)
    assert ("Trying again in 3 s." in notes[0], "Trying again in 1 s." in notes[-2]) == (True, True)
    assert ("The API asks for fewer calls. Waited 3 s." in notes[-1], errors) == (True, [])


def test_a_call_that_waits_in_a_cell_that_awaits_says_so_too(
    open_notebook: tuple[FakeServer, Notebook], notebook: Notebook
) -> None:
    fake_server, _ = open_notebook
    fake_server.answers("GET", ITEMS, busy("3"), ["a book"])
    shown, _, errors = notebook.run("books = (await oidc.async_api('orders').get('items')).json()")
    assert ("Waited 3 s." in only(shown)[-1], errors) == (True, [])


def test_interrupting_the_kernel_ends_a_wait_and_the_client_goes_on(
    open_notebook: tuple[FakeServer, Notebook], notebook: Notebook
) -> None:
    fake_server, _ = open_notebook
    notebook.run("orders = oidc.api('orders')")
    fake_server.answers("GET", ITEMS, busy("50"))
    shown, _, errors = notebook.run("orders.get('items')", on_first_display=notebook.manager.interrupt_kernel)
    assert ([name for name, _ in errors], "Waited" in only(shown)[-1]) == (["KeyboardInterrupt"], True)
    fake_server.answers("GET", ITEMS, ["a book"])
    shown, _, errors = notebook.run("orders.get('items').json()")
    assert (shown["result"][0]["text/plain"], errors) == ("['a book']", [])


def test_an_interruption_while_a_link_appears_leaves_no_link_behind(notebook: Notebook) -> None:
    shown, _, errors = notebook.run(
        "from jupyter_oidc.kernel.display import Notice\n"
        "notice, publisher = Notice(), get_ipython().display_pub\n"
        "def interrupted(message):\n"
        "    publisher.unregister_hook(interrupted)\n"
        "    publisher.session.send(publisher.pub_socket, message)\n"
        "    raise KeyboardInterrupt\n"
        "publisher.register_hook(interrupted)\n"
        "try:\n"
        "    notice.show('a link', '')\n"
        "except KeyboardInterrupt:\n"
        "    notice.show('cancelled', '')\n"
    )
    assert (only(shown), errors) == (["a link", "cancelled"], [])


def test_an_upload_leaves_one_line_with_name_and_size(
    open_notebook: tuple[FakeServer, Notebook], notebook: Notebook
) -> None:
    fake_server, _ = open_notebook
    fake_server.answers("PUT", "jupyter-oidc/api/orders/files/big.bin", Answer(b"", 201))
    shown, streams, errors = notebook.run(
        "import tempfile, pathlib\n"
        "big = pathlib.Path(tempfile.mkdtemp(), 'big.bin'); big.write_bytes(b'x' * 3_000_000)\n"
        "_ = oidc.api('orders').upload('files/big.bin', big)"
    )
    assert ("big.bin: sent 3.0 MB in " in only(shown)[-1], streams, errors) == (True, "", [])


def test_an_upload_that_takes_a_while_shows_a_bar(
    open_notebook: tuple[FakeServer, Notebook], notebook: Notebook
) -> None:
    """A slow file stands in for a slow network: the test only needs the bar before the end."""
    fake_server, _ = open_notebook
    fake_server.answers("PUT", "jupyter-oidc/api/orders/files/slow.bin", Answer(b"", 201))
    shown, _, errors = notebook.run(
        "import io, time\n"
        "class Slow(io.BytesIO):\n"
        "    def read(self, size=-1):\n"
        "        time.sleep(0.15); return super().read(size)\n"
        "_ = oidc.api('orders').upload('files/slow.bin', Slow(b'x' * 400_000))"
    )
    bars = [html for html in only(shown) if "<progress " in html]
    assert (len(bars) >= 2, "Upload: sent 400.0 kB" in only(shown)[-1], errors) == (True, True, [])


DEVICE = {
    "user_code": "WDJB-MJHT",
    "verification_uri": "https://id.example.com/device",
    "verification_uri_complete": "https://id.example.com/device?user_code=WDJB-MJHT",
}


@pytest.fixture
def by_code(open_notebook: tuple[FakeServer, Notebook], notebook: Notebook) -> Notebook:
    """Open a notebook whose server signs in by code."""
    fake_server, _ = open_notebook
    fake_server.answers(
        "POST", BEGIN, Answer({**STARTED, "strategy": "device", "start_url": None, "device": DEVICE}, 201)
    )
    return notebook


def test_a_code_is_large_selectable_at_once_and_read_out_sign_by_sign(by_code: Notebook) -> None:
    shown, _, errors = by_code.run("_ = oidc.sign_in('corp')")
    invitation = only(shown)[0]
    assert (errors, ">WDJB-MJHT</code>" in invitation, "user-select:all" in invitation) == ([], True, True)
    assert 'aria-label="Code: W, D, J, B, -, M, J, H, T"' in invitation


def test_the_page_for_a_code_is_one_click_away(by_code: Notebook) -> None:
    shown, _, _ = by_code.run("_ = oidc.sign_in('corp')")
    assert 'href="https://id.example.com/device?user_code=WDJB-MJHT"' in only(shown)[0]
    assert "Check that the page shows this code" in only(shown)[0]


def test_a_page_that_does_not_know_the_code_asks_for_it(
    open_notebook: tuple[FakeServer, Notebook], by_code: Notebook
) -> None:
    fake_server, _ = open_notebook
    device = {**DEVICE, "verification_uri_complete": None}
    fake_server.answers(
        "POST", BEGIN, Answer({**STARTED, "strategy": "device", "start_url": None, "device": device}, 201)
    )
    shown, _, _ = by_code.run("_ = oidc.sign_in('corp')")
    assert 'href="https://id.example.com/device"' in only(shown)[0]
    assert "Enter this code on the page" in only(shown)[0]


def test_a_saved_notebook_keeps_no_code(by_code: Notebook) -> None:
    shown, streams, _ = by_code.run("_ = oidc.sign_in('corp')")
    assert "WDJB-MJHT" not in only(shown)[-1] + streams


@pytest.mark.parametrize("code", ["<script>alert(1)</script>", "A\u202eB", '"><img src=x>'])
def test_a_hostile_code_is_shown_as_text(
    open_notebook: tuple[FakeServer, Notebook], by_code: Notebook, code: str
) -> None:
    fake_server, _ = open_notebook
    device = {**DEVICE, "user_code": code}
    fake_server.answers(
        "POST", BEGIN, Answer({**STARTED, "strategy": "device", "start_url": None, "device": device}, 201)
    )
    shown, _, _ = by_code.run("_ = oidc.sign_in('corp')")
    assert ("<script" in only(shown)[0], "<img" in only(shown)[0], "\u202e" in only(shown)[0]) == (False, False, False)


COMPLETE = f"{PROGRESS}/complete"
ADDRESS = "http://127.0.0.1/cb?code=pasted-code-0123456789&state=pasted-state"


@pytest.fixture
def by_paste(
    open_notebook: tuple[FakeServer, Notebook], notebook: Notebook
) -> tuple[FakeServer, Callable[..., Any], list[Any]]:
    """Open a notebook whose server signs in by a pasted address; ``run`` types ``ADDRESS`` into each prompt."""
    fake_server, _ = open_notebook
    fake_server.answers("POST", BEGIN, Answer({**STARTED, "strategy": "paste"}, 201))
    fake_server.answers("POST", COMPLETE, COMPLETED)
    prompts: list[dict[str, Any]] = []

    def run(code: str, *typed: str, allow_stdin: bool = True) -> Outputs:
        waiting = list(typed)
        shown: dict[str, list[Any]] = {}
        streams: list[str] = []
        errors: list[tuple[str, str]] = []

        def hook(message: dict[str, Any]) -> None:
            content = message["content"]
            if message["msg_type"] in ("display_data", "update_display_data"):
                shown.setdefault(content["transient"]["display_id"], []).append(content["data"])
            elif message["msg_type"] == "stream":
                streams.append(content["text"])
            elif message["msg_type"] == "error":
                errors.append((content["ename"], "\n".join(content["traceback"])))

        def asked(message: dict[str, Any]) -> None:
            prompts.append(message["content"])
            notebook.client.input(waiting.pop(0))

        notebook.client.execute_interactive(
            code, timeout=30, output_hook=hook, stdin_hook=asked, allow_stdin=allow_stdin, store_history=True
        )
        return shown, "".join(streams), errors

    return fake_server, run, prompts


def test_an_address_is_typed_into_a_hidden_prompt_and_handed_over(
    by_paste: tuple[FakeServer, Callable[..., Any], list[Any]],
) -> None:
    """A32: A pasted answer is the whole address."""
    fake_server, run, prompts = by_paste
    shown, _, errors = run("_ = oidc.sign_in('corp')", ADDRESS)
    assert errors == []
    assert [prompt["password"] for prompt in prompts] == [True]
    assert [json.loads(got.body) for got in fake_server.asked("POST", COMPLETE)] == [{"redirect_url": ADDRESS}]
    assert "Paste it into the field below" in next(iter(shown.values()))[0][HTML]


def test_nothing_of_a_pasted_address_stays_in_the_notebook_or_its_history(
    by_paste: tuple[FakeServer, Callable[..., Any], list[Any]],
) -> None:
    """T-12: the address stays in no output, no input history and no variable."""
    _, run, _ = by_paste
    shown, streams, errors = run("_ = oidc.sign_in('corp')", ADDRESS)
    assert "pasted-code" not in f"{shown}{streams}{errors}"
    _, history, _ = run(
        "import gc; ip = get_ipython(); print(list(ip.history_manager.input_hist_raw), list(ip.user_ns['Out'].items()))\n"
        "print([name for name, value in list(ip.user_ns.items()) if isinstance(value, str) and 'd-code-0' in value])"
    )
    assert "pasted-code" not in history


def test_a_wrong_paste_may_be_repeated_twice(by_paste: tuple[FakeServer, Callable[..., Any], list[Any]]) -> None:
    fake_server, run, prompts = by_paste
    refused = refusal("response_malformed", 400)
    fake_server.answers("POST", COMPLETE, refused, refused, COMPLETED)
    _, _, errors = run("_ = oidc.sign_in('corp')", "nonsense", "", ADDRESS)
    assert (errors, len(prompts)) == ([], 3)


def test_the_third_wrong_paste_cancels_the_sign_in(by_paste: tuple[FakeServer, Callable[..., Any], list[Any]]) -> None:
    fake_server, run, prompts = by_paste
    fake_server.answers("POST", COMPLETE, refusal("state_invalid", 400))
    _, _, errors = run("_ = oidc.sign_in('corp')", ADDRESS, ADDRESS, ADDRESS)
    assert ([name for name, _ in errors], len(prompts)) == (["StateInvalid"], 3)
    assert len(fake_server.asked("DELETE", PROGRESS)) == 1
    assert "pasted-code" not in str(errors)


def test_where_nobody_can_type_the_sign_in_says_where_to_go(
    by_paste: tuple[FakeServer, Callable[..., Any], list[Any]],
) -> None:
    fake_server, run, _ = by_paste
    _, _, errors = run("_ = oidc.sign_in('corp')", allow_stdin=False)
    assert [name for name, _ in errors] == ["RequestInvalid"]
    assert "Sign in from JupyterLab" in errors[0][1]
    assert len(fake_server.asked("DELETE", PROGRESS)) == 1


# -- completion, without any %load_ext -------------------------------------------------------------------------------


@pytest.fixture
def catalogue(open_notebook: tuple[FakeServer, Notebook], notebook: Notebook) -> Notebook:
    fake_server, _ = open_notebook
    known = [{"name": name, "issuer": "https://id.example.com", "state": "active"} for name in ("corp", "lab")]
    fake_server.answers("GET", "jupyter-oidc/apis", {"apis": [ORDERS, {**ORDERS, "name": "stock"}]})
    fake_server.answers("GET", "jupyter-oidc/providers", {"providers": known})
    fake_server.answers("GET", "jupyter-oidc/apis/orders/operations", LISTED)
    # NOTE: an earlier test may have asked for a list that was not there yet.
    notebook.run("oidc.apis(); client = oidc.api('orders'); _ = client.operations()")
    return notebook


@pytest.mark.parametrize(
    ("code", "offered", "replaced"),
    [
        ('oidc.api("', ["orders", "stock"], ""),
        ("x = 1\ny = oidc.api('or", ["orders"], "or"),
        ('oidc.auth("st', ["stock"], "st"),
        ('oidc.endpoint("', ["orders", "stock"], ""),
        ('oidc.sign_in("', ["corp", "lab"], ""),
        ('oidc.api("orders").get("ord', ["orders", "orders/{id}"], "ord"),
        ('client.post("/', ["/orders"], "/"),
        ('oidc.api(\n    "orders",\n).get(\n    "orders/', ["orders/{id}"], "orders/"),
    ],
)
def test_a_kernel_completes_names_and_paths_and_nothing_else(
    catalogue: Notebook, code: str, offered: list[str], replaced: str
) -> None:
    assert catalogue.offered(code) == (offered, replaced)


def test_a_kernel_completes_the_names_of_a_table(catalogue: Notebook) -> None:
    catalogue.run("found = oidc.apis()")
    assert catalogue.offered('found["')[0] == ["orders", "stock"]


def test_a_kernel_offers_what_people_call_behind_the_package(catalogue: Notebook) -> None:
    matches, _ = catalogue.offered("oidc.")
    assert {"api", "apis", "auth", "errors", "session", "sessions", "sign_in", "sign_out"} <= set(matches)
    assert not {"SignInDeclined", "UnknownApi"} & set(matches)


def test_completion_of_other_strings_is_as_it_was(
    catalogue: Notebook, open_notebook: tuple[FakeServer, Notebook]
) -> None:
    fake_server, _ = open_notebook
    fake_server.received.clear()
    catalogue.offered('open("')
    assert fake_server.received == []


def test_apis_and_clients_show_as_html_in_a_notebook(catalogue: Notebook) -> None:
    for code in ("oidc.apis()", "client", "client.operations()", "oidc.apis()[0]"):
        shown, _, errors = catalogue.run(code)
        assert errors == []
        assert "<table" in shown["result"][0][HTML]
        assert "orders" in shown["result"][0]["text/plain"]


def test_a_card_names_the_provider_and_no_person_in_its_data(notebook: Notebook) -> None:
    shown, _, _ = notebook.run("oidc.session('corp'); oidc.session('corp')")
    assert shown["result"][0][SESSION_TYPE] == {"provider": "corp", "sequence": 7}
    assert re.search(r"As of \d{4}-\d\d-\d\d \d\d:\d\d UTC\.", shown["result"][0][HTML])


def test_cancel_stands_below_the_invitation_and_goes_with_it(notebook: Notebook) -> None:
    shown, _, _ = notebook.run("_ = oidc.sign_in('corp')")
    (updates,) = [updates for updates in shown.values() if SIGN_IN_TYPE in updates[0]]
    assert updates[0] == {SIGN_IN_TYPE: {"provider": "corp"}, HTML: "", "text/plain": ""}
    assert (SIGN_IN_TYPE in updates[-1], updates[-1][HTML]) == (False, "")


API = "jupyter-oidc/api/orders/items"
OPEN = "orders = oidc.api('orders')\norders.get('items')\n"
REFUSALS = (Answer({"ok": True}), *(refusal("not_signed_in", message="Nobody is signed in."),) * 99)


def notices(shown: dict[str, list[Any]]) -> list[str]:
    return [updates[-1][HTML] for name, updates in shown.items() if name != "result"]


@pytest.mark.parametrize(
    "code",
    [
        pytest.param(
            "for _ in range(50):\n    try:\n        orders.get('items')\n    except oidc.OIDCError:\n        continue",
            id="loop",
        ),
        pytest.param(
            "from concurrent.futures import ThreadPoolExecutor\nwith ThreadPoolExecutor(8) as pool:\n"
            "    done = [pool.submit(orders.get, 'items') for _ in range(50)]",
            id="threads",
        ),
        pytest.param(
            "import asyncio\nasync with oidc.async_api('orders') as there:\n"
            "    done = await asyncio.gather(*(there.get('items') for _ in range(50)), return_exceptions=True)",
            id="tasks",
        ),
    ],
)
def test_a_cell_that_goes_on_after_a_sign_out_says_so_once_and_counts_the_calls(
    open_notebook: tuple[FakeServer, Notebook], notebook: Notebook, code: str
) -> None:
    open_notebook[0].answers("GET", API, *REFUSALS)
    shown, streams, errors = notebook.run(OPEN + code)
    (told,) = notices(shown)
    assert re.search(
        r"The session ended while this ran: 50 calls were refused\. Calls worked until \d\d:\d\d:\d\d UTC\. "
        r"Run oidc\.sign_in\(\), then run it again\.",
        told,
    )
    assert (streams, errors) == ("", [])
    shown, streams, errors = notebook.run("try:\n    orders.get('items')\nexcept oidc.OIDCError:\n    pass")
    assert (shown, streams, errors) == ({}, "", [])


@pytest.mark.parametrize(
    "code",
    [
        pytest.param("for _ in range(50):\n    orders.get('items')", id="loop"),
        pytest.param(
            "from concurrent.futures import ThreadPoolExecutor\nwith ThreadPoolExecutor(8) as pool:\n"
            "    list(pool.map(orders.get, ['items'] * 50))",
            id="threads",
        ),
        pytest.param(
            "import asyncio\nasync with oidc.async_api('orders') as there:\n"
            "    await asyncio.gather(*(there.get('items') for _ in range(50)))",
            id="tasks",
        ),
        pytest.param(
            "try:\n    orders.get('items')\nexcept oidc.OIDCError as error:\n    raise RuntimeError('no report') from error",
            id="an error of the author's from ours",
        ),
    ],
)
def test_a_cell_that_ends_with_the_exception_shows_that_one_and_no_notice(
    open_notebook: tuple[FakeServer, Notebook], notebook: Notebook, code: str
) -> None:
    # NOTE: a path of its own for each, since calls that the one before has given up may still arrive at that one's.
    own = f"items-{len(code)}"
    open_notebook[0].answers("GET", API.replace("items", own), *REFUSALS)
    shown, streams, errors = notebook.run((OPEN + code).replace("items", own))
    ((_, told),) = errors
    assert re.search(r"Nobody is signed in\. Calls worked until \d\d:\d\d:\d\d UTC\.", told)
    assert (notices(shown), streams) == ([], "")


def test_a_cell_that_signs_in_again_and_goes_on_says_nothing(
    open_notebook: tuple[FakeServer, Notebook], notebook: Notebook
) -> None:
    # NOTE: a path of its own, since calls that the test before has given up may still arrive at the other one.
    open_notebook[0].answers("GET", API.replace("items", "again"), REFUSALS[0], REFUSALS[1], REFUSALS[0])
    code = OPEN + "try:\n    orders.get('items')\nexcept oidc.NotSignedIn:\n    orders.get('items')"
    shown, streams, errors = notebook.run(code.replace("items", "again"))
    assert (notices(shown), streams, errors) == ([], "", [])
