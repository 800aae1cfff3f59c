"""Bodies from the wire: JSON, a form, or a multipart form."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl

import attrs
import msgspec
from aiohttp import BodyPartReader, web

from ..backend import UploadedFile, malformed
from .forms import nest


@attrs.frozen
class Body:
    """What a request carried: decoded JSON, or the nested fields of a form."""

    json: Any = None
    form: dict[str, Any] | None = None


async def read_body(request: web.Request) -> Body:
    """The body of a request, decoded.

    Raises:
        Refusal: 400 when the body is not what its content type says.
    """
    if not request.can_read_body:
        return Body()
    if request.content_type == "multipart/form-data":
        return Body(form=nest(await _parts(request)))
    raw = await request.read()
    if request.content_type == "application/x-www-form-urlencoded":
        return Body(form=nest(parse_qsl(raw.decode(), keep_blank_values=True)))
    if not raw:
        return Body()
    try:
        return Body(json=msgspec.json.decode(raw))
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise malformed("The body is not JSON") from None


async def _parts(request: web.Request) -> list[tuple[str, str | UploadedFile]]:
    fields: list[tuple[str, str | UploadedFile]] = []
    try:
        async for part in await request.multipart():
            if not isinstance(part, BodyPartReader) or part.name is None:
                continue
            content = bytes(await part.read(decode=True))
            if part.filename is None:
                fields.append((part.name, content.decode()))
            else:
                kind = part.headers.get("Content-Type", "application/octet-stream")
                fields.append((part.name, UploadedFile(part.filename, content, kind)))
    except ValueError:
        raise malformed("The body is not a multipart form") from None
    return fields
