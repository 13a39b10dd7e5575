"""The traits of the extension are the keys of the section, each with the default and the meaning of its entry (ADR 44)."""

from __future__ import annotations

from jupyter_server.extension.application import ExtensionApp

from jupyter_oidc.server.config import STORAGE_KEYS, SWITCH_DEFAULTS, TRAITS
from jupyter_oidc.server.extension import JupyterOIDC
from jupyter_oidc.settings.section import SECTION_KEYS

OWN = {
    name: trait
    for name, trait in JupyterOIDC.class_traits(config=True).items()
    if name not in ExtensionApp.class_traits(config=True)
}


def test_the_extension_has_a_trait_for_each_key_and_no_other() -> None:
    assert OWN.keys() == SECTION_KEYS.keys()


def test_a_trait_has_the_default_and_the_meaning_of_its_entry() -> None:
    assert {name: (trait.default_value, trait.help) for name, trait in OWN.items()} == {
        name: (one.default, one.sentence) for name, one in SECTION_KEYS.items()
    }


def test_the_server_reads_each_key() -> None:
    assert (
        *("providers", "default_provider", "broker", *STORAGE_KEYS, "settings_sources", "reload", *SWITCH_DEFAULTS),
    ) == TRAITS
    assert SWITCH_DEFAULTS == {
        "close_process": True,
        "allow_remote_kernels": False,
        "worker_grants": True,
        "allow_remote_workers": False,
        "grant_kernels_of_others": False,
        "audit_person": False,
    }
