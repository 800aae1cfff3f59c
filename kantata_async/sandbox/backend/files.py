"""Files that the server keeps and serves: attachments, photos, exports."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final
from urllib.parse import quote, unquote

import attrs

from .clock import Clock
from .contents import StoredContent
from .refusals import Refusal, missing

FOLDER: Final = "/files"


@attrs.frozen
class StoredFile:
    """A file, and until when it is served."""

    name: str
    content: StoredContent = attrs.field(repr=lambda content: f"<{len(content)} bytes>")
    content_type: str = "application/octet-stream"
    until: datetime | None = None


class Files:
    """The files of one company by their paths, which need no token: whoever knows a path may read it.

    `origin` is where they are served: not where the API is.
    """

    def __init__(self, clock: Clock) -> None:
        self.origin = ""
        self._clock = clock
        self._files: dict[tuple[str, str], StoredFile] = {}

    def put(
        self,
        kind: str,
        identity: str,
        name: str,
        content: StoredContent,
        content_type: str,
        *,
        lasting: timedelta | None = None,
    ) -> str:
        """The path of a file, once it is kept for an object, for a while or for good, in place of its old one."""
        until = None if lasting is None else self._clock.now() + lasting
        self._files[kind, identity] = StoredFile(name, content, content_type, until)
        return f"{FOLDER}/{kind}/{identity}/{quote(name)}"

    def get(self, path: str) -> StoredFile:
        """The file at a path.

        Raises:
            Refusal: 404 where there is no file, 403 when its time is over.
        """
        _, _, kind, identity, name = (*path.split("/", 4), "", "", "", "")[:5]
        file = self._files.get((kind, identity))
        if file is None or file.name != unquote(name):
            raise missing("file")
        if file.until is not None and self._clock.now() > file.until:
            raise Refusal(403, [{"type": "system", "message": "The link has expired"}])
        return file

    def held(self, kind: str, identity: str) -> StoredFile | None:
        """The file of an object, if it has one."""
        return self._files.get((kind, identity))

    def remove(self, kind: str, identity: str) -> None:
        """Forget the file of an object, where it has one."""
        self._files.pop((kind, identity), None)

    def url(self, path: str | None) -> str | None:
        """The URL of a file's path; any other text stays as it is."""
        return f"{self.origin}{path}" if path and path.startswith(f"{FOLDER}/") else path
