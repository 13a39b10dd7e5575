"""The folder in which the client's wheel keeps its ``jupyter_oidc``, behind every whole one (ADR 50).

``jupyter_oidc_client.pth`` puts this folder at the end of ``sys.path`` when Python starts.
Importing this package does the same where Python has not read that file: in a process that was running when the wheel
was installed, and for a folder that is only on ``PYTHONPATH``.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

_FOLDER = str(Path(__file__).parent)

if _FOLDER not in sys.path:
    sys.path.append(_FOLDER)

if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        raise AttributeError(f"jupyter_oidc_client has no {name!r}. Write: import jupyter_oidc as oidc")
