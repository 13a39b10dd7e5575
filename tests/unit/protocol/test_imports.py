"""Importing the package loads no heavy library."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import sys
import jupyter_oidc.protocol.id_token, jupyter_oidc.protocol.userinfo, jupyter_oidc.protocol.logout, jupyter_oidc.protocol.dpop
print(sorted({name.partition(".")[0] for name in sys.modules} & {"joserfc", "cryptography", "asyncio", "logging"}))
"""


def test_importing_the_package_loads_no_cryptography() -> None:
    """The heavy libraries are imported with the first key set."""
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
