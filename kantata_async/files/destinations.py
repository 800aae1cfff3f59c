"""Where a download goes: to a path, by way of a temporary name beside it, or to a writer."""

from __future__ import annotations

import asyncio
import io
import os
import secrets
from collections.abc import Callable
from itertools import count
from os import PathLike
from pathlib import Path
from typing import Any, BinaryIO, Final, Protocol, TypeAlias

from ..errors import UsageError
from ..model import brief_repr
from .names import numbered
from .progress import call_and_await

_WRITTEN_AT_ONCE: Final = 1 << 19


class ByteWriter(Protocol):
    """What takes the bytes of a file: a `write`, which may be async."""

    def write(self, data: bytes, /) -> object:
        """Take some bytes."""
        ...


DownloadTo: TypeAlias = str | PathLike[str] | ByteWriter
"""A path, a directory that takes the file under the server's name, or a writer."""


class Destination(Protocol):
    """Where the bytes of one file go."""

    can_begin_anew: bool
    """Whether it forgets what it got, and takes another file instead."""

    async def open(self) -> None:
        """Make ready."""
        ...

    async def write(self, piece: bytes) -> None:
        """Take the next bytes."""
        ...

    async def begin_anew(self) -> None:
        """Take the file again, from its first byte."""
        ...

    async def finish(self, name: str) -> Path | None:
        """Where the file is, once it is complete. `name` is its own, made safe."""
        ...

    async def discard(self) -> None:
        """Let go of what came."""
        ...


def destination_of(to: object, *, overwrite: bool) -> Destination:
    """The destination that is meant.

    Raises:
        UsageError: there is a file already, no such directory, a writer that takes no bytes, or no destination at all.
    """
    if not isinstance(overwrite, bool):
        raise UsageError(f"download: overwrite must be True or False, not {brief_repr(overwrite)}")
    if isinstance(to, str | PathLike):
        return _path_destination(os.fspath(to), overwrite=overwrite)
    if callable(getattr(to, "write", None)):
        return WriterDestination(_taking_bytes(to))
    raise UsageError(f"a download goes to a path, a directory or a writer, not to {type(to).__name__}")


def _path_destination(to: str | bytes, *, overwrite: bool) -> PathDestination:
    if not isinstance(to, str) or not _can_be_a_name(to):
        raise UsageError(f"{to!r} is not a path that a download can go to")
    path = Path(to)
    if path.is_dir():
        return PathDestination(path, None, overwrite=overwrite)
    if to.endswith(("/", os.sep)) or not path.parent.is_dir():
        raise UsageError(f"there is no directory {path if to.endswith(('/', os.sep)) else path.parent}")
    if path.exists() and not path.is_file():
        raise UsageError(f"{path} is not a regular file: open it, and give the writer that takes the bytes")
    if not overwrite and os.path.lexists(path):
        raise UsageError(f"there is a file {path} already: give overwrite=True to replace it")
    return PathDestination(path.parent, path.name, overwrite=overwrite)


def _can_be_a_name(path: str) -> bool:
    try:
        return bool(path) and b"\0" not in os.fsencode(path)
    except UnicodeEncodeError:
        return False


def _taking_bytes(writer: Any) -> ByteWriter:
    """The writer, if it is known to take bytes, or nothing is known of it.

    Raises:
        UsageError: it is a file that takes none.
    """
    if isinstance(writer, io.TextIOBase):
        raise UsageError('a download goes to a writer of bytes, and this one takes text: open it with "wb"')
    if isinstance(writer, io.IOBase) and (writer.closed or not writer.writable()):
        raise UsageError(f"a download goes to a writer, and this one {'is closed' if writer.closed else 'only reads'}")
    taking: ByteWriter = writer
    return taking


