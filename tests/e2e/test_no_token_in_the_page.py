"""After a whole journey no token of the provider is in the browser, on the wire to it, in the notebook or in the log.

Law 9, seen from the page: heaps of page and workers, every storage, cookies, every body and every WebSocket frame that
came from or went to Jupyter. A second test plants values in the same places and finds each of them.
"""

from __future__ import annotations

from pathlib import Path

from tests.e2e.lab_page import visiting
from tests.e2e.world import World
from tests.support.browser import Chromium
from tests.support.leak_search import Found, LeakSearch
from tests.support.page_memory import heaps, markup, stores
from tests.support.recording import CALLBACK, Recording

CELL = """
import jupyter_oidc as oidc
oidc.session()
print(oidc.session().user.name, oidc.api("orders").get("items").json())
"""


def test_a_whole_journey_leaves_no_token_in_the_browser(world: World, browser: Chromium, tmp_path: Path) -> None:
    recording = Recording(tmp_path / "provider" / "journey.har")
    with visiting(browser, world.process, recording=recording) as lab:
        lab.open("lab/tree/notebook.ipynb?reset")
        lab.sign_in()
        assert lab.call_from_page() == (200, '{"path": "/v1/items"}')
        assert "Example User {'path': '/v1/items'}" in lab.run_code(CELL)
        assert world.person.post("refresh").json()["state"] == "active"
        assert lab.call_from_page()[0] == 200
        lab.sign_out()
        lab.sign_in()
        assert lab.call_from_page()[0] == 200
        lab.save()
        kinds = dict.fromkeys(kind for kind, _ in world.provider.record().issued)
        assert list(kinds) == ["code", "access_token", "refresh_token", "id_token"]
        search = LeakSearch(world.provider.record().issued)
        kept = [*heaps(lab.page), *stores(lab.page.context), *markup(lab.page.context)]
        assert sum(len(text) for _, text in kept) > 10_000_000
        found = search.look_at_all(kept)

    wire = [*recording.texts(world.process.url)]
    assert len([place for place, _ in wire if place.startswith("the body of the reply")]) > 50
    assert len([place for place, _ in wire if place.startswith("a frame of")]) > 20
    found |= search.look_at_all(wire)
    found |= search.look("the saved notebook", world.notebook.read_bytes())
    found |= search.look("the server's log", world.process.log)
    assert found == {Found(CALLBACK, "code")}, "A code passes the browser once, on its way to the callback."


PLANT = """async () => {
    const value = () => btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(33)))).replace(/[+/]/g, "x");
    const planted = Object.fromEntries(PLACES.map(place => [place, value()]));
    const closed = planted["a closure"], long = "a, ".repeat(100000) + planted["the end of a long text"];
    const halves = [planted["two halves"].slice(0, 20), planted["two halves"].slice(20)];
    window.kept = () => [closed, long, halves, btoa("x" + planted["base64"]), encodeURIComponent(planted["a URL"] + "/")];
    window.kept();
    window.held = kept();
    sessionStorage.setItem("kept", planted["the session storage"]);
    localStorage.setItem("kept", planted["the local storage"]);
    document.cookie = `kept=${planted["a cookie"]}`;
    document.body.append(document.createComment(planted["a comment"]));
    await (await caches.open("kept")).put("kept", new Response(planted["a cache"]));
    await new Promise(done => {
        const opening = indexedDB.open("kept");
        opening.onupgradeneeded = () => opening.result.createObjectStore("kept").put(planted["a database"], 1);
        opening.onsuccess = done;
    });
    const source = "onmessage = ({data}) => { self.kept = () => data; postMessage(1); }";
    window.worker = new Worker(URL.createObjectURL(new Blob([source])));
    await new Promise(done => { worker.onmessage = done; worker.postMessage(planted["a worker"]); });
    await fetch("api/status", {method: "POST", body: planted["a body"], headers: {kept: planted["a header"]}});
    const socket = new WebSocket(`${location.origin.replace("http", "ws")}/team/jupyter/api/events/subscribe`);
    await new Promise(done => { socket.onopen = done; });
    socket.send(planted["a frame"]);
    return planted;
}"""
IN_MEMORY = ("a closure", "the end of a long text", "two halves", "base64", "a URL", "a worker")
STORED = ("the session storage", "the local storage", "a cookie", "a comment", "a cache", "a database")
SENT = ("a body", "a header", "a frame")


def test_the_search_finds_what_is_planted_in_each_of_these_places(
    world: World, browser: Chromium, tmp_path: Path
) -> None:
    """The test above can fail."""
    recording = Recording(tmp_path / "provider" / "planted.har")
    with visiting(browser, world.process, recording=recording) as lab:
        lab.page.goto(f"{world.process.url}api/status?token={world.process.token}")
        lab.page.goto(f"{world.process.url}no-such-page")
        planted = lab.page.evaluate(PLANT.replace("PLACES", repr([*IN_MEMORY, *STORED, *SENT])))
        search = LeakSearch(planted.items())
        in_memory = search.look_at_all(heaps(lab.page))
        stored = search.look_at_all([*stores(lab.page.context), *markup(lab.page.context)])
    sent = search.look_at_all(recording.texts(world.process.url))
    assert {found.kind for found in in_memory} >= set(IN_MEMORY)
    assert {found.kind for found in in_memory if "worker" in found.place} == {"a worker"}
    assert {found.kind for found in stored} == set(STORED)
    assert {found.kind for found in sent} >= set(SENT)
