"""Files that come with a request."""

from __future__ import annotations

import attrs


@attrs.frozen
class UploadedFile:
    """A file part of a multipart form."""

    filename: str
    content: bytes = attrs.field(repr=lambda content: f"<{len(content)} bytes>")
    content_type: str = "application/octet-stream"
