"""Bodies with files: fields and files as the parts of a form, in the manner of Rails (``attachment[data]``)."""

from __future__ import annotations

import asyncio
import io
import mimetypes
from collections.abc import Iterator, Sequence
from os import PathLike
from pathlib import Path as FilePath
from typing import Any, Final

import aiohttp

from ..errors import UsageError
from .request import FormPart

MAX_UPLOAD: Final = 10 * 1024 * 1024
"""Bytes a file may have (catalogue, "Create Attachment")."""


def holds_file(body: Any) -> bool:
    """Whether a body of an operation that takes a file was given one; without it, the body goes as JSON."""
    return any(_is_file(value) for _, value in _flat("", body))


async def form_parts(body: Any) -> list[FormPart]:
    """The parts of a form for a JSON-like body whose leaves may be files.

    Raises:
        UsageError: a file cannot be read or is larger than 10 MB.
    """
    return [
        await asyncio.to_thread(_file_part, name, value) if _is_file(value) else FormPart(name, _text(value))
        for name, value in _flat("", body)
    ]


def form_of(parts: Sequence[FormPart]) -> aiohttp.MultipartWriter:
    """The multipart body that aiohttp sends for these parts.

    Raises:
        UsageError: a name, a file name or a content type holds a control character, which could forge a header.
    """
    form = aiohttp.MultipartWriter("form-data")
    for part in parts:
        for text in (part.name, part.filename or "", part.content_type or ""):
            if not text.isprintable():
                raise UsageError(f"a form's part has a name or a content type with a control character: {text!r}")
        is_text = isinstance(part.value, str)
        value = part.value.encode() if isinstance(part.value, str) else part.value
        content_type = part.content_type or ("text/plain; charset=utf-8" if is_text else "application/octet-stream")
        payload = aiohttp.BytesIOPayload(io.BytesIO(value), content_type=content_type)
        parameters = {"name": part.name} if part.filename is None else {"name": part.name, "filename": part.filename}
        # Unquoted: Rails would take the %5B of a quoted "attachment[data]" literally.
        payload.set_content_disposition("form-data", quote_fields=False, **parameters)
        form.append_payload(payload)
    return form


def _flat(prefix: str, value: Any) -> Iterator[tuple[str, Any]]:
    match value:
        case dict():
            for name, part in value.items():
                yield from _flat(f"{prefix}[{name}]" if prefix else name, part)
        case list():
            for part in value:
                yield from _flat(f"{prefix}[]", part)
        case _:
            yield prefix, value


def _is_file(value: Any) -> bool:
    return isinstance(value, PathLike | tuple) or hasattr(value, "read")


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else "" if value is None else str(value)


def _file_part(name: str, value: Any) -> FormPart:
    filename, content = _read(name, value)
    if len(content) > MAX_UPLOAD:
        raise UsageError(f"{name}: {filename} has {len(content):,} bytes, at most {MAX_UPLOAD:,} are taken")
    return FormPart(name, content, filename, mimetypes.guess_type(filename)[0] or "application/octet-stream")


def _read(name: str, value: Any) -> tuple[str, bytes]:
    if isinstance(value, tuple):
        return value
    if isinstance(value, PathLike):
        try:
            return FilePath(value).name, FilePath(value).read_bytes()
        except OSError as error:
            raise UsageError(f"{name}: {error}") from error
    content = value.read()
    if not isinstance(content, bytes):
        raise UsageError(f"{name} takes a file opened in binary mode")
    return FilePath(str(getattr(value, "name", name))).name, content
