"""Bodies with files: fields and files as the parts of a form, in the manner of Rails (``attachment[data]``)."""

from __future__ import annotations

import asyncio
import mimetypes
from collections.abc import Iterator
from os import PathLike
from pathlib import Path as FilePath
from typing import Any, Final

from ..errors import UsageError
from .transport import Part

MAX_UPLOAD: Final = 10 * 1024 * 1024
"""Bytes a file may have (catalogue, "Create Attachment")."""


def holds_file(body: Any) -> bool:
    """Whether a body of an operation that takes a file was given one; without it, the body goes as JSON."""
    return any(_is_file(value) for _, value in _flat("", body))


async def form_parts(body: Any) -> list[Part]:
    """The parts of a form for a JSON-like body whose leaves may be files.

    Raises UsageError for a file that cannot be read or is larger than 10 MB.
    """
    return [
        await asyncio.to_thread(_file_part, name, value) if _is_file(value) else Part(name, _text(value))
        for name, value in _flat("", body)
    ]


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


def _file_part(name: str, value: Any) -> Part:
    filename, content = _read(name, value)
    if len(content) > MAX_UPLOAD:
        raise UsageError(f"{name}: {filename} has {len(content):,} bytes, at most {MAX_UPLOAD:,} are taken")
    return Part(name, content, filename, mimetypes.guess_type(filename)[0] or "application/octet-stream")


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
