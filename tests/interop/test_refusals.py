"""Bad input gets a clear error and loses nothing: a real server, the certified provider, and a user who tries."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.interop.person import Person, at_work
from tests.support.canary import CANARY
from tests.support.certified_provider import CertifiedProvider
from tests.support.form import links_of
from tests.support.form_sign_in import FormBrowser
from tests.support.jupyter_process import JupyterProcess
from tests.support.kernel_proof import GRANT, proof, start_kernel
from tests.support.upstream import Upstream


@pytest.fixture(scope="module")
def quiet() -> Iterator[Upstream]:
    with Upstream() as upstream:
        yield upstream


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory, provider: CertifiedProvider, quiet: Upstream) -> Iterator[Person]:
    with at_work(tmp_path_factory.mktemp("refusals"), provider, quiet) as person:
        yield person


@pytest.fixture
def person(shared: Person, provider: CertifiedProvider) -> Iterator[Person]:
    """The same server for all tests, but without a session, and with a new browser."""
    yield Person(shared.process, provider, shared.jupyter, FormBrowser(provider.issuer))
    shared.post("sign-out")


def to_callback(person: Person) -> tuple[dict[str, Any], str]:
    """Begin and walk to the very last step; return the sign-in and the callback URL that comes next."""
    started = person.begin()
    callback = person.process.callback("corp")
    last = person.browser.sign_in(person.start_url(started), "user1", "any", stop_at=callback)
    return started, last.headers["location"]


def progress(person: Person, started: dict[str, Any]) -> dict[str, Any]:
    told: dict[str, Any] = person.jupyter.get(f"jupyter-oidc/providers/corp/sign-in/{started['flow']}").json()
    return told


def code_of(page: httpx.Response) -> tuple[int, str | None]:
    return page.status_code, page.headers.get("x-oidc-error")


# -- callbacks ---------------------------------------------------------------------------------------------


def test_a_reloaded_callback_shows_the_end_again_and_redeems_nothing(person: Person) -> None:
    """A2: the back button of the browser that signed in; no request goes to the token endpoint."""
    _, url = to_callback(person)
    assert person.browser.open(url).status_code == 200
    before = person.provider.record().token_requests
    assert "You are signed in" in person.browser.open(url).text
    assert person.provider.record().token_requests == before


def test_a_replayed_callback_is_refused_and_the_session_stays(person: Person) -> None:
    """A4: the whole URL of a finished sign-in, in a browser that has no part in it."""
    _, url = to_callback(person)
    assert person.browser.open(url).status_code == 200
    assert code_of(FormBrowser(person.provider.issuer).open(url)) == (400, "state_invalid")
    assert person.summary()["state"] == "active"


def test_a_callback_in_another_browser_is_refused(person: Person) -> None:
    """R-9, C8: another user's code in this browser, or this user's code in another browser, begins no session."""
    started, url = to_callback(person)
    other = FormBrowser(person.provider.issuer)
    assert code_of(other.open(url)) == (400, "state_invalid")
    assert person.summary()["state"] != "active"
    assert progress(person, started)["state"] == "waiting", "the right browser may still finish"
    assert person.browser.open(url).status_code == 200
    assert person.summary()["state"] == "active"


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("", "response_malformed"),
        ("code=abc", "state_invalid"),
        ("code=abc&state=made-up", "state_invalid"),
        ("error=access_denied&state=made-up", "state_invalid"),
        ("code=abc&state=one&state=two", "response_malformed"),
        ("code=%ff%fe&state=x", "response_malformed"),
        ("&".join(f"p{i}=1" for i in range(60)), "response_malformed"),
    ],
)
def test_a_forged_callback_is_refused(person: Person, query: str, code: str) -> None:
    page = person.browser.open(f"{person.process.callback('corp')}?{query}")
    assert code_of(page) == (400, code)
    assert "code=abc" not in page.text


def test_a_declined_sign_in_says_that_it_was_declined(person: Person) -> None:
    started = person.begin()
    page = person.browser.sign_in(person.start_url(started), "user1", "any", decline=True)
    assert code_of(page) == (400, "sign_in_declined")
    assert "Sign-in was declined" in page.text
    told = progress(person, started)
    assert (told["state"], told["error"]["code"]) == ("failed", "sign_in_declined")
    assert person.summary()["state"] == "signed-out", "the link to try again is an offer, not a sign-in"
    assert "You are signed in" in person.browser.sign_in(again_link(page), "user1", "any").text
    assert person.summary()["state"] == "active"


def again_link(page: httpx.Response) -> str:
    """The link of the button "Try again"."""
    return str(page.url.join(next(link for link in links_of(page.text) if "/start/" in link)))


def test_a_start_ticket_works_once(person: Person) -> None:
    started = person.begin()
    first = person.browser.open(person.start_url(started))
    assert first.url.host == "127.0.0.1"
    again = FormBrowser(person.provider.issuer).open(person.start_url(started))
    assert code_of(again) == (400, "state_invalid")
    assert "already used" in again.text


def test_a_cancelled_sign_in_cannot_be_finished(person: Person) -> None:
    started, url = to_callback(person)
    told = person.jupyter.delete(f"jupyter-oidc/providers/corp/sign-in/{started['flow']}").json()
    assert told["state"] == "cancelled"
    assert person.browser.open(url).status_code == 400
    assert person.summary()["state"] == "signed-out"


# -- providers ---------------------------------------------------------------------------------------------


def test_a_provider_of_another_name_is_refused(tmp_path: Path, provider: CertifiedProvider, quiet: Upstream) -> None:
    """D-3: the document's issuer must be that of the settings, to the letter."""
    issuer = provider.issuer.replace("127.0.0.1", "localhost")
    with at_work(tmp_path, provider, quiet, changes={"issuer": issuer}) as person:
        refused = person.jupyter.post("jupyter-oidc/providers/corp/sign-in", json={})
        started = refused.json()
        if refused.status_code == 201:
            page = person.browser.open(person.start_url(started))
            assert code_of(page) == (502, "issuer_mismatch")
        else:
            assert (refused.status_code, started["code"]) == (502, "issuer_mismatch")


