"""What is uploaded: a path, bytes, or a reader, which is kept so that its size is known before it is sent."""

from __future__ import annotations

import inspect
import io
import tempfile
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from os import PathLike
from pathlib import Path
from typing import IO, Any, BinaryIO, Final, Protocol, Self, TypeAlias, cast

import attrs

from ..errors import UsageError
from ..transport import MAX_UPLOAD, FileContent, OnBytes, content_at

_PIECE: Final = 1 << 18


class ByteReader(Protocol):
    """What gives the bytes of a file: a `read`, which may be async; empty bytes say that it ends."""

    def read(self, size: int = ..., /) -> bytes | Awaitable[bytes]:
        """The next bytes."""
        ...


UploadFrom: TypeAlias = (
    str | PathLike[str] | bytes | bytearray | memoryview | tuple[str, bytes | bytearray | memoryview] | ByteReader
)
"""A path, the bytes of a file (a name with them, where it has one), or a reader."""


@asynccontextmanager
async def content_of(source: object, filename: str | None, on_bytes: OnBytes | None) -> AsyncIterator[FileContent]:
    """The file that is meant, for as long as the block runs.

    Raises:
        UsageError: it cannot be read, or has no name.
    """
    if callable(getattr(source, "read", None)) and not isinstance(source, PathLike):
        # In memory, or in a temporary file where it is large.
        with tempfile.SpooledTemporaryFile(max_size=MAX_UPLOAD) as kept:
            yield _named(await _read(source, kept), filename, on_bytes)
    else:
        yield _named(_content(source), filename, on_bytes)


def _named(content: FileContent, filename: str | None, on_bytes: OnBytes | None) -> FileContent:
    name = content.filename if filename is None else filename
    if not name or not name.isprintable():
        raise UsageError("an upload needs a file name without control characters: give filename=")
    return attrs.evolve(content, filename=name, on_bytes=on_bytes)


def _content(source: object) -> FileContent:
    match source:
        case str() | PathLike():
            return content_at(Path(source), "upload")
        case tuple((str() as name, bytes() | bytearray() | memoryview() as data)):
            return _in_memory(name, bytes(data))
        case bytes() | bytearray() | memoryview():
            return _in_memory("", bytes(source))
    kind = (
        f"({', '.join(type(one).__name__ for one in source)})" if isinstance(source, tuple) else type(source).__name__
    )
    raise UsageError(f"an upload takes a path, bytes, (name, bytes) or a reader, not {kind}")


def _in_memory(name: str, data: bytes) -> FileContent:
    return FileContent(name, len(data), lambda: io.BytesIO(data))


async def _read(reader: Any, kept: IO[bytes]) -> FileContent:
    """The content of a reader, which is kept in a file."""
    size = 0
    while piece := await _piece_of(reader):
        size += len(piece)
        kept.write(piece)
    name = Path(str(getattr(reader, "name", ""))).name
    return FileContent(name, size, lambda: _from_the_beginning(kept))


async def _piece_of(reader: Any) -> bytes:
    piece = reader.read(_PIECE)
    if inspect.isawaitable(piece):
        piece = await piece
    if not isinstance(piece, bytes):
        raise UsageError(f"an upload takes a reader of bytes, and this one gave {type(piece).__name__}")
    return piece


def _from_the_beginning(kept: IO[bytes]) -> BinaryIO:
    """A file to be read once more, which stays open when whoever reads it closes it."""
    kept.seek(0)
    return cast("BinaryIO", _Unclosed(kept))


class _Unclosed:
    """A file that stays open."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def read(self, size: int = -1) -> bytes:
        """The next bytes."""
        return self._file.read(size)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None: ...
