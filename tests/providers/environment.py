"""Virtual environments for providers that are written in Python, so that their packages stay apart from ours."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def environment_with(folder: Path, *requirements: str) -> Path:
    """Return the interpreter of a virtual environment in ``folder`` with ``requirements``, made once."""
    python = folder / "bin" / "python"
    stamp = folder / "requirements.txt"
    wanted = "\n".join(requirements)
    if not stamp.exists() or stamp.read_text(encoding="utf-8") != wanted:
        subprocess.run((sys.executable, "-m", "venv", "--clear", str(folder)), check=True)
        subprocess.run((str(python), "-m", "pip", "install", "--quiet", *requirements), check=True)
        stamp.write_text(wanted, encoding="utf-8")
    return python
