"""Each check with one thing wrong: its message, the action, and the person who can take it."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from jupyter_oidc.compose import diagnostic_context as composed
from jupyter_oidc.diagnostics import Check, Report, examine
from jupyter_oidc.diagnostics.context import Storage
from jupyter_oidc.diagnostics.examination import examine_metadata
from jupyter_oidc.diagnostics.report import as_text
from jupyter_oidc.problems import (
    ConfigurationInvalid,
    IdpUnavailable,
    RouteForbidden,
    StorageUnavailable,
    TlsUntrusted,
    UpstreamUnreachable,
)
from jupyter_oidc.protocol.message import Call, Reply
from jupyter_oidc.secret import Secret
from jupyter_oidc.settings import Finding, Provider, SecretRef, Settings
from tests.support.marker import MARKER
from tests.unit.diagnostics.contexts import CORP, Answering, credentials, diagnostic_context, named, stores
from tests.unit.protocol.makers import EC, RSA, document, jwk, reply

CALLBACK = CORP.redirect_uri or ""
HUB_CALLBACK = "https://hub.example.com/hub/user-redirect/jupyter-oidc/providers/corp/callback"


def examined(
    port: Answering | None = None, provider: Provider = CORP, *, asks: bool = False, **changes: Any
) -> tuple[Check, ...]:
    context = diagnostic_context(port, provider, **changes)
    return asyncio.run(examine(context, asks_registration=asks, seconds=changes.pop("seconds", 5))).checks


def test_where_all_is_well_every_line_is_fine() -> None:
    """Q9.11: only the checks that need a session are unknown."""
    assert [check.name for check in examined() if check.status != "ok"] == ["audience of orders"]


def test_whatever_is_not_fine_says_what_to_do_and_who() -> None:
    port = Answering(discovery=IdpUnavailable())
    assert all(check.action and check.who for check in examined(port) if check.status != "ok")


@pytest.mark.parametrize(
    ("metadata", "name", "status", "says"),
    [
        ({"code_challenge_methods_supported": ["plain"]}, "PKCE", "problem", "does not support PKCE with S256"),
        ({"scopes_supported": ["openid"]}, "scopes", "warning", "does not list: offline_access."),
        ({"grant_types_supported": ["authorization_code"]}, "refresh token", "warning", "end after minutes"),
        ({"userinfo_endpoint": None}, "user information", "ok", "comes from the ID token alone"),
        ({"revocation_endpoint": None}, "sign-out", "ok", "names no endpoint at which a sign-out could have the refresh token taken back"),
        ({"end_session_endpoint": "https://id.example.com/x"}, "sign-out", "ok", "has a sign-out page, which is offered"),
        ({"issuer": "https://id.example.com/"}, "issuer", "problem", "they differ in the slash at the end"),
        ({"issuer": "https://id.example.com/{tenantid}"}, "issuer", "problem", "contains a placeholder"),
        ({"token_endpoint": "http://id.example.com/t"}, "discovery", "problem", "token_endpoint is not an https URL"),
        ({"grant_types_supported": "x", "revocation_endpoint": ""}, "discovery", "warning", "counts as not there: revocation_endpoint is not a text; grant_types_supported is not a list of texts."),
    ],
)  # fmt: skip
def test_what_the_metadata_say(metadata: dict[str, Any], name: str, status: str, says: str) -> None:
    """D-11, A22, A24, A25; Q1.4: one line lists the unusable members; Q1.1: one line says that there is no UserInfo."""
    check = named(examined(Answering(discovery=reply(document(**metadata)))), name)
    assert (check.status, says in check.message) == (status, True), check.message


@pytest.mark.parametrize(
    ("provider", "metadata", "name", "status", "says"),
    [
        (
            replace(CORP, token_endpoint_auth_method="client_secret_post"),
            {"token_endpoint_auth_methods_supported": ["client_secret_basic"]},
            "client authentication",
            "problem",
            "does not list the client authentication method client_secret_post",
        ),
        (replace(CORP, scopes=("openid",)), {"scopes_supported": ["openid", "offline_access"]}, "refresh token", "warning", "not asked for"),
        (replace(CORP, scopes_by_default=True), {"scopes_supported": ["openid"]}, "scopes", "ok", "does not list offline_access, so it is left out"),
        (replace(CORP, token_endpoint_auth_method="client_secret_basic"), {"token_endpoint_auth_methods_supported": None}, "client authentication", "ok", "by the standard means client_secret_basic."),
        (replace(CORP, token_endpoint_auth_method="client_secret_post"), {"token_endpoint_auth_methods_supported": None}, "client authentication", "unknown", "means client_secret_basic; this client uses client_secret_post."),
        (CORP, {"token_endpoint_auth_methods_supported": None}, "client authentication", "unknown", "means client_secret_basic; this client shows no secret."),
        (CORP, {"token_endpoint_auth_methods_supported": ["client_secret_post"]}, "client authentication", "unknown", "lists none for public clients"),
        (CORP, {"token_endpoint_auth_methods_supported": ["none"]}, "client authentication", "ok", "takes public clients"),
        (replace(CORP, endpoints=(("token_endpoint", "https://in.example.com/t"),)), {}, "discovery", "ok", "from the settings: token_endpoint."),
        (replace(CORP, sign_out_method="none"), {}, "sign-out", "ok", "not offered, as set"),
        (replace(CORP, post_logout_redirect_parameter="logout_uri", end_session_endpoint="https://x.example.com/"), {}, "sign-out", "warning", "insists on an address"),
        (replace(CORP, dpop_bound_access_tokens=True), {"dpop_signing_alg_values_supported": ["RS256"]}, "DPoP", "problem", "DPoP"),
        (replace(CORP, id_token_signed_response_alg="HS256"), {}, "keys", "ok", "the client secret (HS256)"),
    ],
    ids=["method", "offline_access", "default scopes", "basic by default", "post by default", "secret unknown", "public unlisted", "public", "endpoints", "no page", "logout_uri", "dpop", "hs256"],
)  # fmt: skip
def test_what_the_settings_say_beside_the_metadata(
    provider: Provider, metadata: dict[str, Any], name: str, status: str, says: str
) -> None:
    """T-3, D5, X-1, K-9; Q1.9, Q9.6, Q9.7: an unknown fact gets no check mark."""
    check = named(examined(Answering(discovery=reply(document(**metadata))), provider), name)
    assert (check.status, says in check.message) == (status, True), check.message


@pytest.mark.parametrize(
    ("port", "name", "says"),
    [
        (Answering(discovery=TlsUntrusted()), "discovery", "not trusted on this machine"),
        (Answering(discovery=reply({}, status=404)), "discovery", "status 404 where its metadata should be"),
        (Answering(jwks=reply({"keys": []})), "keys", "None of the provider's 0 usable keys is for RS256"),
        (Answering(jwks=reply({"keys": [jwk(EC, kid="k1")]})), "keys", "None of the provider's 1 usable keys is for RS256"),
        (Answering(jwks=reply([], status=500)), "keys", "status 500 where its keys should be"),
    ],
    ids=["tls", "404", "no keys", "other keys", "keys down"],
)  # fmt: skip
def test_what_the_provider_answers(port: Answering, name: str, says: str) -> None:
    """H-1: TLS is always verified.

    D-3: Only a JSON object with status 200 is metadata.
    K-2: A key set is an object with a list.
    K-4: A key must fit algorithm, use and key id.
    """
    check = named(examined(port), name)
    assert (check.status, says in check.message) == ("problem", True), check.message
    assert port.closed


@pytest.mark.parametrize(
    ("seconds", "status"), [(0, "ok"), (59, "ok"), (240, "warning"), (-240, "warning"), (301, "problem")]
)
def test_a_clock_is_judged_by_what_sign_in_bears(seconds: int, status: str) -> None:
    """A21: the clock of these tests stands at 15 January 2027, 8:00:00."""
    minutes, rest = divmod(seconds, 60)
    date = f"Fri, 15 Jan 2027 {8 + minutes // 60:02d}:{minutes % 60:02d}:{rest:02d} GMT"
    port = Answering(discovery=reply(document(), headers={"date": date}))
    assert named(examined(port), "clock").status == status


def test_only_metadata_and_keys_are_asked_for_unless_somebody_wants_more() -> None:
    """G-6: Configuration can be checked without signing in. H-3: Only named endpoints are contacted."""
    port = Answering()
    examined(port)
    assert port.asked == ["discovery", "jwks"]


def to(url: str, status: int = 302) -> Reply:
    return reply(b"", status=status, headers={"location": url}, media="text/html")


@pytest.mark.parametrize(
    ("answer", "status", "says"),
    [
        (to(f"{CALLBACK}?error=login_required&state=s"), "ok", "knows this client and this redirect URI"),
        (to(f"{CALLBACK}?code=c&state=s"), "ok", "knows this client and this redirect URI"),
        (to(f"{CALLBACK}?error=invalid_scope&state=s"), "problem", "says no: invalid_scope (refused)"),
        (to(f"{CALLBACK}?error=unauthorized_client"), "problem", "says no: unauthorized_client (refused)"),
        (to(f"{CALLBACK}?error=%3Cscript%3E"), "unknown", "an error of its own"),
        (to("https://id.example.com/login"), "unknown", "shows a page instead of an answer"),
        (reply("<p>Sign in</p>", media="text/html"), "unknown", "shows a page instead of an answer"),
        (
            reply("<p>redirect_uri_mismatch</p>", status=400, media="text/html"),
            "problem",
            "refused the request with status 400, and did not say why",
        ),
        (reply(b"", status=403), "problem", "refused the request with status 403"),
        (reply(b"", status=404), "problem", "refused the request with status 404"),
        (reply(b"", status=429), "unknown", "answers status 429"),
        (reply(b"", status=408), "unknown", "answers status 408"),
        (reply(b"", status=503), "unknown", "answers status 503"),
        (IdpUnavailable(), "unknown", "cannot be reached"),
    ],
    ids=[
        "known",
        "code",
        "scope",
        "flow",
        "nonsense",
        "login page",
        "page",
        "refused",
        "forbidden",
        "not there",
        "too often",
        "too slow",
        "down",
        "gone",
    ],
)
def test_what_a_provider_says_of_our_registration(answer: Reply | Exception, status: str, says: str) -> None:
    """A30, Q5.7: doctor asks without interaction; it reports known facts and causes, and never the peer's own text."""
    port = Answering(authorize=answer)
    check = named(examined(port, asks=True), "registration")
    assert (check.status, says in check.message) == (status, True), check.message
    assert "prompt=none" in port.asked[-1]
    assert "code_challenge_method=S256" in port.asked[-1]
    assert "script" not in check.message + (check.action or "")


