"""The visitor of demo-check reads forms as a browser does."""

from __future__ import annotations

from jupyter_oidc.demo.browser import Form, forms_of


def test_form_keeps_its_hidden_values_and_its_method() -> None:
    page = """<form method="post" action="/in?a=1"><input type="hidden" name="transaction_id" value="t&amp;1">
    <input name="note"><input type="submit"></form>"""
    assert forms_of(page) == [
        Form("/in?a=1", "POST", {"transaction_id": "t&1", "note": ""}, []),
    ]


def test_buttons_are_told_apart_from_the_values_that_are_always_sent() -> None:
    page = """<form method="post"><button name="username" value="ada">Ada</button>
    <button name="username" value="ben">Ben</button><button>Go on</button></form>"""
    assert forms_of(page) == [Form("", "POST", {}, [("username", "ada"), ("username", "ben")])]


def test_fields_belong_to_the_form_they_stand_in() -> None:
    page = '<form><input name="a" value="1"></form><form action="/b"><input name="b"></form>'
    assert [form.fields for form in forms_of(page)] == [{"a": "1"}, {"b": ""}]


def test_form_without_a_method_is_a_get() -> None:
    assert forms_of("<form></form>") == [Form("", "GET", {}, [])]
