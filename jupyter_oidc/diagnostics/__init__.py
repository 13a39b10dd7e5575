"""Checks a set-up and says who can fix a fault: the checks behind ``jupyter oidc doctor`` and ``diagnostics``.

One module a subject, one function a check; a check is a value (:class:`~jupyter_oidc.diagnostics.check.Check`).
A :class:`~jupyter_oidc.diagnostics.context.DiagnosticContext` holds what the checks examine, so that a test can replace
a keyring, a clock or a network.
The checks repair nothing, hold no token, and report only what can be pasted in public.
"""

from __future__ import annotations

from jupyter_oidc.diagnostics.check import Check
from jupyter_oidc.diagnostics.context import DiagnosticContext
from jupyter_oidc.diagnostics.examination import Report, examine

__all__ = ["Check", "DiagnosticContext", "Report", "examine"]
