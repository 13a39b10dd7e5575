"""The same extension in Notebook 7, served by the same Jupyter server: it has no status bar, so the top bar tells."""

from __future__ import annotations

from jupyter_oidc.demo.environment import DemoEnvironment
from tests.e2e.conftest import sign_out
from tests.e2e.lab_page import answer_certified, answer_demo, visiting
from tests.e2e.world import World
from tests.support.browser import Chromium

PATH = "notebooks/notebook.ipynb"
CELL = "import jupyter_oidc as oidc\nprint(oidc.api('orders').get('items').json())"


def test_a_person_signs_in_calls_from_a_cell_and_signs_out_in_notebook_7(world: World, browser: Chromium) -> None:
    with visiting(browser, world.process) as without:
        without.page.route("**/@jupyter-oidc/**", lambda route: route.abort())
        without.page.goto(f"{world.process.url}{PATH}?token={world.process.token}")
        without.kernel_is_idle()
    with visiting(browser, world.process) as lab:
        lab.open(PATH)
        address = lab.address
        lab.says("Sign in")
        window = lab.begin()
        answer_certified(window)
        lab.says("Example User")
        lab.gone(window)
        assert lab.run_code(CELL).strip() == "{'path': '/v1/items'}"
        lab.button("Sign out").click()
        lab.says("Sign in")
        assert lab.address == address
        assert set(lab.complaints) - set(without.complaints) == set(), "Notebook has a few complaints of its own."


def test_a_person_finds_an_operation_and_changes_the_account_in_notebook_7(
    demo: DemoEnvironment, browser: Chromium
) -> None:
    """The catalogue and the accounts of the panel are there as in JupyterLab; the inserted cell runs."""
    with visiting(browser, demo) as lab:
        lab.open("notebooks/tutorial.ipynb")
        window = lab.begin()
        answer_demo(window)
        lab.says("Ada Lovelace")
        lab.gone(window)
        lab.kernel_is_idle()
        lab.find_insert_and_run_search()
        window = lab.begin("Use another account")
        answer_demo(window, "Ben Herschel")
        window.get_by_role("button", name="Sign in as Ben Herschel").click()
        lab.says("Ben Herschel")
    sign_out(demo)