def test_a_server_that_starts_before_its_provider_recovers_without_a_restart(
    tmp_path: Path, provider: CertifiedProvider, quiet: Upstream
) -> None:
    provider.down("refuse")
    try:
        with at_work(tmp_path, provider, quiet) as person:
            assert person.summary()["state"] == "signed-out"
            refused = person.jupyter.post("jupyter-oidc/providers/corp/sign-in", json={})
            assert (refused.status_code, refused.json()["code"]) == (503, "idp_unavailable")
            provider.up()
            person.sign_in()
            assert person.summary()["state"] == "active"
    finally:
        provider.up()


# -- settings ----------------------------------------------------------------------------------------------


def test_every_mistake_in_the_settings_is_logged_and_jupyter_runs(tmp_path: Path) -> None:
    """D8: one line each in the log, the same list in every reply, no secret repeated."""
    wrong = {
        "corp": {"issuer": "http://id.example.com", "client_id": "", "client_secret": "hunter2-hunter2", "scops": []},
    }
    with JupyterProcess(tmp_path / "jupyter", wrong) as process, process.client() as client:
        assert client.get("api/status").status_code == 200
        told = client.get("jupyter-oidc/providers")
        assert (told.status_code, told.json()["code"]) == (500, "configuration_invalid")
    log = process.log
    complaints = [line for line in log.splitlines() if "jupyter_oidc is off until this is corrected" in line]
    assert len(complaints) >= 4
    for key in ("issuer", "client_id", "client_secret", "scops"):
        assert any(f"corp.{key}" in line for line in complaints), key
        assert f"corp.{key}" in told.json()["message"], key
    assert not any("hunter2" in line for line in complaints)


# -- kernels -----------------------------------------------------------------------------------------------


def test_a_kernel_proof_is_good_once_and_only_from_the_kernel(person: Person) -> None:
    """Forged, replayed, old, for another kernel: refused, all with the same code."""
    kernel_id, key = start_kernel(person.process, person.jupyter)
    other_id, _ = start_kernel(person.process, person.jupyter)
    with person.process.stranger() as kernel:
        good = proof(kernel_id, key)
        for bad in (
            proof(kernel_id, b"guessed", nonce="a" * 22),
            proof(other_id, key, nonce="b" * 22),
            proof(kernel_id, key, nonce="c" * 22, issued_at=int(time.time()) - 120),
            {**good, "nonce": "d" * 22},
        ):
            refused = kernel.post(GRANT, json=bad)
            assert (refused.status_code, refused.json()["code"]) == (401, "grant_invalid")
        assert kernel.post(GRANT, json=good).status_code == 200
        replayed = kernel.post(GRANT, json=good)
        assert (replayed.status_code, replayed.json()["code"]) == (401, "grant_invalid")


def test_a_grant_dies_with_its_kernel_and_opens_only_what_is_marked_k(person: Person) -> None:
    kernel_id, key = start_kernel(person.process, person.jupyter)
    with person.process.stranger() as kernel:
        grant = kernel.post(GRANT, json=proof(kernel_id, key)).json()["grant"]
        kernel.headers["Authorization"] = f"Bearer {grant}"
        assert kernel.get("jupyter-oidc/apis").status_code == 200
        assert kernel.get("api/kernels").status_code == 403
        assert kernel.get("api/contents").status_code == 403
        person.jupyter.delete(f"api/kernels/{kernel_id}")
        refused = kernel.get("jupyter-oidc/apis")
        assert (refused.status_code, refused.json()["code"]) == (401, "grant_invalid")
        late = kernel.post(GRANT, json=proof(kernel_id, key, nonce="e" * 22), headers={"Authorization": ""})
        assert (late.status_code, late.json()["code"]) == (401, "grant_invalid")


def test_no_secret_is_in_the_environment_of_a_kernel(person: Person) -> None:
    """Neither in the one it was started with nor in the one it has; its output passes the canary."""
    person.sign_in()
    person.provider.issued()
    first, second = person.run(
        "print(open('/proc/self/environ').read().replace(chr(0), '\\n'))" if Path("/proc/self").exists() else "print()",
        "import os\nprint('\\n'.join(f'{name}={value}' for name, value in os.environ.items()))",
    )
    assert "JPY_PARENT_PID=" in second.text
    assert CANARY.look("a kernel's environment", first.text + second.text)


def test_a_provider_without_a_choice_of_accounts_asks_for_a_login_at_the_next_attempt(
    tmp_path: Path, provider: CertifiedProvider, upstream: Upstream
) -> None:
    """The certified provider does not know ``select_account``, and calls the request invalid."""
    with at_work(tmp_path, provider, upstream) as person:
        begun = person.jupyter.post("jupyter-oidc/providers/corp/sign-in", json={"prompt": "select_account"}).json()
        page = person.browser.open(person.start_url(begun))
        assert (page.status_code, page.headers["X-OIDC-Error"]) == (400, "sign_in_refused")
        assert "The provider offers no choice of accounts (invalid_request)." in page.text
        (again,) = [link for link in links_of(page.text) if "/start/" in link]
        last = person.browser.sign_in(str(httpx.URL(str(page.url)).join(again)), "user1", "any")
        assert "You are signed in" in last.text
        assert person.summary()["state"] == "active"
