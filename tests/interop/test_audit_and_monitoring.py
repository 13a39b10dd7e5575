"""The recipes of *Audit and monitoring*, run as they stand on the page, in a real server with a kernel of its own.

Prometheus itself is not at hand; its rules are read as it reads them, and each counter, label and value in them is looked
for in a server's own counters.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from jupyter_oidc.demo.environment import free_port
from jupyter_oidc.sessions.machine import SessionTransition
from tests.support.canary import CANARY
from tests.support.jupyter_process import JupyterProcess
from tests.support.kernel_proof import GRANT, proof, start_kernel
from tests.support.scripted_provider import ScriptedProvider
from tests.support.upstream import Upstream

PAGE = (Path(__file__).parents[2] / "docs" / "how-to" / "audit-and-monitoring.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"```(\w+)\n# recipe: (.+?)\n(.*?)```", re.DOTALL)
RECIPES = {name: (language, text) for language, name, text in BLOCK.findall(PAGE)}

SUBJECT = "sub-of-ada"


@dataclass
class Audited:
    """A server that was set up by the page, after a sign-in, a call that went well and one that failed."""

    process: JupyterProcess
    jupyter: httpx.Client
    kernel_id: str
    refused: httpx.Response

    def file(self, name: str) -> str:
        """The content of a file that the server has written into its working folder."""
        return (self.process.work / name).read_text(encoding="utf-8")


@contextmanager
def audited(folder: Path, *recipes: str, log_level: str = "INFO") -> Iterator[Audited]:
    # NOTE: names of files on the page are relative to where the server was started; here that is a folder of the test's.
    program = "\n".join([f"import os\nos.chdir({str(folder)!r})", *(RECIPES[name][1] for name in recipes)])
    with ScriptedProvider(subject=SUBJECT) as provider, Upstream(provider.accepts) as upstream:
        apis = {"orders": {"base_url": upstream.url}, "dead": {"base_url": f"http://127.0.0.1:{free_port()}/"}}
        settings = {
            "issuer": provider.issuer,
            "client_id": "jupyter",
            "allow_insecure_loopback": True,
            "apis": apis,
        }
        process = JupyterProcess(folder / "jupyter", {"corp": settings}, program=program, log_level=log_level)
        with process, closing(process.client()) as jupyter:
            begun = jupyter.post("jupyter-oidc/providers/corp/sign-in", json={})
            provider.browser().open(str(httpx.URL(process.url).join(begun.json()["start_url"])))
            kernel_id, key = start_kernel(process, jupyter)
            with process.stranger() as kernel:
                grant = kernel.post(GRANT, json=proof(kernel_id, key)).json()["grant"]
                CANARY.hold(grant)
                kernel.headers["Authorization"] = f"Bearer {grant}"
                assert kernel.get("jupyter-oidc/api/orders/items?key=secret-of-a-query").status_code == 200
                refused = kernel.get("jupyter-oidc/api/dead/items?key=secret-of-a-query")
            yield Audited(process, jupyter, kernel_id, refused)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Audited]]:
    """A server with every recipe of the page that is a setting, and the folder into which its files go."""
    folder = tmp_path_factory.mktemp("audited")
    recipes = [name for name, (_, text) in RECIPES.items() if "\nc." in f"\n{text}"]
    assert len(recipes) == 3
    with audited(folder, *recipes) as opened:
        for name in ("jupyter-oidc.log", "jupyter-events.jsonl"):
            wait_for(folder / name, opened.refused.json()["request_id"])
        yield folder, opened


def wait_for(file: Path, words: str) -> None:
    """Return once ``file`` holds ``words``: log and events are written after the reply, which their readers have by then."""
    for _ in range(400):
        if file.exists() and words in file.read_text(encoding="utf-8"):
            return
        time.sleep(0.05)
    raise AssertionError(f"{file.name} does not hold {words}")


def calls(folder: Path) -> list[dict[str, Any]]:
    """The call events in the file of the recipe."""
    lines = (folder / "jupyter-events.jsonl").read_text(encoding="utf-8").splitlines()
    return [event for event in map(json.loads, lines) if event["__schema__"].endswith("/jupyter_oidc/call/v1")]


def test_every_block_of_settings_on_the_page_is_tried_here() -> None:
    """Q5.10: a recipe without a test is a guess."""
    blocks = re.findall(r"```(\w+)\n", PAGE)
    assert (len(blocks), set(RECIPES)) == (
        len(RECIPES),
        {
            "the log of jupyter_oidc in a file",
            "events in a file",
            "events that name the person",
            "read the events",
            "scrape",
            "alerts",
        },
    )


def test_the_log_in_a_file_has_refusals_and_the_trail_of_provider_calls(server: tuple[Path, Audited]) -> None:
    """Q5.10: endpoint, host, status and milliseconds at DEBUG; a refusal with the id that its caller was told."""
    folder, opened = server
    log = (folder / "jupyter-oidc.log").read_text(encoding="utf-8")
    trail = re.findall(
        r"DEBUG jupyter_oidc\.protocol jupyter_oidc: provider call: (\w+) at 127\.0\.0\.1: 200 in \d+ms", log
    )
    assert {"metadata", "keys", "token"} <= set(trail)
    request_id = opened.refused.json()["request_id"]
    assert re.search(
        r"WARNING jupyter_oidc\.proxy jupyter_oidc: api dead: refused: upstream_unreachable \(upstream\.refused\) "
        rf"GET by kernel {opened.kernel_id}, 502 in \d+ms \[{re.escape(request_id)}\]",
        log,
    )
    assert re.search(r"INFO jupyter_oidc\.sessions jupyter_oidc: provider corp: signed-in", log)
    assert "secret-of-a-query" not in log


def test_the_servers_own_log_has_the_same_lines_once_and_no_more_than_its_level_lets_through(
    server: tuple[Path, Audited],
) -> None:
    """Q5.10: the server's log is complete without the trail, and the trail is on for those who ask for it."""
    _, opened = server
    log = opened.process.log
    assert log.count(opened.refused.json()["request_id"]) == 1
    assert log.count("provider corp: signed-in") == 1
    assert "provider call:" not in log


