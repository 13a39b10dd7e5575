"""Tracks which users use which kernels of a server that its owner shares.

Under JupyterHub a server has one owner, who may admit other users (shares, real-time collaboration).
They can start kernels and use running ones; such a kernel would call APIs as the owner, so it gets no grant.
This protects an owner who shares work, not one who shares an account: an admitted user runs code as the owner's user of
the operating system, and can read the same files.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jupyter_core.utils import ensure_async
from jupyter_server import CallContext

if TYPE_CHECKING:
    from collections.abc import Callable

    from jupyter_oidc.web.front import SharingMode


def current_jupyter_user() -> str | None:
    """Return the name of the Jupyter user whose request is being answered, or ``None`` outside of a request."""
    handler = CallContext.get(CallContext.JUPYTER_HANDLER)
    return getattr(getattr(handler, "current_user", None), "username", None)


class Sharing:
    """Records which kernels only the ``owner`` has used; ``current_user`` returns the user of the present request.

    With ``admits_all`` the kernels of other users act for the owner, too. ``changed`` is called when the first other
    user appears.
    """

    def __init__(
        self,
        owner: str,
        current_user: Callable[[], str | None] = current_jupyter_user,
        *,
        admits_all: bool = False,
        changed: Callable[[], None] = lambda: None,
    ) -> None:
        self._owner = owner
        self._current_user = current_user
        self._admits_all = admits_all
        self._changed = changed
        self._own: set[str] = set()
        self._others: set[str] = set()
        self.is_shared = False

    def watch(self, manager: Any) -> None:
        """Record every kernel that ``manager`` starts or connects a user to."""
        start, connect = manager.start_kernel, getattr(manager, "notify_connect", None)

        async def start_kernel(*args: Any, **options: Any) -> str:
            self.notice_current_user()  # NOTE: before the kernel runs, which may call us before the answer
            kernel_id = str(await ensure_async(start(*args, **options)))
            self.note_use(kernel_id)
            return kernel_id

        def notify_connect(kernel_id: str) -> Any:
            self.note_use(kernel_id)
            return connect(kernel_id) if connect is not None else None

        manager.start_kernel, manager.notify_connect = start_kernel, notify_connect

    def note_use(self, kernel_id: str) -> None:
        """Record that the current user uses the kernel ``kernel_id``."""
        if self.notice_current_user():
            self._others.add(kernel_id)
        elif self._current_user() is not None:
            self._own.add(kernel_id)

    def admits(self, kernel_id: str) -> bool:
        """Return whether a kernel may act for the owner; on a shared server only the owner may have used it."""
        if self._admits_all:
            return True
        return kernel_id not in self._others and (kernel_id in self._own or not self.is_shared)

    @property
    def mode(self) -> SharingMode:
        """The mode that the owner is shown."""
        return "none" if not self.is_shared else "all-kernels" if self._admits_all else "own-kernels"

    def notice_current_user(self) -> bool:
        """Return whether the current user is not the owner; after the first such user the server counts as shared."""
        current_user = self._current_user()
        another = current_user is not None and current_user != self._owner
        if another and not self.is_shared:
            self.is_shared = True
            self._changed()
        return another