@pytest.mark.parametrize(
    ("configured", "address", "status", "says"),
    [
        (None, "http://10.0.0.5:8888/", "problem", "redirect_uri is not set"),
        (CALLBACK, "https://j.example.com/", "ok", f"to the letter: {CALLBACK}"),
        (CALLBACK, "https://hub.example.com/user/ada/", "warning", "this server answers below /user/ada/"),
        (HUB_CALLBACK, "https://hub.example.com/user/ada/", "ok", f"to the letter: {HUB_CALLBACK} (JupyterHub sends"),
        (None, "http://localhost:8888/", "ok", ": http://localhost:8888/jupyter-oidc/providers/corp/callback"),
        (None, "https://j.example.com/", "problem", "redirect_uri is not set"),
    ],
    ids=["another machine", "configured", "other path", "Hub", "loopback", "public"],
)
def test_the_redirect_uri_to_register(configured: str | None, address: str | None, status: str, says: str) -> None:
    """A30, Q10.2: the address comes from the settings or is a loopback address, never from a request's claim."""
    check = named(examined(None, replace(CORP, redirect_uri=configured), address=address), "redirect URI")
    assert (check.status, says in check.message) == (status, True), check.message


@pytest.mark.parametrize(
    ("proxy", "says"), [(None, "directly"), ("p.example.com:3128", "the proxy p.example.com:3128.")]
)
def test_the_way_to_the_provider_is_named(proxy: str | None, says: str) -> None:
    """C35: A forward proxy's refusal has its own code."""
    check = named(examined(forward_proxy=lambda _: proxy), "egress proxy")
    assert (check.status, says in check.message) == ("ok", True)


