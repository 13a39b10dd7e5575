"""A check is fine, wrong or unknown: doctor presents no guess as a finding, and sends no guess to a provider."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import Any

import pytest

from jupyter_oidc.cli.doctor import _merge_checks
from jupyter_oidc.cli.running import address_of, admits_by
from jupyter_oidc.diagnostics import Check, Report, examine
from jupyter_oidc.diagnostics.context import Admission, Authorities
from jupyter_oidc.diagnostics.report import as_json, as_text
from jupyter_oidc.secret import Secret
from jupyter_oidc.sessions.oauth_errors import refusal_of
from jupyter_oidc.settings import Provider, SecretRef
from tests.support.marker import MARKER
from tests.unit.diagnostics.contexts import CORP, Answering, credentials, diagnostic_context, named
from tests.unit.protocol.makers import RSA, document, reply
from tests.unit.sessions.fake_environment import DEVICE, FakeEnvironment

CALLBACK = CORP.redirect_uri or ""
UNSET = replace(CORP, redirect_uri=None)


def examined(port: Answering | None = None, provider: Provider = CORP, **changes: Any) -> tuple[Check, ...]:
    """Return the checks at a terminal, where no browser was seen; ask to authorize if ``port`` has an answer for it."""
    context = diagnostic_context(port, provider, **{"address_seen_by_browsers": False, **changes})
    asks = port is not None and "authorize" in port.answers
    return asyncio.run(examine(context, asks_registration=asks, seconds=5)).checks


# -- Q9.10: a guess ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ip", [None, "127.0.0.1", "0.0.0.0", "10.0.0.5", "::1"])
def test_what_the_configuration_would_make_of_the_address_is_no_finding(ip: str | None) -> None:
    """Q9.10: without a server, or before a browser was seen, the redirect URI is unknown."""
    address = address_of(None, {"ServerApp": {} if ip is None else {"ip": ip}})
    checks = examined(None, UNSET, address=address, address_is_assumed=True)
    assert named(checks, "redirect URI").status == "unknown"
    assert Report(checks).ok


def test_a_guess_is_never_sent_to_the_provider() -> None:
    """Q9.10: doctor asks for metadata and keys, and sends no authorization request with an address that is a guess."""
    port = Answering(authorize=AssertionError("asked"))
    check = named(examined(port, UNSET, address="http://127.0.0.1:8888/", address_is_assumed=True), "registration")
    assert (check.status, port.asked) == ("unknown", ["discovery", "jwks"])
    assert check.message == "The provider was not asked, because the redirect URI is not known from here."


def test_a_likely_address_is_said_to_be_likely() -> None:
    """Q9.10: A guess is never a finding."""
    check = named(examined(None, UNSET, address="http://localhost:8888/", address_is_assumed=True), "redirect URI")
    assert check.message == (
        "redirect_uri is not set, and at which address browsers reach this server is not known from here. "
        "At http://localhost:8888/ it would be http://localhost:8888/jupyter-oidc/providers/corp/callback."
    )


def test_a_sign_in_by_code_is_not_judged_by_a_redirect_uri() -> None:
    """Q9.10: such a sign-in sends no redirect URI, so a request with one would show nothing."""
    port = Answering(discovery=reply(document(**DEVICE)), authorize=AssertionError("asked"))
    checks = examined(port, replace(CORP, redirect_strategy="device"))
    assert named(checks, "registration").status == "unknown"
    assert (port.asked, Report(checks).ok) == (["discovery", "jwks"], True)


def test_the_way_is_known_only_if_it_does_not_depend_on_the_browser() -> None:
    """Q9.10: A guess is never a finding."""
    port = Answering(discovery=reply(document(**DEVICE)))
    check = named(examined(port, UNSET, address="http://localhost:8888/"), "way to sign in")
    assert (check.status, check.message) == (
        "unknown",
        "Which way sign-ins take depends on where the browser is: device or server.",
    )
    assert named(examined(port, CORP), "way to sign in").status == "ok"


def test_where_a_sign_in_would_not_be_started_the_provider_is_not_asked() -> None:
    """Q9.10, Q1.10: a sign-in would not send this request, so its answer would show nothing."""
    pushed = reply(document(require_pushed_authorization_requests=True))
    port = Answering(discovery=pushed, authorize=AssertionError("asked"))
    assert named(examined(port), "registration").status == "unknown"


def test_a_provider_that_takes_pushed_requests_only_is_not_asked_by_another() -> None:
    """Q9.10, P-1: the provider would refuse any client; a pushed request needs a sign-in."""
    at = "https://id.example.com/par"
    pushed = document(require_pushed_authorization_requests=True, pushed_authorization_request_endpoint=at)
    check = named(examined(Answering(discovery=reply(pushed), authorize=AssertionError("asked"))), "registration")
    assert (check.status, "requests that are pushed" in check.message) == ("unknown", True)


def test_a_provider_that_knows_no_prompt_none_is_not_asked_with_it() -> None:
    """Q9.10: the provider would refuse any client with status 400 (Initiating User Registration 1.0, 4)."""
    port = Answering(discovery=reply(document(prompt_values_supported=["login"])), authorize=AssertionError("asked"))
    assert named(examined(port), "registration").status == "unknown"


# -- Q5.7 ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 422])
def test_a_refusal_of_the_authorization_endpoint_is_said_with_its_status_and_the_usual_causes(status: int) -> None:
    """Q5.7: the refusal is known, and its reason is not."""
    check = named(examined(Answering(authorize=reply(b"", status=status))), "registration")
    assert check.message == (
        f"The authorization endpoint refused the request with status {status}, and did not say why in a way that can be "
        "relied on."
    )
    assert check.action == (
        "At the provider, open the registration of client 'jupyter': usually the client id is unknown, or this redirect "
        f"URI is not registered to the letter: {CALLBACK} If both are right, something before the provider may refuse "
        "requests from this machine."
    )


# -- Q5.6 ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("found", "status", "says"),
    [
        (Admission(admits=True, seen=True), "ok", "answers requests for j.example.com"),
        (Admission(admits=False, seen=True), "problem", "refuses requests for j.example.com"),
        (Admission(admits=False, seen=False), "unknown", "it would refuse requests for j.example.com"),
        (Admission(admits=True, seen=False), "unknown", "it would answer requests for j.example.com"),
    ],
)
def test_the_host_of_the_redirect_uri_is_asked_about(found: Admission, status: str, says: str) -> None:
    """Q5.6: the answer of the running Jupyter is a finding; its files are not."""
    asked: list[str] = []

    async def admission(host: str) -> Admission:
        asked.append(host)
        return found

    check = named(examined(admission=admission), "host name")
    assert (check.status, says in check.message, asked) == (status, True, ["j.example.com"]), check.message


@pytest.mark.parametrize(
    "provider",
    [
        UNSET,
        replace(CORP, redirect_uri="http://127.0.0.1/cb", redirect_strategy="loopback"),
        replace(CORP, redirect_uri="https://hub.example.com/hub/user-redirect/jupyter-oidc/providers/corp/callback"),
    ],
    ids=["unset", "a listener", "the Hub's"],
)
def test_a_host_that_is_not_this_servers_is_not_asked_about(provider: Provider) -> None:
    """Q5.6: Doctor asks Jupyter whether it admits the host."""

    async def admission(host: str) -> Admission:
        raise AssertionError(host)

    assert [check for check in examined(None, provider, admission=admission) if check.name == "host name"] == []


@pytest.mark.parametrize(
    ("settings", "admits"),
    [
        ({}, False),
        ({"local_hostnames": ["localhost", "j.example.com"]}, True),
        ({"allow_remote_access": True}, True),
        ({"ip": "0.0.0.0"}, True),
        ({"ip": "*"}, True),
        ({"ip": "127.0.0.1"}, False),
        ({"ip": "10.0.0.5"}, True),
        ({"ip": "0.0.0.0", "allow_remote_access": False}, False),
        ({"local_hostnames": 7}, False),
    ],
)
def test_the_host_settings_are_read_as_jupyter_reads_them(settings: dict[str, Any], admits: bool) -> None:
    """Q5.6: Doctor asks Jupyter whether it admits the host."""
    assert admits_by({"ServerApp": settings}, "j.example.com:8888") is admits
    assert admits_by({"ServerApp": settings}, "127.0.0.1:8888") is True


# -- Q5.11: whose authorities count --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("authorities", "status", "message"),
    [
        ((Authorities("SSL_CERT_FILE", counts=True, readable=True),), "ok", "SSL_CERT_FILE counts: certificates are judged by what it names."),
        ((Authorities("REQUESTS_CA_BUNDLE", counts=False, readable=True),), "warning", "REQUESTS_CA_BUNDLE does not count here."),
        ((Authorities("SSL_CERT_DIR", counts=True, readable=False),), "warning", "What SSL_CERT_DIR names cannot be read."),
        (
            (Authorities("SSL_CERT_FILE", counts=True, readable=True), Authorities("REQUESTS_CA_BUNDLE", counts=False, readable=True), Authorities("CURL_CA_BUNDLE", counts=False, readable=False)),
            "warning",
            "SSL_CERT_FILE counts: certificates are judged by what it names. REQUESTS_CA_BUNDLE and CURL_CA_BUNDLE do not count here.",
        ),
    ],
)  # fmt: skip
def test_variables_that_name_authorities_are_named_with_whether_they_count(
    authorities: tuple[Authorities, ...], status: str, message: str
) -> None:
    """Q5.11: TLS failures name their cause."""
    check = named(examined(authorities=authorities), "certificate variables")
    assert (check.status, check.message) == (status, message)


# -- Q9.11: what a session has shown -------------------------------------------------------------------------------


async def of_session(fake_environment: FakeEnvironment) -> dict[str, Check]:
    """Return the checks of the session of ``fake_environment``, by name."""

    class Only:
        def of_provider(self, _: str) -> Any:
            return fake_environment.service

    context = diagnostic_context(None, fake_environment.settings, sessions=Only())
    return {check.name: check for check in (await examine(context, seconds=5)).checks}


async def test_what_was_asked_for_is_compared_with_what_was_got() -> None:
    """Q9.11, Q5.13: a session shows more than metadata."""
    fake_environment = FakeEnvironment()
    fake_environment.provider.issue_refresh_token = False
    fake_environment.provider.scope = "openid profile"
    await fake_environment.sign_in()
    checks = await of_session(fake_environment)
    assert (checks["session"].status, "no refresh token" in checks["session"].message) == ("warning", True)
    assert checks["session's scopes"].message == (
        "The session was given fewer scopes than were asked for; it misses: offline_access."
    )


async def test_a_session_that_got_everything_says_so() -> None:
    """Q9.11: Check marks need evidence from a session."""
    fake_environment = FakeEnvironment()
    await fake_environment.sign_in()
    checks = await of_session(fake_environment)
    assert [checks[name].status for name in ("session", "session's scopes")] == ["ok", "ok"]


def test_without_a_session_nothing_is_said_that_only_one_could_show() -> None:
    """Q9.11: 'can be renewed' and 'names an audience' had check marks at a provider where both failed."""
    checks = examined(Answering(discovery=reply(document())))
    assert named(checks, "refresh token").status == "unknown"
    assert named(checks, "audience of orders").status == "unknown"


def test_what_the_metadata_say_is_told_as_what_they_say() -> None:
    """Q9.11: the check reports the endpoint that the metadata name, and does not promise that a token is gone."""
    check = named(
        examined(Answering(discovery=reply(document(revocation_endpoint="https://id.example.com/r")))), "sign-out"
    )
    assert check.message.startswith(
        "The provider names an endpoint at which a sign-out asks it to take the refresh token"
    )


# -- Q9.9: what to copy ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key_id", [None, f"{MARKER}pasted-in-the-wrong-place"])
def test_the_public_half_of_the_key_is_shown_and_nothing_that_could_be_a_secret(key_id: str | None) -> None:
    """Q9.9: the JWK is for the provider; the check repeats no id of the settings, and never shows the private half."""
    signing = replace(
        CORP,
        token_endpoint_auth_method="private_key_jwt",
        client_assertion_key=SecretRef("file", "/etc/jupyter/key.pem"),
        client_assertion_key_id=key_id,
    )
    key = Secret(RSA.as_pem(private=True).decode())
    checks = examined(None, signing, credentials=lambda one: credentials(one, key=key))
    message = named(checks, "client assertion").message
    members = json.loads(message[message.index("{") : message.index("}") + 1])
    assert members["n"] == RSA.as_dict(private=False)["n"]
    assert ("kid" in members) == (key_id is None)
    assert MARKER not in as_text(Report(checks))
    assert str(RSA.as_dict(private=True)["d"]) not in as_text(Report(checks))


def test_a_refused_client_is_told_with_the_providers_code_and_where_to_look() -> None:
    """Q9.9: Doctor shows which public key to register."""
    problem = refusal_of("invalid_client", "token")
    assert "(invalid_client)" in problem.message
    assert "'jupyter oidc doctor' shows the public half and the id that the provider has to know" in problem.action


# -- conversions ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("elsewhere", "statuses"), [(True, ["ok"]), (False, ["problem"]), (None, [])])
def test_where_notebooks_are_converted_is_said_if_it_was_seen(elsewhere: bool | None, statuses: list[str]) -> None:
    """Q8.2, ADR 32: doctor reports what the server has seen of its own conversions."""
    checks = examined(converts_in_own_process=elsewhere)
    assert [check.status for check in checks if check.name == "conversions"] == statuses


# -- the report ----------------------------------------------------------------------------------------------------

SORTS = (
    Check("a", None, "ok", "Seen."),
    Check("b", None, "warning", "Seen too.", "Think.", "user"),
    Check("c", None, "problem", "Wrong.", "Mend it.", "user"),
    Check("d", None, "unknown", "Who knows.", "Look there.", "user"),
)


def test_three_marks_each_with_words_and_only_what_is_wrong_counts() -> None:
    """Q9.10: the marks need no colour, and the words carry everything for a screen reader."""
    assert as_text(Report(SORTS)).splitlines() == [
        "This server",
        "  ✓ a: Seen.",
        "  ✓ b (seen, with advice): Seen too.",
        "    You: Think.",
        "  ✕ c (wrong): Wrong.",
        "    You: Mend it.",
        "  ? d (cannot be known from here): Who knows.",
        "    You: Look there.",
        "",
        "1 wrong, 1 not known from here, 1 seen, with advice, 1 seen as they should be.",
    ]
    assert (Report(SORTS).ok, Report(SORTS[:2] + SORTS[3:]).ok) == (False, True)
    assert as_json(Report(SORTS))["checks"][3]["status"] == "unknown"


def test_where_nothing_can_be_drawn_the_marks_are_ascii() -> None:
    """Q9.10: A guess is never a finding."""
    text = as_text(Report(SORTS), ascii_only=True)
    assert text.isascii()
    assert "  [x] c (wrong): Wrong." in text


def test_what_a_running_server_has_seen_takes_the_place_of_what_is_not_known() -> None:
    """Q9.10: the check stands with its provider; an unknown result of the server changes nothing."""
    ours = (
        Check("settings", None, "ok", "x"),
        Check("redirect URI", "corp", "unknown", "x", "y", "user"),
        Check("z", "b", "ok", "x"),
        Check("audience of a", "b", "unknown", "x", "y", "user"),
    )
    told = (
        Check("redirect URI", "corp", "ok", "seen"),
        Check("session", "corp", "ok", "seen"),
        Check("conversions", None, "ok", "seen"),
        Check("z", "b", "unknown", "not seen", "y", "user"),
        Check("session", "gone", "ok", "seen"),
        Check("audience of a", "b", "unknown", "opaque", "y", "user"),
    )
    assert [(one.name, one.provider, one.message) for one in _merge_checks(ours, told)] == [
        ("settings", None, "x"),
        ("conversions", None, "seen"),
        ("redirect URI", "corp", "seen"),
        ("session", "corp", "seen"),
        ("z", "b", "x"),
        ("audience of a", "b", "opaque"),
    ]
