"""One file from a link to its destination: asked for, resumed where it broke off, and checked."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final, TypeAlias

import attrs

from ..bounds import positive_count
from ..callables import check_function
from ..errors import (
    APIError,
    ConnectionFailedError,
    InvalidResponseError,
    KantataError,
    RequestTimeoutError,
)
from ..response import Response
from ..transport import FileAnswer, FileExchange, OnBytes
from .destinations import Destination, DownloadTo, destination_of
from .names import name_of, safe_name
from .progress import call_and_await
from .ranges import HeldBytes, asking_for, portion_of

OnProgress: TypeAlias = OnBytes
"""Called with how many bytes are done, and how many there are in all; None while nobody knows. It may be async."""

_NO_SUCH_RANGE: Final = 416
_LINK_IS_OVER: Final = frozenset({400, 401, 403, 404, 410})


@attrs.frozen
class DownloadedFile:
    """A file that was downloaded.

    Attributes:
        path: where it is; None where it went to a writer.
        filename: its own name, made safe; the file at the path may have another.
        size: bytes.
        content_type: what the server says that it is; None where it does not say.
        response: the last answer that it came in.
    """

    path: Path | None
    filename: str
    size: int
    content_type: str | None
    response: Response | None = attrs.field(default=None, eq=False, repr=False)


@attrs.frozen
class WantedFile:
    """The file that is wanted.

    Attributes:
        link: gives the link; asked before each attempt, because links are valid for a minute only.
        filename: its name; None where its server is to say it.
        size: the bytes that it has; None where nobody knows.
        advice: what to do when the link is refused.
    """

    link: Callable[[], Awaitable[str]]
    filename: str | None = None
    size: int | None = None
    advice: str | None = None


async def download(
    exchange: FileExchange,
    wanted: WantedFile,
    to: DownloadTo,
    *,
    max_bytes: int | None = None,
    overwrite: bool = False,
    on_progress: OnProgress | None = None,
) -> DownloadedFile:
    """The file, once it is downloaded. Under its final name there is never only a part of it.

    Args:
        exchange: asks for it.
        wanted: which file.
        to: a path, a directory (the file keeps its name there), or a writer.
        max_bytes: how many bytes it may have, decompressed; None for any number.
        overwrite: whether a file that is there already is replaced.
        on_progress: called whenever bytes were written.

    Raises:
        UsageError: an argument cannot be used, or there is a file already.
        InvalidResponseError: the file is too large, or not of the size that the API says.
        TransportError: it broke off, and no attempt is left.
        APIError: it was refused.
        OSError: it cannot be written.
    """
    destination = checked_destination(to, max_bytes=max_bytes, overwrite=overwrite, on_progress=on_progress)
    try:
        await destination.open()
        return await Download(exchange, wanted, destination, max_bytes, on_progress).complete()
    except BaseException:
        await destination.discard()
        raise


def checked_destination(to: object, *, max_bytes: object, overwrite: bool, on_progress: object) -> Destination:
    """Where a download goes whose arguments can be used; nothing is made yet.

    Raises:
        UsageError: one of them cannot be used, or there is a file already.
    """
    if max_bytes is not None:
        positive_count("download", "max_bytes", max_bytes)
    if on_progress is not None:
        check_function("download", "on_progress", on_progress, "a number of bytes", "their total")
    return destination_of(to, overwrite=overwrite)


class Download:
    """A download on its way."""

    def __init__(
        self,
        exchange: FileExchange,
        wanted: WantedFile,
        destination: Destination,
        max_bytes: int | None,
        on_progress: OnProgress | None,
    ) -> None:
        self._exchange: Final = exchange
        self._wanted: Final = wanted
        self._destination: Final = destination
        self._max_bytes: Final = max_bytes
        self._on_progress: Final = on_progress
        self._held = HeldBytes(total=wanted.size)
        self._furthest = 0

    async def complete(self) -> DownloadedFile:
        """The file, when all of it has come."""
        with self._exchange.recorded():
            while True:
                # Its errors end the download: the call was tried as often as the policy says.
                link = await self._wanted.link()
                error: KantataError
                try:
                    with await self._exchange.ask(link, asking_for(self._held)) as answer:
                        refusal = None if await self._is_taken(answer) else await self._refusal(answer)
                    if refusal is None:
                        return await self._finished(answer)
                    error = refusal
                except (ConnectionFailedError, RequestTimeoutError) as broken:
                    error = broken
                if self._held.size > self._furthest:
                    self._furthest = self._held.size
                    self._exchange.progressed()
                await self._exchange.go_on(error)

    async def _is_taken(self, answer: FileAnswer) -> bool:
        """Whether an answer held some of the file, which is then taken."""
        if answer.status == _NO_SUCH_RANGE and self._held.can_go_on:
            raise self._no_rest(answer)
        if not 200 <= answer.status < 300:
            return False
        portion = portion_of(answer.status, answer.headers, self._held, compressed=answer.is_compressed)
        if portion is None and self._held.can_go_on:
            raise self._no_rest(answer)
        if portion is None:
            raise InvalidResponseError(f"{answer}: {answer.status} is not an answer to a request for a file")
        if portion.first == 0 and self._held.size:
            await self._begin_anew(answer, portion.tag)
        self._held = HeldBytes(
            portion.first, portion.total if portion.total is not None else self._wanted.size, portion.tag
        )
        self._check_total(answer)
        async for piece in answer.pieces(None if self._max_bytes is None else self._max_bytes - self._held.size):
            await self._take(answer, piece)
        self._check_end(answer)
        return True

    def _no_rest(self, answer: FileAnswer) -> ConnectionFailedError:
        """The error where the rest cannot be had: all of the file is asked for next."""
        self._held = attrs.evolve(self._held, tag=None)
        return ConnectionFailedError(f"{answer}: the answer is not the rest of the file")

    async def _begin_anew(self, answer: FileAnswer, tag: str | None) -> None:
        if not self._destination.can_begin_anew and (tag is None or tag != self._held.tag):
            raise InvalidResponseError(
                f"{answer}: the file broke off after {self._held.size:,} bytes, and may be another one now; "
                "what was written cannot be taken back: download it to a path"
            )
        await self._destination.begin_anew()

    async def _take(self, answer: FileAnswer, piece: bytes) -> None:
        size = self._held.size + len(piece)
        if self._max_bytes is not None and size > self._max_bytes:
            raise self._too_large(answer)
        await self._destination.write(piece)
        self._held = attrs.evolve(self._held, size=size)
        if self._on_progress is not None:
            await call_and_await(self._on_progress, size, self._held.total)

    def _check_total(self, answer: FileAnswer) -> None:
        total, size = self._held.total, self._wanted.size
        if self._max_bytes is not None and total is not None and total > self._max_bytes:
            raise self._too_large(answer)
        if size is not None and total is not None and total != size:
            raise InvalidResponseError(f"{answer}: the file has {total:,} bytes, not the {size:,} that the API says")

    def _check_end(self, answer: FileAnswer) -> None:
        size, total = self._held.size, self._held.total
        if total is None or size == total:
            return
        if size < total:
            raise ConnectionFailedError(f"{answer}: the file ended after {size:,} of {total:,} bytes")
        raise InvalidResponseError(f"{answer}: the file has more than its {total:,} bytes")

    def _too_large(self, answer: FileAnswer) -> InvalidResponseError:
        return InvalidResponseError(
            f"{answer}: the file is larger than the {self._max_bytes:,} bytes allowed (max_bytes)"
        )

    async def _refusal(self, answer: FileAnswer) -> KantataError:
        """The error for a refusal."""
        error = await answer.refusal()
        if isinstance(error, APIError) and error.status in _LINK_IS_OVER and self._wanted.advice is not None:
            error.add_note(f"kantata_async: {self._wanted.advice}")
        return error

    async def _finished(self, answer: FileAnswer) -> DownloadedFile:
        name = safe_name(self._wanted.filename or name_of(answer.headers, answer.url))
        path = await self._destination.finish(name)
        return DownloadedFile(path, name, self._held.size, answer.headers.get("content-type"), answer.response)
