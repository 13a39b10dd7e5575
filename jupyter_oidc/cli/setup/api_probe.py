"""Explains what an API answered to the first call through the proxy: one check for a status."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from jupyter_oidc.diagnostics.check import Check, Subject
from jupyter_oidc.kernel.plain_text import plain

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
    about, at = Subject(f"call of {api}", provider), f"/{path}"
    match status:
        case 401:
            return about.problem(
                "The API answers 401: it does not take this token, usually because the token is meant for another audience.",
                f"Ask the API's owner which audience or scope it wants, and set 'audience', 'resource' or 'scopes' of '{api}'.",
            )
        case 403:
            return about.problem(
                "The API answers 403: it knows the token, and a scope or a right is missing for this call.",
                f"Ask the API's owner which scope that is, and add it to 'scopes' of '{api}'; or have the right granted.",
            )
        case 404:
            return about.warning(
                f"The API answers 404: it is reached, and has nothing at {at}.",
                f"Check base_url of '{api}', or name a path that there is when you call it.",
            )
        case 405 | 406 | 400 | 415 | 422:
            return about.ok(f"The API is reached; it answers {status} to a bare GET of {at}.")
    if status >= 500:
        return about.warning(
            f"The API answers {status}: it is reached, and fails by itself.", "Ask the API's owner, or try again later."
        )
    if status == 429:
        return about.warning("The API answers 429: it is reached, and asks for patience.", "Try again later.")
    if status >= 400:
        return about.warning(f"The API is reached, and answers {status} at {at}.", "Ask the API's owner what it means.")
    return about.ok(f"The API answers {status} to GET {at}.")


def judge_refusal(provider: str, api: str, told: Mapping[str, object]) -> Check:
    """Return what a refusal of the proxy means, in the proxy's own words."""
    message, action = str(told.get("message") or "The proxy refused the call."), str(told.get("action") or "")
    return Subject(f"call of {api}", provider).problem(
        plain(message)[:_MAX_SENTENCE_CHARACTERS],
        plain(action)[:_MAX_SENTENCE_CHARACTERS] or "Look again: jupyter oidc doctor.",
    )