def test_the_proxy_of_the_environment_is_named_without_its_password() -> None:
    """C35: doctor follows the same rules as the calls."""
    environment = {"HTTPS_PROXY": "http://ada:pa55word@proxy.example.com:3128"}
    context = composed(Settings((CORP,)), (), environment=environment)
    assert context.forward_proxy(CORP) == "proxy.example.com:3128"


def test_a_proxy_that_cannot_be_used_is_a_problem() -> None:
    """C35: A forward proxy's refusal has its own code."""

    def unusable(_: object) -> str:
        raise ConfigurationInvalid("The environment names a proxy that cannot be used.", action="Correct it.")

    check = named(examined(forward_proxy=unusable), "egress proxy")
    assert (check.status, check.action) == ("problem", "Correct it.")


@pytest.mark.parametrize(
    ("problem", "says"),
    [(UpstreamUnreachable(), "cannot be reached"), (TlsUntrusted(), "not trusted"), (RouteForbidden(), "not on the public internet")],
)  # fmt: skip
def test_an_api_that_cannot_be_reached(problem: Exception, says: str) -> None:
    """C34: A name must not lead into private networks."""

    async def probe_api(_: object) -> None:
        raise problem

    check = named(examined(probe_api=probe_api), "API orders")
    assert (check.status, check.provider, says in check.message) == ("problem", "corp", True)


