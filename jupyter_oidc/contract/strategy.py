"""The strategies of a sign-in as a type, for clients and server; ``strategy.json`` lists them for every schema.

A test in ``tests/laws`` compares the two.
This module refuses to say what a strategy does: the server's table is ``jupyter_oidc.strategies``, that of cells and
terminals ``jupyter_oidc.kernel.sign_in_step``, and that of the panel ``labextension-stub/src/signinstep.ts``.
"""

from __future__ import annotations

from typing import Literal

Strategy = Literal["server", "loopback", "device", "paste"]
RequestedStrategy = Literal["auto", Strategy]
"""The wish of a caller, or of the settings; ``auto`` leaves the choice to the server."""
