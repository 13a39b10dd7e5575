"""Opens, measures and names a file for an upload, and closes it again if this module opened it."""

from __future__ import annotations

import mimetypes
from contextlib import ExitStack
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final

import httpx

from jupyter_oidc.kernel.body import FileBody, file_body
from jupyter_oidc.kernel.progress import UploadProgress
from jupyter_oidc.language import _

if TYPE_CHECKING:
    from typing_extensions import Self

UNKNOWN: Final = "application/octet-stream"


class Upload:
    """The file ``file`` (a path, or a file opened for reading bytes); use it in a ``with`` statement.

    Raises ``OSError`` as ``open`` does, and ``TypeError`` for a file that cannot be rewound and measured.
    """

    def __init__(self, file: str | PathLike[str] | BinaryIO, *, progress: bool) -> None:
        self._file = file
        self._progress = progress
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            file = self._file
            source = stack.enter_context(Path(file).open("rb")) if isinstance(file, str | PathLike) else file
            body = file_body(source)
            if body is None:
                raise TypeError("upload() needs a path, or a file opened for reading bytes that can be rewound.")
            self.name = Path(str(getattr(source, "name", ""))).name
            if self._progress:
                upload_progress = stack.enter_context(UploadProgress(self.name or _("Upload"), body.size))
                body = FileBody(source, upload_progress.sent)
            self.body = body
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *reason: object) -> None:
        self._stack.__exit__(*reason)  # type: ignore[arg-type]

    def headers(self, wanted: Any) -> httpx.Headers:
        """Return the headers that the caller ``wanted``, with a media type."""
        headers = httpx.Headers(wanted)
        headers.setdefault("Content-Type", mimetypes.guess_type(self.name)[0] or UNKNOWN)
        return headers