def storage(**changes: Any) -> Storage:
    tried = {name: changes.pop(name) for name in ("keyring", "file") if name in changes}
    return replace(stores(**tried), **changes)


async def unsafe() -> str:
    raise StorageUnavailable("The keyring is locked.", action="Unlock it.")


@pytest.mark.parametrize(
    ("choice", "parts", "expected"),
    [
        ("memory", {}, [("storage", "ok")]),
        ("auto", {}, [("keyring", "ok"), ("lock folder", "ok")]),
        ("auto", {"keyring": unsafe}, [("keyring", "warning")]),
        ("auto", {"keyring": unsafe, "has_key": True}, [("keyring", "warning"), ("encrypted file", "ok"), ("lock folder", "ok")]),
        ("auto", {"keyring": unsafe, "has_key": True, "file": unsafe}, [("keyring", "warning"), ("encrypted file", "problem")]),
        ("keyring", {"keyring": unsafe, "has_key": True}, [("keyring", "problem")]),
        ("encrypted-file", {"keyring": unsafe}, [("encrypted file", "ok"), ("lock folder", "ok")]),
        ("keyring", {"lock_folder": unsafe}, [("keyring", "ok"), ("lock folder", "problem")]),
    ],
)  # fmt: skip
def test_places_are_tried_in_the_order_of_the_server(choice: Any, parts: Any, expected: list[tuple[str, str]]) -> None:
    """B18: Keyring backends that keep no secrets are refused. B13: Locks live only where locks work."""
    checks = examined(settings=Settings((), choice), storage=storage(**parts))
    assert [(check.name, check.status) for check in checks if check.name != "settings"] == expected


def test_findings_are_the_diagnosis() -> None:
    """D8: Mistakes in the settings are listed all together."""
    found = (Finding("providers.corp.issuer", "is missing", "Write it.", "missing"),)
    (check,) = examined(settings=None, findings=found)
    assert (check.status, check.message, check.action) == (
        "problem",
        "providers.corp.issuer is missing (missing).",
        "Write it.",
    )


def test_nothing_configured_is_said_and_not_called_broken() -> None:
    checks = examined(settings=Settings())
    assert named(checks, "settings").status == "warning"
    assert Report(checks).ok


def test_time_runs_out_for_one_part_and_the_others_are_reported() -> None:
    async def for_ever(_: object) -> None:
        await asyncio.sleep(60)

    context = diagnostic_context(probe_api=for_ever)
    report = asyncio.run(examine(context, seconds=0.2))
    assert named(report.checks, "provider").status == "unknown"
    assert named(report.checks, "keys").status == "ok"
    assert named(report.checks, "keyring").status == "ok"


def test_the_text_says_who_does_what_below_each_line() -> None:
    text = as_text(Report(examined(Answering(discovery=IdpUnavailable()))), ascii_only=True)
    lines = text.splitlines()
    at = lines.index("  [x] discovery (wrong): The provider cannot be reached at the moment.")
    assert lines[at + 1].startswith("      Administrator of this Jupyter server: Check that the issuer's host")
    assert lines[-1] == "1 wrong, 1 not known from here, 8 seen as they should be."
    assert text.isascii()


DEVICE = {"device_authorization_endpoint": "https://id.example.com/device"}


