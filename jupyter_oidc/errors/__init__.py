"""The exceptions and warnings of the kernel helper, as a notebook names them: ``oidc.errors.NotSignedIn``.

``jupyter_oidc`` has each of them by its bare name as well. The server's own refusals are another tree:
``jupyter_oidc/problems.py``, which a kernel cannot import.
"""

from jupyter_oidc.kernel.errors import *  # noqa: F403 - its list of names is the list of errors
from jupyter_oidc.kernel.errors import __all__ as __all__
