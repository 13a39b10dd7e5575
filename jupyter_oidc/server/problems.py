"""Finds the problem behind an error of tornado's or ours."""

from __future__ import annotations

from tornado.web import HTTPError

from jupyter_oidc.problems import Problem
from jupyter_oidc.web.problems import problem_of_status


def problem_of(error: BaseException | None) -> Problem | None:
    """Return the problem behind ``error``; ``None`` for a defect of ours, which has no code."""
    if isinstance(error, Problem):
        return error
    return problem_of_status(error.status_code) if isinstance(error, HTTPError) else None