@pytest.mark.parametrize(
    ("provider", "metadata", "address", "status", "says"),
    [
        (replace(CORP, redirect_uri=None), {}, "http://localhost:8888/", "ok", "the way 'server'. The browser reaches"),
        (
            replace(CORP, redirect_uri=None),
            DEVICE,
            "https://hub.example.com/",
            "ok",
            "the way 'device'. No redirect_uri",
        ),
        (replace(CORP, redirect_uri="http://127.0.0.1/cb"), {}, "http://localhost:8888/", "ok", "the way 'loopback'."),
        (replace(CORP, redirect_strategy="device"), {}, None, "problem", "does not advertise sign-in by code"),
        (replace(CORP, redirect_strategy="device"), DEVICE, None, "ok", "the way 'device'. The settings say"),
    ],
)
def test_the_way_to_sign_in_is_said_with_its_reason(
    provider: Provider, metadata: dict[str, Any], address: str | None, status: str, says: str
) -> None:
    port = Answering(discovery=reply(document(**metadata)))
    check = named(examined(port, provider, address=address), "way to sign in")
    assert (check.status, says in check.message) == (status, True), check.message


def test_a_sign_in_by_code_needs_no_redirect_uri() -> None:
    check = named(examined(None, replace(CORP, redirect_uri=None, redirect_strategy="device")), "redirect URI")
    assert (check.status, check.message) == ("ok", "Sign-ins by code need no redirect URI.")


@pytest.mark.parametrize(
    "reference",
    [SecretRef("file", f"/home/{MARKER}o'hara/secret"), SecretRef("env", f"{MARKER}pasted-in-place-of-a-name")],
)
def test_a_reference_that_leads_nowhere_is_not_repeated(reference: SecretRef) -> None:
    """D8: users paste the report in public; a path names a person, and the name of a variable may be the secret."""
    context = composed(Settings((replace(CORP, client_secret=reference),)), (), environment={})
    checks = examined(provider=replace(CORP, client_secret=reference), credentials=context.credentials)
    told = named(checks, "client secret")
    assert told.status == "problem"
    assert told.message == f"The client secret ({reference.scheme}) is empty or does not exist."


SIGNING = replace(
    CORP, token_endpoint_auth_method="private_key_jwt", client_assertion_key=SecretRef("file", "/etc/jupyter/key.pem")
)
SIGNS = {"token_endpoint_auth_methods_supported": ["private_key_jwt"]}


@pytest.mark.parametrize(
    ("provider", "metadata", "name", "status", "says"),
    [
        (SIGNING, SIGNS, "client assertion", "ok", f"private key (RS256) and name the id {RSA.thumbprint()}. Give the provider its public half"),
        (replace(SIGNING, client_assertion_key_id="k1"), SIGNS, "client assertion", "ok", "and name its configured id. Give the provider"),
        (replace(SIGNING, token_endpoint_auth_signing_alg="ES256"), SIGNS, "client assertion", "problem", "does not fit the algorithm ES256"),
        (SIGNING, SIGNS, "client authentication", "ok", "The provider takes private_key_jwt."),
        (SIGNING, SIGNS, "client secret", "ok", "None is configured; a key takes its place."),
        (replace(CORP, token_endpoint_auth_method="tls_client_auth"), {}, "client secret", "ok", "None is configured; the client certificate takes its place."),
        (replace(CORP, token_endpoint_auth_method="self_signed_tls_client_auth"), {}, "client secret", "ok", "None is configured; the client certificate takes its place."),
        (replace(SIGNING, token_endpoint_auth_signing_alg="RS256"), {**SIGNS, "token_endpoint_auth_signing_alg_values_supported": ["ES256", "PS256"]}, "client authentication", "problem", "a client's assertion that is signed with RS256."),
        (SIGNING, {**SIGNS, "token_endpoint_auth_signing_alg_values_supported": ["ES256", "PS256"]}, "client assertion", "ok", "private key (PS256)"),
        (SIGNING, {"token_endpoint_auth_methods_supported": ["client_secret_basic"]}, "client authentication", "problem", "does not list the client authentication method private_key_jwt"),
    ],
    ids=["key", "configured id", "other kind", "method", "secret", "certificate", "own certificate", "algorithm not listed", "algorithm of the list", "method not listed"],
)  # fmt: skip
def test_how_the_client_signs(provider: Provider, metadata: dict[str, Any], name: str, status: str, says: str) -> None:
    """T-3, T-7; Q9.9: doctor shows the text to copy, to the letter; Q1.10: an unset algorithm follows the metadata."""
    port = Answering(discovery=reply(document(**metadata)))
    key = Secret(RSA.as_pem(private=True).decode())
    check = named(examined(port, provider, credentials=lambda one: credentials(one, key=key)), name)
    assert (check.status, says in check.message) == (status, True), check.message
    assert (check.status == "ok") is (check.action is None)