def test_events_in_a_file_say_who_called_what_and_why_it_failed(server: tuple[Path, Audited]) -> None:
    """Q5.10: person, API, method, code, kernel, request id."""
    folder, opened = server
    told = [
        (one["person"], one["api"], one["method"], one["status"], one["code"], one["kernel_id"], one["request_id"])
        for one in calls(folder)
    ]
    request_id = opened.refused.json()["request_id"]
    assert told == [
        (SUBJECT, "orders", "GET", 200, None, opened.kernel_id, None),
        (SUBJECT, "dead", "GET", 502, "upstream_unreachable", opened.kernel_id, request_id),
    ]
    assert "secret-of-a-query" not in (folder / "jupyter-events.jsonl").read_text(encoding="utf-8")


def test_the_script_that_reads_the_events_answers_the_question(server: tuple[Path, Audited]) -> None:
    """Q5.10: Every failed proxied call leaves one line."""
    folder, opened = server
    ran = subprocess.run(
        [sys.executable, "-c", RECIPES["read the events"][1]],
        cwd=folder,
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=True,
    )
    last = ran.stdout.splitlines()[-1].split(" ", 1)[1]
    request_id = opened.refused.json()["request_id"]
    assert last == f"{SUBJECT} {opened.kernel_id} GET dead upstream_unreachable [{request_id}]"


def test_without_the_setting_no_event_names_a_person(tmp_path: Path) -> None:
    """Q5.10: it is personal data, so the administrator has to ask for it."""
    with audited(tmp_path, "events in a file"):
        pass
    events = calls(tmp_path)
    assert (len(events), {one["person"] for one in events}) == (2, {None})
    assert SUBJECT not in (tmp_path / "jupyter-events.jsonl").read_text(encoding="utf-8")


def test_metrics_are_scraped_as_the_page_says(server: tuple[Path, Audited]) -> None:
    """Q5.10: Jupyter's token by the scheme Bearer, which is all that Prometheus knows."""
    _, opened = server
    [job] = yaml.safe_load(RECIPES["scrape"][1])["scrape_configs"]
    authorization = f"{job['authorization']['type']} {opened.process.token}"
    with opened.process.stranger() as prometheus:
        assert prometheus.get(job["metrics_path"].lstrip("/")).status_code in (302, 403)
        scraped = prometheus.get(job["metrics_path"].lstrip("/"), headers={"Authorization": authorization})
    assert (scraped.status_code, "jupyter_oidc_calls_total{" in scraped.text) == (200, True)


def selectors(expression: str) -> list[tuple[str, dict[str, str]]]:
    """Every counter in a rule, with the conditions on its labels."""
    found = re.findall(r"(jupyter_\w+)(?:\{([^}]*)\})?", expression)
    return [(name, dict(re.findall(r'(\w+)=~?"([^"]*)"', labels))) for name, labels in found]


def test_every_counter_and_label_of_the_alerts_exists(server: tuple[Path, Audited]) -> None:
    """Q5.10: an alert on a name that nothing has never fires."""
    _, opened = server
    opened.jupyter.get("jupyter-oidc/providers/corp/callback?error=access_denied&state=" + "x" * 43)
    shown = opened.jupyter.get("metrics").text
    [group] = yaml.safe_load(RECIPES["alerts"][1])["groups"]
    assert len(group["rules"]) == 5
    for rule in group["rules"]:
        for name, conditions in selectors(rule["expr"]):
            series = re.findall(rf"^{name}\{{([^}}]*)\}}", shown, re.MULTILINE)
            assert series, f"{rule['alert']}: nothing shows {name}"
            labels = {label for one in series for label in re.findall(r'(\w+)="', one)}
            grouped = {word for by in re.findall(r"by \(([^)]*)\)", rule["expr"]) for word in by.split(", ")}
            named = set(re.findall(r"\$labels\.(\w+)", rule["annotations"]["summary"]))
            assert conditions.keys() | grouped | named <= labels, rule["alert"]


def test_every_kind_code_and_outcome_in_the_alerts_is_one_that_is_counted() -> None:
    """Q5.10: a word that nothing is called never fires either."""
    from jupyter_oidc.problems import BY_CODE

    known = {
        "kind": {one.value for one in SessionTransition},
        "code": set(BY_CODE),
        "outcome": {"2xx", "3xx", "4xx", "5xx", "refused", "client_abort", "upstream_truncated", "websocket"},
    }
    [group] = yaml.safe_load(RECIPES["alerts"][1])["groups"]
    for rule in group["rules"]:
        for _, conditions in selectors(rule["expr"]):
            for label, pattern in conditions.items():
                for word in pattern.split("|"):
                    assert any(re.fullmatch(word, one) for one in known[label]), (rule["alert"], label, word)


def test_every_reason_on_the_page_is_one_that_the_proxy_gives() -> None:
    """Q5.10: Every failed proxied call leaves one line."""
    listed = set(re.findall(r"`(upstream\.\w+)`", PAGE))
    source = Path(__file__).parents[2] / "jupyter_oidc"
    text = "\n".join(file.read_text(encoding="utf-8") for file in (source / "adapters").rglob("*.py"))
    given = set(re.findall(r'detail="(upstream\.\w+)"', text)) - {"upstream.socket"}
    given |= {f"upstream.{word}" for word in ("dns", "tls", "connect", "answer", "refused", "no_route", "timeout")}
    assert listed == given
