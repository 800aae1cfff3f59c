"""The body of an answer without its compression: whole, or an error."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wire import OK, Server, get, opened, post, reply

from kantata_async.errors import AmbiguousWriteError, InvalidResponseError, ServerError, ValidationError
from kantata_async.transport.content import ContentError, DamagedContentError, Inflation, read_body

TEXT = b'{"notes": "' + b"all of it, " * 200 + b'"}'
ZIPPED = gzip.compress(TEXT)


async def in_pieces(body: bytes, size: int) -> AsyncIterator[bytes]:
    """A body as it may come."""
    for start in range(0, len(body), size):
        yield body[start : start + size]


async def read(body: bytes, encoding: str | None, *, size: int = 1 << 16, most: int = 1 << 20) -> bytes:
    """A body of this encoding, decompressed."""
    headers = {} if encoding is None else {"content-encoding": encoding}
    return await read_body(headers, in_pieces(body, size), most)


@pytest.mark.parametrize("size", [1, 7, 1 << 16])
@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        (None, TEXT),
        ("identity", TEXT),
        ("gzip", ZIPPED),
        ("X-GZIP", ZIPPED),
        ("deflate", zlib.compress(TEXT)),
        ("gzip", gzip.compress(TEXT[:50]) + gzip.compress(TEXT[50:])),
        ("gzip", ZIPPED + b"\0" * 20),
    ],
    ids=["plain", "identity", "gzip", "x-gzip", "zlib", "two members", "padded"],
)
async def test_a_whole_body_is_read(encoding: str | None, body: bytes, size: int) -> None:
    """However it is cut into pieces."""
    assert await read(body, encoding, size=size) == TEXT


@pytest.mark.parametrize("encoding", ["gzip", "deflate", None])
async def test_nothing_is_nothing(encoding: str | None) -> None:
    """A 204 may name a compression that it has no use for."""
    assert await read(b"", encoding) == b""


@given(kept=st.integers(1, len(ZIPPED) - 1), size=st.integers(1, 64))
async def test_a_body_that_ends_before_its_compression_is_damaged(kept: int, size: int) -> None:
    """Wherever it ends, its check sum included."""
    with pytest.raises(DamagedContentError):
        await read(ZIPPED[:kept], "gzip", size=size)


@given(position=st.integers(10, len(ZIPPED) - 9), bit=st.integers(0, 7))
async def test_a_bit_that_flipped_changes_no_text(position: int, bit: int) -> None:
    """The check sum tells, but for bits that say nothing."""
    flipped = bytearray(ZIPPED)
    flipped[position] ^= 1 << bit
    try:
        text = await read(bytes(flipped), "gzip")
    except DamagedContentError:
        return
    assert text == TEXT


@pytest.mark.parametrize("encoding", ["br", "zstd", "gzip, br", "compress", "nonsense"])
async def test_a_compression_that_was_not_asked_for_is_refused(encoding: str) -> None:
    """Whatever is installed beside."""
    with pytest.raises(ContentError, match="not asked for"):
        await read(TEXT, encoding)


@pytest.mark.parametrize("size", [100, 1 << 16])
async def test_a_body_that_grows_too_large_is_not_unpacked(size: int) -> None:
    """Fifty megabytes in fifty thousand bytes, of which one is too many."""
    with pytest.raises(ContentError, match="larger than the 1000 bytes"):
        await read(gzip.compress(b"x" * 50_000_000), "gzip", size=size, most=1000)
    assert len(await read(gzip.compress(b"x" * 1000), "gzip", size=size, most=1000)) == 1000


def test_no_more_is_unpacked_than_there_is_room_for() -> None:
    """Fifty megabytes in one piece give the thousand bytes that may be there, and the one that shows it is too much."""
    assert len(Inflation().feed(gzip.compress(b"x" * 50_000_000), 1000)) == 1001


CUT = ZIPPED[: len(ZIPPED) // 2]


async def test_a_damaged_answer_is_asked_for_again() -> None:
    """The content length is right: nothing but the compression shows that half of it is missing."""
    damaged = reply(200, CUT, content_encoding="gzip")
    whole = reply(200, ZIPPED, content_encoding="gzip")
    async with Server([damaged, whole, damaged, OK]) as server, opened(server) as transport:
        assert (await transport.send(get())).data == {"notes": "all of it, " * 200}
        with pytest.raises(AmbiguousWriteError, match="ends before its compression does"):
            await transport.send(post())
    assert server.methods == ["GET", "GET", "POST"]


async def test_gzip_alone_is_asked_for() -> None:
    """What another library brings into the environment makes no difference; what comes all the same is told."""
    async with Server([reply(200, b"\x0b", content_encoding="br")]) as server, opened(server) as transport:
        with pytest.raises(InvalidResponseError, match="compressed in a way that was not asked for"):
            await transport.send(get())
    assert [request.headers["accept-encoding"] for request in server.received] == ["gzip"]


async def test_the_reasons_of_a_refusal_are_read_from_its_compression() -> None:
    """And one that grows beyond measure has none."""
    reasons = gzip.compress(b'{"errors": ["is locked"]}')
    bomb = gzip.compress(b" " * 50_000_000)
    script = [reply(422, reasons, content_encoding="gzip"), reply(501, bomb, content_encoding="gzip")]
    async with Server(script) as server, opened(server) as transport:
        with pytest.raises(ValidationError, match="is locked"):
            await transport.send(post())
        with pytest.raises(ServerError, match="no reason given"):
            await transport.send(post())