@pytest.mark.parametrize(
    ("method", "listed", "advice"),
    [
        ("private_key_jwt", ["HS256", "PS256", "odd"], "token_endpoint_auth_signing_alg to one that it lists: PS256."),
        ("client_secret_jwt", ["ES256"], "token_endpoint_auth_method to one that it lists: private_key_jwt."),
    ],
)
def test_advice_is_what_provider_and_settings_both_take(method: Any, listed: list[str], advice: str) -> None:
    metadata = {
        "token_endpoint_auth_methods_supported": ["client_secret_jwt", "private_key_jwt", "odd"],
        "token_endpoint_auth_signing_alg_values_supported": listed,
    }
    secret, key = Secret("long-enough-for-a-signature-with-HS256"), Secret(RSA.as_pem(private=True).decode())
    provider = replace(SIGNING, token_endpoint_auth_method=method, client_secret=SecretRef("env", "S"))
    if method == "private_key_jwt":
        provider = replace(provider, token_endpoint_auth_signing_alg="RS256")
    context = diagnostic_context(
        Answering(discovery=reply(document(**metadata))),
        provider,
        credentials=lambda one: credentials(one, secret, key),
    )
    for report in (examine(context), examine_metadata(context)):
        check = named(asyncio.run(report).checks, "client authentication")
        assert (check.status, check.action) == ("problem", f"Set {advice}")


def test_a_key_that_cannot_be_read_is_said_although_the_provider_is_silent() -> None:
    class Silent(Answering):
        async def send(self, call: Call) -> Reply:
            await asyncio.sleep(60)
            raise AssertionError(call)

    context = diagnostic_context(Silent(), SIGNING, credentials=lambda one: credentials(one, key=Secret("rubbish")))
    checks = asyncio.run(examine(context, seconds=0.3)).checks
    assert named(checks, "client assertion").message == "The client's private key cannot be read."


def test_a_key_that_is_not_there_is_named_by_its_key_and_not_by_its_path() -> None:
    """D8: Mistakes in the settings are listed all together."""
    context = composed(Settings((SIGNING,)), (), environment={})
    told = named(examined(provider=SIGNING, credentials=context.credentials), "client assertion")
    assert (told.status, told.message) == ("problem", "The client's private key (file) is empty or does not exist.")


@pytest.mark.parametrize(
    ("secret", "expected"),
    [
        ("long-enough-for-a-signature-with-HS256", [("client assertion", "ok"), ("client secret", "ok")]),
        ("short", [("client assertion", "problem"), ("client secret", "ok")]),
    ],
)
def test_a_secret_that_signs_has_to_be_long(secret: str, expected: list[tuple[str, str]]) -> None:
    """T-9: Client secrets can sign assertions."""
    provider = replace(CORP, token_endpoint_auth_method="client_secret_jwt", client_secret=SecretRef("env", "S"))
    checks = examined(None, provider, credentials=lambda one: credentials(one, Secret(secret)))
    assert [(one.name, one.status) for one in checks if one.name in ("client secret", "client assertion")] == expected


def test_a_secret_that_is_gone_is_said_once() -> None:
    provider = replace(
        CORP, token_endpoint_auth_method="client_secret_jwt", client_secret=SecretRef("env", "NOT_THERE")
    )
    context = composed(Settings((provider,)), (), environment={})
    checks = examined(None, provider, credentials=context.credentials)
    assert [one.name for one in checks if one.status == "problem"] == ["client secret"]


def test_a_bundle_that_has_gone_is_not_named_by_its_path() -> None:
    """D8: Mistakes in the settings are listed all together."""
    broken = replace(CORP, ca_bundle="/home/jane.doe/authorities.pem")
    context = composed(Settings((broken,)), (), environment={})
    told = named(examined(provider=broken, load_authorities=context.load_authorities), "certificates")
    assert (told.status, told.message) == ("problem", "The certificate authorities in ca_bundle cannot be read.")
