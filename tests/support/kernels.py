"""Kernels for whoever asks which of them live, without a kernel."""

from __future__ import annotations


class Kernels(dict[str, bytes]):
    """The connection keys of the kernels that live."""

    def is_live(self, kernel_id: str) -> bool:
        """Return whether the kernel is among them."""
        return kernel_id in self

    def key_of(self, kernel_id: str) -> bytes | None:
        """Return its key."""
        return self.get(kernel_id)
