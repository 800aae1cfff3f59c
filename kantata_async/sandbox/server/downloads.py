"""Downloads of files, whole or in part."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import quote

from ..backend import Answer, Extent, StoredFile, tag_of

_RANGE: Final = re.compile(r"bytes=(\d*)-(\d*)")


def download(file: StoredFile, headers: Mapping[str, str], *, ranges: bool) -> Answer:
    """The answer to a request for a file: all of it, or the part that a `Range` header asks for.

    A range is honoured unless an `If-Range` names another version of the file; several ranges at once are not.
    """
    etag = f'"{tag_of(file.content)}"'
    described = {
        "ETag": etag,
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(file.name, safe='')}",
        "Accept-Ranges": "bytes" if ranges else "none",
    }
    size = len(file.content)
    span = _span(headers.get("Range", ""), size) if ranges and headers.get("If-Range", etag) == etag else None
    if span is None:
        return Answer(200, b"", file.content_type, described, Extent(file.content, 0, size - 1))
    first, last = span
    if first > last:
        return Answer(416, b"", headers={**described, "Content-Range": f"bytes */{size}"})
    described["Content-Range"] = f"bytes {first}-{last}/{size}"
    return Answer(206, b"", file.content_type, described, Extent(file.content, first, last))


def _span(asked: str, size: int) -> tuple[int, int] | None:
    """The first and the last byte of a range, the first after the last where the file has none of it.

    None for anything but a single range, which a server ignores.
    """
    found = _RANGE.fullmatch(asked.strip())
    if found is None or not (found[1] or found[2]):
        return None
    if not found[1]:
        return max(0, size - int(found[2])), size - 1
    first = int(found[1])
    last = int(found[2]) if found[2] else size - 1
    return None if found[2] and last < first else (first, min(last, size - 1))
