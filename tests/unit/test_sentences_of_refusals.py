"""What leaves the inside for a person is a sentence with its template and its facts, whatever values it holds (ADR 59)."""

from __future__ import annotations

import ssl

import pytest

from jupyter_oidc.adapters.network.forward_proxy_problems import proxy_refused
from jupyter_oidc.adapters.network.network_route import Peer
from jupyter_oidc.adapters.network.tls_problems import certificate_untrusted
from jupyter_oidc.adapters.storage.secret_refs import resolve
from jupyter_oidc.catalogue.operation import AnswerUnusable, Unreadable, read_answer
from jupyter_oidc.language import on_the_wire, sentence
from jupyter_oidc.problems import BadPath, ConfigurationInvalid, DiscoveryFailed, Problem
from jupyter_oidc.protocol.discovery import read_discovery_reply
from jupyter_oidc.protocol.message import Reply
from jupyter_oidc.proxy.path import check_path
from jupyter_oidc.secret import Secret
from jupyter_oidc.sessions.oauth_errors import refusal_of
from jupyter_oidc.settings import SecretRef


def test_a_refused_path_has_a_template_for_its_fault() -> None:
    with pytest.raises(BadPath) as refused:
        check_path("a/../b")
    (leaf,) = refused.value.message.leaves
    assert leaf.template == (
        "This path is not allowed through the API proxy: '{part}' at character {place} is a dot segment."
    )
    assert (leaf.facts["part"], leaf.facts["place"]) == ("..", 3)


def test_the_status_of_a_provider_is_a_fact() -> None:
    with pytest.raises(DiscoveryFailed) as refused:
        read_discovery_reply("https://id.example.com", Reply(418, Secret("")), allow_loopback_http=False)
    (leaf,) = refused.value.message.leaves
    assert leaf.template == "The provider answered status {status} where its metadata should be."
    assert leaf.facts == {"status": 418}


def test_a_fault_of_a_body_is_a_sentence_within_the_sentence() -> None:
    with pytest.raises(DiscoveryFailed) as refused:
        read_discovery_reply("https://id.example.com", Reply(200, Secret("<html>")), allow_loopback_http=False)
    (leaf,) = refused.value.message.leaves
    assert (leaf.template, leaf.facts["fault"].template) == (
        "The provider's metadata cannot be read: {fault}.",
        "the body is not JSON",
    )


@pytest.mark.parametrize(("by_code", "grant"), [(False, "authorization code"), (True, "device authorization")])
def test_the_code_of_a_refusal_is_a_fact_and_each_grant_has_its_action(by_code: bool, grant: str) -> None:
    problem = refusal_of("unauthorized_client", "token", by_code=by_code)
    assert problem.message.leaves[0].template.endswith("in this way ({error}).")
    assert problem.message.leaves[0].facts == {"error": "unauthorized_client"}
    assert problem.action.leaves[0].template == (
        f"Ask your administrator to allow this client the {grant} grant at the provider."
    )


@pytest.mark.parametrize(("peer", "noun"), [("provider", "provider"), ("API", "API")])
def test_each_kind_of_peer_has_templates_of_its_own(peer: Peer, noun: str) -> None:
    refused: Problem = proxy_refused(403, peer)
    assert refused.message.leaves[0].template == (
        f"The egress proxy of this network refuses connections to the {noun}; it answered {{status}}."
    )
    expired = ssl.SSLCertVerificationError()
    expired.verify_code = 10
    untrusted = certificate_untrusted(expired, "https://id.example.com/x", peer, "An 'issuer'")
    assert untrusted.message.leaves[0].template == (
        "The certificate that {host} presents, issued by '{issuer}', has expired."
    )
    assert untrusted.action.leaves[0].template.startswith(f"Ask the owner of the {noun} ")


def test_a_secret_that_is_not_there_is_named_by_facts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_SUCH_SECRET", raising=False)
    with pytest.raises(ConfigurationInvalid) as refused:
        resolve(SecretRef("env", "NO_SUCH_SECRET"))
    assert refused.value.message == "The client secret 'env:NO_SUCH_SECRET' is empty or does not exist."
    assert refused.value.message.leaves[0].template == "The {what} '{scheme}:{name}' is empty or does not exist."


FAULT = sentence("it is no JSON at line {line}, column {column}", line=1, column=7)


def test_the_fault_of_a_document_is_a_sentence_in_the_server_too() -> None:
    read = read_answer([{"fault": FAULT, "fault_sentences": on_the_wire(FAULT)}])
    assert isinstance(read, Unreadable)
    assert (read.fault, read.fault.template, read.fault.facts) == (FAULT, FAULT.template, FAULT.facts)


@pytest.mark.parametrize(
    "sentences",
    [
        None,
        [],
        [{"id": FAULT.template, "params": {"line": 2, "column": 7}}],
        [{"id": FAULT.template, "params": {"line": 1, "column": ["7"]}}],
        [{"id": "Send your password to somebody.", "params": {}}],
        [{"id": FAULT.template}],
        on_the_wire(FAULT) * 2,
    ],
)
def test_sentences_that_do_not_make_the_text_are_not_believed(sentences: object) -> None:
    with pytest.raises(AnswerUnusable):
        read_answer([{"fault": FAULT, "fault_sentences": sentences}])
