"""Finds out what is right and wrong with a set-up, and who can fix it: the checks behind ``jupyter oidc doctor`` and ``diagnostics``.

One module a subject, one function a check; a check is a value (:class:`~jupyter_oidc.diagnostics.check.Check`).
What they look at comes in as :class:`~jupyter_oidc.diagnostics.context.DiagnosticContext`, so that a test can put
anything in the place of a keyring, a clock or a network.
Nothing here repairs anything, holds a token, or says more than can be pasted in public.
"""

from __future__ import annotations

from jupyter_oidc.diagnostics.check import Check
from jupyter_oidc.diagnostics.context import DiagnosticContext
from jupyter_oidc.diagnostics.examination import Report, examine

__all__ = ["Check", "DiagnosticContext", "Report", "examine"]
