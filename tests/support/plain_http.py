"""What a test's client of a server without TLS trusts: nothing.

A client of httpx loads every certificate that the machine trusts when it is made, also for plain HTTP, and that takes
longer than most of the calls for which it is made.
"""

from __future__ import annotations

import ssl
from typing import Final

PLAIN: Final = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""A context that verifies and trusts no authority, so that it fails wherever TLS is spoken; shared by all clients."""
