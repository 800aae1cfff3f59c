"""Bodies with files: fields and files as the parts of a form, in the manner of Rails (``attachment[data]``)."""

from __future__ import annotations

import asyncio
import inspect
import io
import mimetypes
from collections.abc import Iterator, Sequence
from os import PathLike
from pathlib import Path as FilePath
from typing import Any, Final

import aiohttp
from aiohttp.abc import AbstractStreamWriter

from ..errors import UsageError
from .request import FileContent, FormPart

MAX_UPLOAD: Final = 10 * 1024 * 1024
"""Bytes a file may have (catalogue, "Create Attachment")."""

_PIECE: Final = 1 << 16


def holds_file(body: Any) -> bool:
    """Whether the body of an operation that takes files holds one; without one, it goes as JSON."""
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
        content_type = part.content_type or ("text/plain; charset=utf-8" if is_text else "application/octet-stream")
        payload = _payload(part.value, content_type)
        parameters = {"name": part.name} if part.filename is None else {"name": part.name, "filename": part.filename}
        # Unquoted: Rails would take the %5B of a quoted "attachment[data]" literally.
        payload.set_content_disposition("form-data", quote_fields=False, **parameters)
        form.append_payload(payload)
    return form


class _FilePayload(aiohttp.Payload):
    """A file as a part of a form, read in a thread piece by piece."""

    _autoclose = True

    def __init__(self, file: FileContent, content_type: str) -> None:
        super().__init__(file, content_type=content_type)
        self._file = file
        self._size = file.size

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        """A file is not shown as text."""
        raise TypeError("a file that is sent piece by piece is not decoded")

    async def write(self, writer: AbstractStreamWriter) -> None:
        """Send the file.

        Raises:
            OSError: the file is not as long as it was.
        """
        sent = 0
        opened = await asyncio.to_thread(self._file.open)
        with opened:
            while piece := await asyncio.to_thread(opened.read, _PIECE):
                sent += len(piece)
                if sent > self._file.size:
                    break
                await writer.write(piece)
                if self._file.on_bytes is not None:
                    result = self._file.on_bytes(sent, self._file.size)
                    if inspect.isawaitable(result):
                        await result
        if sent != self._file.size:
            raise OSError(f"{self._file.filename} changed its size while it was sent")


def _payload(value: str | bytes | FileContent, content_type: str) -> aiohttp.Payload:
    if isinstance(value, FileContent):
        return _FilePayload(value, content_type)
    content = value.encode() if isinstance(value, str) else value
    return aiohttp.BytesIOPayload(io.BytesIO(content), content_type=content_type)


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
    return isinstance(value, PathLike | tuple | FileContent) or hasattr(value, "read")


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else "" if value is None else str(value)


def _file_part(name: str, value: Any) -> FormPart:
    filename, size, content = _content(name, value)
    if size > MAX_UPLOAD:
        raise UsageError(f"{name}: {filename} has {size:,} bytes or more, at most {MAX_UPLOAD:,} are taken")
    return FormPart(name, content, filename, type_of(filename))


def type_of(filename: str) -> str:
    """The content type that a file's name stands for."""
    return mimetypes.guess_type(filename)[0] or "application/octet-stream"


def content_at(path: PathLike[str], name: str) -> FileContent:
    """The file at a path; `name` is what asks for it.

    Raises:
        UsageError: there is none that can be read.
    """
    found = FilePath(path)
    try:
        with found.open("rb") as opened:
            size = opened.seek(0, io.SEEK_END)
    except (OSError, ValueError) as error:  # a ValueError for a name that no file can have
        raise UsageError(f"{name}: {error}") from error
    return FileContent(found.name, size, lambda: found.open("rb"))


def _content(name: str, value: Any) -> tuple[str, int, bytes | FileContent]:
    """The name of a file, its size (or a lower bound, where it is too large), and its content."""
    if isinstance(value, PathLike):
        value = content_at(value, name)
    if isinstance(value, FileContent):
        return value.filename, value.size, value
    if isinstance(value, tuple):
        return value[0], len(value[1]), value[1]
    content = value.read(MAX_UPLOAD + 1)
    if not isinstance(content, bytes):
        raise UsageError(f"{name} takes a file opened in binary mode")
    return FilePath(str(getattr(value, "name", name))).name, len(content), content
