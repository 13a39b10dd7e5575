"""``python -m jupyter_oidc.cli`` is ``jupyter oidc``."""

from __future__ import annotations

from jupyter_oidc.cli.app import main

if __name__ == "__main__":
    main()
