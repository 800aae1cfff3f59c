"""The body of an answer: its content type, and its bytes without their compression."""

from __future__ import annotations

import zlib
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from functools import lru_cache
from typing import Final

ACCEPTED_ENCODING: Final = "gzip"
"""The one compression that is asked for: each supported one needs its end and its growth watched."""

_COMPRESSED: Final = frozenset({"gzip", "x-gzip", "deflate"})
_UNCOMPRESSED: Final = frozenset({"", "identity"})
# zlib detects by itself whether the wrapper is that of gzip or zlib.
_GZIP_OR_ZLIB: Final = zlib.MAX_WBITS | 32


class ContentError(Exception):
    """The body is refused; the text says what is wrong with it."""


class DamagedContentError(ContentError):
    """Some of the body was lost on the way."""


def content_type_of(headers: Mapping[str, str]) -> str:
    """The content type without its parameters, in lower case; empty where none is named."""
    return _without_parameters(headers.get("content-type", ""))


@lru_cache(maxsize=64)
def _without_parameters(content_type: str) -> str:
    # A server names the same few again and again.
    return content_type.partition(";")[0].strip().lower()


def is_json(content_type: str) -> bool:
    """Whether a content type is JSON's own or built on it."""
    return content_type == "application/json" or content_type.endswith("+json")


def is_compressed(headers: Mapping[str, str]) -> bool | None:
    """Whether a body is compressed; None for a compression that was not asked for."""
    encoding = headers.get("content-encoding", "").strip().lower()
    if encoding in _UNCOMPRESSED:
        return False
    return True if encoding in _COMPRESSED else None


async def read_body(headers: Mapping[str, str], chunks: AsyncIterator[bytes], most: int) -> bytes:
    """The body that these chunks make up, decompressed.

    Raises:
        ContentError: as `parts_of_body`.
    """
    parts = [part async for part in parts_of_body(headers, chunks, most)]
    return parts[0] if len(parts) == 1 else b"".join(parts)


async def parts_of_body(
    headers: Mapping[str, str], chunks: AsyncIterator[bytes], most: int
) -> AsyncGenerator[bytes, None]:
    """The body that these chunks make up, decompressed, as far as it can be read.

    Raises:
        ContentError: it is longer than `most` bytes (raised before more than that is in memory), or compressed in a way
            that was not asked for.
        DamagedContentError: it is not compressed as its headers say, or ends before its compression does.
    """
    compressed = is_compressed(headers)
    if compressed is None:
        raise ContentError("is compressed in a way that was not asked for")
    inflation = Inflation() if compressed else None
    room = most
    async for chunk in chunks:
        part = chunk if inflation is None else inflation.feed(chunk, room)
        if len(part) > room:
            yield part[:room]
            raise ContentError(f"is larger than the {most} bytes allowed (max_answer_bytes)")
        room -= len(part)
        yield part
    if inflation is not None:
        inflation.finish()


class Inflation:
    """Decompresses a gzip or zlib stream piece by piece; a gzip stream may have several members."""

    def __init__(self) -> None:
        self._stream = zlib.decompressobj(_GZIP_OR_ZLIB)
        self._begun = False

    def feed(self, chunk: bytes, room: int) -> bytes:
        """The bytes that a piece decompresses to, at most one more than there is room for.

        Raises:
            DamagedContentError: the piece does not belong to such a stream.
        """
        parts: list[bytes] = []
        while room >= 0:
            if self._stream.eof:
                # Members may be padded with zeros.
                chunk = chunk.lstrip(b"\0")
            if not chunk:
                break
            if self._stream.eof:
                self._stream = zlib.decompressobj(_GZIP_OR_ZLIB)
            self._begun = True
            try:
                part = self._stream.decompress(chunk, room + 1)
            except zlib.error:
                raise DamagedContentError("is not compressed as its headers say") from None
            room -= len(part)
            parts.append(part)
            chunk = self._stream.unused_data if self._stream.eof else self._stream.unconsumed_tail
        return b"".join(parts)

    def finish(self) -> None:
        """Check that the stream has come to its end.

        Raises:
            DamagedContentError: the stream has not come to its end.
        """
        if self._begun and not self._stream.eof:
            raise DamagedContentError("ends before its compression does")
