"""The mark that every secret of a test provider carries, so that it can be recognised wherever it turns up (law 9)."""

from __future__ import annotations

MARKER = "CANARY-9d1e7b-"
