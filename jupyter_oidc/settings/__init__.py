"""The settings: frozen, validated values and the one reader that makes them.

``model`` holds the values, ``reading`` turns a plain mapping (traitlets or JSON) into them or into findings.
This package never contacts a provider, reads an environment variable or opens a file: a secret is a
:class:`~jupyter_oidc.settings.model.SecretRef` until an adapter resolves it.
"""

from __future__ import annotations

from jupyter_oidc.settings.finding import Finding, Kind
from jupyter_oidc.settings.model import Api, ClaimPath, Provider, SecretRef, Settings
from jupyter_oidc.settings.reading import read_settings

__all__ = ["Api", "ClaimPath", "Finding", "Kind", "Provider", "SecretRef", "Settings", "read_settings"]