class PathDestination:
    """A file in a directory, under a name that is given or else its own.

    It has a temporary name until it is complete. Its own name gets a number where there is a file of that name.
    """

    can_begin_anew = True

    def __init__(self, directory: Path, name: str | None, *, overwrite: bool) -> None:
        self._directory: Final = directory
        self._name: Final = name
        self._overwrite: Final = overwrite
        self._temporary: Final = directory / f".kantata-{secrets.token_hex(8)}.part"
        self._file: BinaryIO
        self._waiting = bytearray()
        self._work: asyncio.Future[Any] | None = None

    async def open(self) -> None:
        """See `Destination`.

        Raises:
            OSError: no file can be made.
        """
        await self._in_thread(self._made)

    async def write(self, piece: bytes) -> None:
        """See `Destination`.

        Raises:
            OSError: the file cannot be written, as on a full disk.
        """
        self._waiting += piece
        if len(self._waiting) >= _WRITTEN_AT_ONCE:
            await self._flush()

    async def begin_anew(self) -> None:
        """See `Destination`."""
        self._waiting.clear()
        await self._in_thread(self._emptied)

    async def finish(self, name: str) -> Path:
        """See `Destination`.

        Raises:
            OSError: the file cannot be written.
            UsageError: another file has got the name that was given.
        """
        await self._flush()
        placed: Path = await self._in_thread(lambda: self._placed(name))
        return placed

    async def discard(self) -> None:
        """See `Destination`."""
        try:
            if self._work is not None and not self._work.done():
                # A thread still writes to the file, which must not be closed meanwhile.
                await asyncio.wait([self._work])
        finally:
            if hasattr(self, "_file"):
                self._file.close()
            self._temporary.unlink(missing_ok=True)

    async def _flush(self) -> None:
        if self._waiting:
            data, self._waiting = self._waiting, bytearray()
            await self._in_thread(lambda: self._written(data))

    async def _in_thread(self, work: Callable[[], Any]) -> Any:
        self._work = asyncio.ensure_future(asyncio.to_thread(work))
        return await asyncio.shield(self._work)

    def _made(self) -> None:
        # Kept by the thread itself: whoever waits for it may be cancelled.
        self._file = self._temporary.open("xb", buffering=0)

    def _written(self, data: bytearray) -> None:
        view = memoryview(data)
        while view:
            view = view[self._file.write(view) :]

    def _emptied(self) -> None:
        self._file.seek(0)
        self._file.truncate()

    def _placed(self, name: str) -> Path:
        os.fsync(self._file.fileno())
        self._file.close()
        if self._overwrite:
            return self._temporary.replace(self._directory / (self._name or name))
        if self._name is not None:
            if not moved(self._temporary, self._directory / self._name):
                raise UsageError(f"there is a {self._directory / self._name} by now: give overwrite=True to replace it")
            return self._directory / self._name
        candidates = (self._directory / numbered(name, number) for number in count(1))
        return next(path for path in candidates if moved(self._temporary, path))


def moved(file: Path, to: Path, link: Callable[[Path, Path], None] = os.link) -> bool:
    """Whether a file could be given a name; it cannot where another file has it.

    `link` gives a file a second name; not every file system can.
    """
    try:
        link(file, to)
    except FileExistsError:
        return False
    except OSError:
        # Where there are no hard links, the name is claimed first.
        try:
            to.open("xb").close()
        except FileExistsError:
            return False
        file.replace(to)
        return True
    file.unlink()
    return True


class WriterDestination:
    """The program's writer. It keeps what it got, so that a file which comes again is written from there on."""

    can_begin_anew = False

    def __init__(self, writer: ByteWriter) -> None:
        self._writer: Final = writer
        self._written = 0
        self._come = 0

    async def open(self) -> None:
        """See `Destination`."""

    async def write(self, piece: bytes) -> None:
        """See `Destination`."""
        known = self._written - self._come
        self._come += len(piece)
        new = piece[known:] if known > 0 else piece
        if new:
            await call_and_await(self._writer.write, new)
            self._written += len(new)

    async def begin_anew(self) -> None:
        """See `Destination`."""
        self._come = 0

    async def finish(self, name: str) -> None:
        """See `Destination`."""

    async def discard(self) -> None:
        """See `Destination`."""
