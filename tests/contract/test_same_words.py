"""Notebook and page say the same about a session: the kernel's headlines are those of the front end."""

from __future__ import annotations

import re
from pathlib import Path

from jupyter_oidc.kernel.display import RENEWAL_FAILS, STATES, session_text

WORDS = Path(__file__).parents[2] / "labextension-stub" / "src" / "words.ts"


def test_every_headline_of_the_kernel_is_one_of_the_front_end() -> None:
    headlines = set(re.findall(r"(?:headline: |[?:] )trans\.__\('([^']+)'\)", WORDS.read_text(encoding="utf-8")))
    assert {RENEWAL_FAILS, *(title for title, _ in STATES.values())} <= headlines


def test_a_provider_that_refuses_is_not_called_unreachable() -> None:
    summary = {"state": "refresh-failed", "provider": "corp", "user": None, "expires_in": 60}
    assert [session_text({**summary, "reason": reason}).partition(".")[0] for reason in (None, "clock_skew")] == [
        "Signed in at corp, provider unreachable",
        "Signed in at corp, renewal fails",
    ]
