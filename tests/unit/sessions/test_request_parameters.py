"""A sign-in chooses scopes and prompt where the settings leave them open."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from jupyter_oidc.sessions.pending import SignInOptions
from jupyter_oidc.sessions.request_parameters import prompt_of, scopes_of
from jupyter_oidc.sessions.step_up import StepUp
from jupyter_oidc.settings import Provider, Settings, read_settings
from jupyter_oidc.settings.presets import names, preset
from tests.unit.protocol.makers import ISSUER, METADATA
from tests.unit.sessions.fake_environment import SETTINGS, FakeEnvironment
from tests.unit.sessions.test_device import environment_of
from tests.unit.settings.test_presets import filled

LISTED = replace(METADATA, scopes_supported=frozenset({"openid", "profile", "email"}))
KNOWN = replace(METADATA, scopes_supported=frozenset({"openid", "offline_access"}))


def settings(**written: Any) -> Provider:
    read = read_settings({"corp": {"issuer": ISSUER, "client_id": "jupyter", **written}})
    assert isinstance(read, Settings)
    return read.providers[0]


async def request_of(
    fake_environment: FakeEnvironment, options: SignInOptions | None = None, api: str | None = None
) -> dict[str, str]:
    """Return the parameters of the authorization request."""
    pending, _ = await fake_environment.service.sign_ins.begin("user:a", options or SignInOptions(), api=api)
    url, _ = await fake_environment.service.sign_ins.authorization_url(pending, "http://localhost:8888/cb")
    return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}


async def test_hint_and_languages_of_the_settings_are_sent_unless_the_sign_in_has_its_own() -> None:
    """Q5.14: A level that was asked for is checked. A-8: Optional parameters are sent only if asked for."""
    fake_environment = FakeEnvironment(replace(SETTINGS, login_hint="ada@example.com", ui_locales=("de-AT", "en")))
    asked = await request_of(fake_environment)
    assert (asked["login_hint"], asked["ui_locales"]) == ("ada@example.com", "de-AT en")
    own = await request_of(fake_environment, SignInOptions(login_hint="bob@example.com", ui_locales=("fr",)))
    assert (own["login_hint"], own["ui_locales"]) == ("bob@example.com", "fr")
    assert not {"login_hint", "ui_locales", "acr_values"} & (await request_of(FakeEnvironment())).keys()


async def test_languages_among_the_parameters_of_older_settings_are_sent_as_before() -> None:
    """A setting keeps working at its old place after it has got a key of its own."""
    fake_environment = FakeEnvironment(replace(SETTINGS, authorization_parameters=(("ui_locales", "de"),)))
    assert (await request_of(fake_environment))["ui_locales"] == "de"


async def test_a_level_that_the_caller_asks_for_is_asked_for_unless_an_api_has_asked() -> None:
    """Q5.14: the caller cannot ask for less than the API."""
    fake_environment = FakeEnvironment()
    await fake_environment.sign_in()
    mine = SignInOptions(step_up=StepUp(("phr",)))
    assert (await request_of(fake_environment, mine))["acr_values"] == "phr"
    fake_environment.service.current.expect_step_up("orders", StepUp(("gold",)))
    assert (await request_of(fake_environment, mine, api="orders"))["acr_values"] == "gold"


def test_a_default_scope_that_the_provider_does_not_list_is_left_out() -> None:
    """Q9.6: Django OAuth Toolkit refuses a sign-in with such a scope."""
    assert scopes_of(settings(), LISTED) == ("openid", "profile", "email")


@pytest.mark.parametrize(
    "metadata", [METADATA, KNOWN, replace(METADATA, scopes_supported=frozenset())], ids=["no list", "listed", "empty"]
)
def test_a_default_scope_that_may_be_known_is_asked_for(metadata: Any) -> None:
    """Q9.6: an empty list tells nothing."""
    assert scopes_of(settings(), metadata) == ("openid", "profile", "email", "offline_access")


def test_what_somebody_wrote_is_asked_for() -> None:
    """Q9.6: this holds even if the value is the default."""
    written = ["openid", "profile", "email", "offline_access"]
    assert scopes_of(settings(scopes=written), LISTED) == tuple(written)


async def test_a_scope_that_is_left_out_is_nowhere_asked_for_and_not_missed() -> None:
    """Q9.6: neither the redirect nor the request for a code asks for it, and the summary does not report it missing."""
    unlisted = {"scopes_supported": ["openid", "profile", "email"]}
    fake_environment = FakeEnvironment(settings())
    fake_environment.provider.advertise = unlisted
    assert (await request_of(fake_environment))["scope"] == "openid profile email"
    await fake_environment.sign_in()
    summary = await fake_environment.service.view.summary()
    assert (summary.scopes, summary.missing_scopes) == (("openid", "profile", "email"), ())
    by_code = environment_of(settings(redirect_strategy="device"))
    by_code.provider.advertise |= unlisted
    await by_code.service.sign_ins.begin("user:a")
    await by_code.service.aclose()
    (form,) = [dict(call.form) for call in by_code.provider.sent if call.url.endswith("/device")]
    assert form["scope"] == "openid profile email"


async def test_consent_goes_along_where_a_refresh_token_is_asked_for() -> None:
    """Q5.13; OpenID Connect Core 1.0, 11: without consent, the provider must ignore the scope."""
    assert (await request_of(FakeEnvironment()))["prompt"] == "consent"


@pytest.mark.parametrize(
    ("changed", "options", "prompt"),
    [
        ({"scopes": ("openid", "profile")}, SignInOptions(), None),
        ({"offline_access_prompt": "none"}, SignInOptions(), None),
        ({"prompt": "login"}, SignInOptions(), "login"),
        ({}, SignInOptions(prompt="login"), "login"),
        ({}, SignInOptions(prompt="none"), "none"),
        ({}, SignInOptions(step_up=StepUp(acr_values=("gold",))), None),
        ({}, SignInOptions(step_up=StepUp(max_age=0)), None),
        ({"offline_access_prompt": "none", "prompt": "consent"}, SignInOptions(), "consent"),
    ],
    ids=["not asked for", "settings say no", "set", "wished", "silent", "step-up", "step-up by age", "set beside no"],
)
def test_nobody_is_asked_for_consent_where_something_else_was_said(
    changed: dict[str, Any], options: SignInOptions, prompt: str | None
) -> None:
    """Q5.13: a silent sign-in stays silent, and a step-up needs no consent."""
    assert prompt_of(replace(SETTINGS, **changed), METADATA, options) == prompt


@pytest.mark.parametrize(
    ("changed", "prompt"),
    [
        ({}, "select_account consent"),
        ({"prompt": "login"}, "select_account consent"),
        ({"offline_access_prompt": "none"}, "select_account"),
        ({"scopes": ("openid", "profile")}, "select_account"),
    ],
    ids=["settings say nothing", "another is set", "settings say no", "not asked for"],
)
def test_a_session_with_another_account_can_be_refreshed_too(changed: dict[str, Any], prompt: str) -> None:
    """A provider ignores ``offline_access`` without ``consent``, also where the person chooses an account."""
    options = SignInOptions(prompt="select_account")
    assert prompt_of(replace(SETTINGS, **changed), METADATA, options) == prompt


def test_a_scope_that_is_left_out_brings_no_question() -> None:
    """Q5.13: Offline access is asked for with consent. Q9.6: Offline access is omitted where unlisted."""
    assert prompt_of(settings(), LISTED, SignInOptions()) is None


@pytest.mark.parametrize("name", names())
def test_no_preset_asks_for_consent_that_its_provider_does_not_need(name: str) -> None:
    """Q5.13: a preset asks only where the documentation makes consent a condition of refresh tokens."""
    read = read_settings({"corp": filled(preset(name).body())})
    assert isinstance(read, Settings)
    wanted = {"google": "consent"}.get(name)
    assert prompt_of(read.providers[0], KNOWN, SignInOptions()) == wanted


async def test_a_sign_in_by_code_is_not_asked_twice() -> None:
    """Q5.13: the rule applies to authorization requests; a user who enters a code consents there anyway."""
    fake_environment = environment_of()
    await fake_environment.service.sign_ins.begin("user:a")
    await fake_environment.service.aclose()
    (form,) = [dict(call.form) for call in fake_environment.provider.sent if call.url.endswith("/device")]
    assert "prompt" not in form
