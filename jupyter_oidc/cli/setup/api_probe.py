"""Explains what an API answered to the first call through the proxy: one check for a status."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from jupyter_oidc.cli.running import refusal_in
from jupyter_oidc.diagnostics.check import Check, Subject
from jupyter_oidc.kernel.plain_text import plain
from jupyter_oidc.language import _, sentence

if TYPE_CHECKING:
    from collections.abc import Mapping

_MAX_SENTENCE_CHARACTERS: Final = 300


def path_to_probe(api: Mapping[str, object]) -> str:
    """Return the path to call, relative to the API's address: its example, else the first path that is open."""
    example, prefixes = api.get("example"), api.get("path_prefixes") or ["/"]
    if isinstance(example, str):
        return example.lstrip("/")
    return str(prefixes[0]).lstrip("/") if isinstance(prefixes, list) and "/" not in prefixes else ""


def judge_answer(provider: str, api: str, path: str, status: int) -> Check:
    """Return what ``status`` of the API itself means."""
    about, at = _subject(provider, api), f"/{path}"
    match status:
        case 401:
            return about.problem(
                sentence(
                    "The API answers 401: it does not take this token, usually because the token is meant for another "
                    "audience."
                ),
                sentence(
                    "Ask the API's owner which audience or scope it wants, and set 'audience', 'resource' or 'scopes' "
                    "of '{api}'.",
                    api=api,
                ),
            )
        case 403:
            return about.problem(
                sentence("The API answers 403: it knows the token, and a scope or a right is missing for this call."),
                sentence(
                    "Ask the API's owner which scope that is, and add it to 'scopes' of '{api}'; or have the right "
                    "granted.",
                    api=api,
                ),
            )
        case 404:
            return about.warning(
                sentence("The API answers 404: it is reached, and has nothing at {path}.", path=at),
                sentence("Check base_url of '{api}', or name a path that there is when you call it.", api=api),
            )
        case 405 | 406 | 400 | 415 | 422:
            return about.ok(
                sentence("The API is reached; it answers {status} to a bare GET of {path}.", status=status, path=at)
            )
    if status >= 500:
        return about.warning(
            sentence("The API answers {status}: it is reached, and fails by itself.", status=status),
            sentence("Ask the API's owner, or try again later."),
        )
    if status == 429:
        return about.warning(
            sentence("The API answers 429: it is reached, and asks for patience."), sentence("Try again later.")
        )
    if status >= 400:
        return about.warning(
            sentence("The API is reached, and answers {status} at {path}.", status=status, path=at),
            sentence("Ask the API's owner what it means."),
        )
    return about.ok(sentence("The API answers {status} to GET {path}.", status=status, path=at))


def judge_refusal(provider: str, api: str, reply: Mapping[str, object]) -> Check:
    """Return what a refusal of the proxy means, in the proxy's own words."""
    message, action = refusal_in(reply)
    return _subject(provider, api).problem(
        plain(message or _("The proxy refused the call."))[:_MAX_SENTENCE_CHARACTERS],
        plain(action)[:_MAX_SENTENCE_CHARACTERS] or _("Look again: jupyter oidc doctor."),
    )


def _subject(provider: str, api: str) -> Subject:
    return Subject(sentence("call of {api}", api=api), provider)
