"""The grants for workers in the panel of real JupyterLab: listed a moment after a cell has made them, and revoked."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.e2e.lab_page import SLOW, Lab

MAKE = """
import jupyter_oidc as oidc
grant = oidc.delegate("orders", name="nightly report")
print(grant.api().get("items").status_code)
"""
CALL = """
try:
    print(grant.api().get("items").status_code)
except oidc.GrantInvalid as ended:
    print(ended.message)
"""


def test_a_grant_is_listed_with_its_last_use_and_revoked_by_a_click(author: Lab) -> None:
    author.sign_in()
    grants = author.panel.get_by_role("region", name="Grants for workers")
    expect(grants).to_have_count(0)
    assert author.run_code(MAKE).strip() == "200"
    expect(grants).to_contain_text("nightly report", timeout=SLOW)
    expect(grants).to_contain_text("orders: GET, HEAD")
    expect(grants).to_contain_text("Last used")
    author.button("Revoke the grant nightly report").click()
    expect(grants).to_have_count(0)
    expect(author.panel.get_by_text("Revoked the grant nightly report.")).to_be_visible()
    assert "The worker grant has ended" in author.run_code(CALL)


def test_a_sign_out_takes_the_list_away(author: Lab) -> None:
    author.sign_in()
    author.run_code(MAKE)
    grants = author.panel.get_by_role("region", name="Grants for workers")
    expect(grants).to_be_visible(timeout=SLOW)
    author.button("Sign out").click()
    author.says("Sign in")
    expect(grants).to_have_count(0)
