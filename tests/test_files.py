"""Files up and down, and exports that are waited for: over real sockets, where they break."""

from __future__ import annotations

import asyncio
import gzip
import io
import os
import shutil
import stat
import zlib
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from waiting import short_sleep, until
from wire import Connection, Server, forever, json_answer, reply, then_cut, then_hang

from kantata_async import (
    AmbiguousWriteError,
    APIError,
    AuthenticationError,
    ConnectionFailedError,
    DownloadedFile,
    ExportFailedError,
    ExportNotReadyError,
    InvalidResponseError,
    KantataError,
    KantataSession,
    NotFoundError,
    PermissionDeniedError,
    RequestTimeoutError,
    RetryPolicy,
    UsageError,
    ValidationError,
    may_be_carried_out,
)
from kantata_async.entities import Attachment, PostAttachment
from kantata_async.sandbox import Fault, Sandbox, Switches
from kantata_async.sandbox.backend import MadeContent

QUICK = RetryPolicy(attempts=4, first_wait=0.001, max_wait=0.002)
SIZE = 3_000_000
USERS = {"users": {"columns": ["id", "full_name"]}}

SHORT_WAITS = pytest.mark.session(retry=QUICK, sleep=short_sleep)

pytestmark = [pytest.mark.company(people=12, projects=5), pytest.mark.session(retry=QUICK)]


async def attached(kantata: KantataSession, sandbox: Sandbox, size: int = SIZE, name: str = "plan.bin") -> Attachment:
    """An attachment of a post, as the API gives it."""
    made = await kantata.attachments.upload(b"x", filename=name)
    sandbox.make_file(made.id, size)
    post = await kantata.posts.create(message="m", workspace_id=1, attachment_ids=[made.id], include=["attachments"])
    sandbox.clear_log()
    return post.attachments[0]


def content(attachment: Attachment, size: int = SIZE) -> bytes:
    return MadeContent(size, int(attachment.id))[0:size]


def left_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def at(server: Server) -> str:
    """A link to the server's own host."""
    return server.url.removesuffix("/api/v1") + "/file.bin"


def session_on(server: Server, **settings: Any) -> KantataSession:
    return KantataSession(
        **{"token": "tok-SECRET", "base_url": server.url, "rate_limit": None, "retry": QUICK} | settings
    )


# --- downloads -----------------------------------------------------------------------------------------------------


async def test_an_attachment_comes_down_into_a_directory(
    kantata: KantataSession, sandbox: Sandbox, tmp_path: Path
) -> None:
    """Under its own name, with progress; a second one beside it; neither asks the storage with a token."""
    attachment = await attached(kantata, sandbox)
    told: list[tuple[int, int | None]] = []
    saved = await kantata.attachments.download(attachment, tmp_path, on_progress=lambda *one: told.append(one))
    assert saved == DownloadedFile(tmp_path / "plan.bin", "plan.bin", SIZE, "application/octet-stream")
    assert (tmp_path / "plan.bin").read_bytes() == content(attachment)
    assert told == sorted(told)
    assert told[-1] == (SIZE, SIZE)
    again = await kantata.attachments.download(attachment, f"{tmp_path}/")
    assert again.path == tmp_path / "plan (2).bin"
    assert left_in(tmp_path) == ["plan (2).bin", "plan.bin"]
    assert [(one.method, one.status) for one in sandbox.requests] == [("GET", 200)] * 2


async def test_a_file_that_came_meanwhile_is_kept(kantata: KantataSession, sandbox: Sandbox, tmp_path: Path) -> None:
    """A download replaces no file that was not there when it began."""
    attachment = await attached(kantata, sandbox, 10)
    late = tmp_path / "late.bin"
    with pytest.raises(UsageError, match="by now"):
        await kantata.attachments.download(attachment, late, on_progress=lambda *_: late.write_text("mine"))
    assert late.read_text() == "mine"
    assert left_in(tmp_path) == ["late.bin"]


async def test_a_folder_that_goes_away_ends_a_download(
    kantata: KantataSession, sandbox: Sandbox, tmp_path: Path
) -> None:
    """By the error of the operating system, which is not taken for one of the network."""
    attachment = await attached(kantata, sandbox, 10)
    (tmp_path / "in").mkdir()
    with pytest.raises(FileNotFoundError):
        await kantata.attachments.download(
            attachment, tmp_path / "in", on_progress=lambda *_: shutil.rmtree(tmp_path / "in")
        )
    assert len(sandbox.requests) == 1


async def test_a_file_that_is_there_is_replaced_when_asked(
    kantata: KantataSession, sandbox: Sandbox, tmp_path: Path
) -> None:
    """Without that nothing is sent; nor for a directory that is not there, or what takes no bytes."""
    attachment, target = await attached(kantata, sandbox, 10), tmp_path / "mine.txt"
    target.write_text("mine")
    targets: list[Any] = [target, str(target), tmp_path / "none" / "a.txt", f"{tmp_path}/none/", 7]
    for one in targets:
        with pytest.raises(UsageError):
            await kantata.attachments.download(attachment, one)
    assert sandbox.requests == []
    assert target.read_text() == "mine"
    await kantata.attachments.download(attachment, target, overwrite=True)
    assert target.read_bytes() == content(attachment, 10)
    assert left_in(tmp_path) == ["mine.txt"]


@pytest.mark.parametrize("kind", ["sync", "async"])
async def test_a_writer_takes_what_comes(kantata: KantataSession, sandbox: Sandbox, kind: str) -> None:
    """Each byte once, though the connection breaks twice."""
    attachment = await attached(kantata, sandbox)
    sandbox.faults.add(Fault("cut", when="after", path="/files*", size=1_000_000, times=2))
    got = io.BytesIO()

    class Slow:
        async def write(self, data: bytes) -> None:
            await asyncio.sleep(0)
            got.write(data)

    saved = await kantata.attachments.download(attachment, got if kind == "sync" else Slow())
    assert (saved.path, saved.size) == (None, SIZE)
    assert got.getvalue() == content(attachment)


@pytest.mark.parametrize("ranges", [True, False])
async def test_a_download_survives_broken_connections(
    kantata: KantataSession, sandbox: Sandbox, tmp_path: Path, ranges: bool
) -> None:
    """More often than the policy has attempts, as bytes come each time: by ranges, or else anew."""
    attachment = await attached(kantata, sandbox)
    sandbox.switches = Switches(ranges=ranges)
    for number in range(1, 8):
        sandbox.faults.add(Fault("cut", when="after", path="/files*", size=300_000 if ranges else 300_000 * number))
    saved = await kantata.attachments.download(attachment, tmp_path / "a.bin")
    assert saved.size == SIZE
    assert (tmp_path / "a.bin").read_bytes() == content(attachment)
    assert [one.status for one in sandbox.requests] == ([200] + [206] * 7 if ranges else [200] * 8)


@pytest.mark.parametrize("kind", ["disconnect", "reset", "proxy"])
async def test_a_storage_that_never_answers_well_is_given_up(
    kantata: KantataSession, sandbox: Sandbox, tmp_path: Path, kind: Any
) -> None:
    """After as many attempts as the policy has; nothing is left."""
    attachment = await attached(kantata, sandbox)
    sandbox.faults.add(Fault(kind, path="/files*", times=None))
    with pytest.raises((ConnectionFailedError, APIError)):
        await kantata.attachments.download(attachment, tmp_path)
    assert len(sandbox.requests) == QUICK.attempts
    assert left_in(tmp_path) == []


async def test_a_file_that_changed_meanwhile_comes_whole(
    kantata: KantataSession, sandbox: Sandbox, tmp_path: Path
) -> None:
    """The rest of another file is no rest: to a path all of it comes; a writer has no way back, and is told."""
    attachment = await attached(kantata, sandbox)

    def change(done: int, total: int | None) -> None:
        sandbox.make_file(attachment.id, SIZE + 1)

    for to in (tmp_path / "a.bin", io.BytesIO()):
        sandbox.make_file(attachment.id, SIZE)
        sandbox.faults.add(Fault("cut", when="after", path="/files*", size=500_000))
        if isinstance(to, Path):
            await kantata.download(str(attachment.url), to, on_progress=change)
            assert to.read_bytes() == content(attachment, SIZE + 1)
        else:
            with pytest.raises(InvalidResponseError, match=r"cannot be taken back: download it to a path"):
                await kantata.download(str(attachment.url), to, on_progress=change)


async def test_a_file_has_the_size_that_the_api_says(kantata: KantataSession, sandbox: Sandbox, tmp_path: Path) -> None:
    """Another one is refused before it is read; by its link it can be had."""
    attachment = await attached(kantata, sandbox)
    sandbox.make_file(attachment.id, SIZE + 1)
    with pytest.raises(InvalidResponseError, match=r"has 3,000,001 bytes, not the 3,000,000"):
        await kantata.attachments.download(attachment, tmp_path)
    assert left_in(tmp_path) == []
    assert (await kantata.download(str(attachment.url), tmp_path)).size == SIZE + 1


async def test_a_limit_holds_before_and_while_bytes_come(tmp_path: Path) -> None:
    """By Content-Length nothing is read; without it, and when unpacked, the first byte too many ends it."""
    bomb = gzip.compress(bytes(4_000_000))
    chunked = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
    answers = [
        then_hang(b"HTTP/1.1 200 OK\r\ncontent-length: 1000001\r\n\r\n"),
        forever(chunked, b"10000\r\n" + b"x" * 65536 + b"\r\n"),
        reply(200, bomb, "application/pdf", content_encoding="gzip"),
    ]
    async with Server(answers) as server, session_on(server) as kantata:
        for _ in answers:
            seen = io.BytesIO()
            with pytest.raises(InvalidResponseError, match=r"larger than the 1,000,000 bytes allowed \(max_bytes\)"):
                await kantata.download(at(server), seen, max_bytes=1_000_000)
            assert len(seen.getvalue()) <= 1_000_000
        assert len(server.received) == len(answers)
        for wrong in (0, -1, 1.5, True, "9"):
            with pytest.raises(UsageError, match="max_bytes"):
                await kantata.download(at(server), tmp_path, max_bytes=wrong)  # type: ignore[arg-type]


async def test_a_compressed_answer_is_unpacked_and_checked(tmp_path: Path) -> None:
    """Cut inside its compression, it comes again from its beginning: ranges are not those of the file."""
    packed = gzip.compress(b"all of it" * 100)
    head = f'HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\netag: "a"\r\ncontent-length: {len(packed)}\r\n\r\n'.encode()
    answers = [then_cut(head + packed[:20]), reply(200, packed[:-8], None, content_encoding="gzip"), head + packed]
    async with Server(answers) as server, session_on(server) as kantata:
        saved = await kantata.download(at(server), tmp_path)
        assert saved.path is not None
        assert saved.path.read_bytes() == b"all of it" * 100
        assert all("range" not in request.headers for request in server.received)
        assert {request.headers["accept-encoding"] for request in server.received} == {"identity"}


@pytest.mark.parametrize(
    "answer",
    [
        reply(200, b"x", None, content_encoding="br"),
        reply(200, b"not packed", None, content_encoding="gzip"),
        reply(204, b"", None),
        reply(206, b"x", None, content_range="bytes 0-0/9"),
    ],
    ids=["br", "not gzip", "no content", "a part unasked"],
)
async def test_answers_that_are_no_file(answer: bytes, tmp_path: Path) -> None:
    async with Server([answer]) as server, session_on(server) as kantata:
        with pytest.raises(InvalidResponseError):
            await kantata.download(at(server), tmp_path)
        assert left_in(tmp_path) == []


@pytest.mark.parametrize(
    "answer",
    [reply(206, b"56789", None, content_range="bytes 4-8/10"), reply(416, b"", None)],
    ids=["a part from elsewhere", "no such range"],
)
async def test_a_rest_that_is_none_has_all_of_it_come(tmp_path: Path, answer: bytes) -> None:
    """Asked for without a range, and written from its beginning."""
    head = b'HTTP/1.1 200 OK\r\netag: "a"\r\ncontent-length: 10\r\n\r\n'
    async with (
        Server([then_cut(head + b"01234"), answer, head + b"0123456789"]) as server,
        session_on(server) as kantata,
    ):
        await kantata.download(at(server), tmp_path / "a")
        assert (tmp_path / "a").read_bytes() == b"0123456789"
        assert ["range" in request.headers for request in server.received] == [False, True, False]


async def test_the_errors_of_a_link_are_not_tried_again(
    kantata: KantataSession, sandbox: Sandbox, tmp_path: Path
) -> None:
    """The call for it was tried as often as the policy says."""
    sandbox.faults.add(Fault("disconnect", path="/exports/{id}/download_url", times=None))
    with pytest.raises(ConnectionFailedError):
        await kantata.exports.download(1, tmp_path)
    assert sandbox.count() == QUICK.attempts


async def test_the_token_stays_with_the_api(tmp_path: Path) -> None:
    """Redirected to another host a request carries neither it nor the session's headers, nor on the way back."""
    async with Server() as storage, Server() as api:
        storage.follow([reply(302, location=at(api)), reply(200, b"x", None)])
        api.follow([reply(302, location=at(storage)), reply(302, location=at(storage))])
        async with session_on(api, headers={"x-gateway-key": "KEY-SECRET"}) as kantata:
            saved = await kantata.download("/invoices/7.pdf", tmp_path, max_bytes=1)
        assert saved.size == 1
        first, back = api.received
        assert first.headers["authorization"] == "Bearer tok-SECRET"
        assert first.headers["x-gateway-key"] == "KEY-SECRET"
        for request in (back, *storage.received):
            assert "SECRET" not in str(request.headers)


async def test_redirects_lead_to_no_clear_text_and_come_to_an_end(tmp_path: Path) -> None:
    async with Server() as server, session_on(server) as kantata:
        server.follow([reply(302, location="http://storage.example/x?sig=SECRET")])
        with pytest.raises(InvalidResponseError, match=r"redirects to where no file is fetched from") as refused:
            await kantata.download(at(server), tmp_path)
        assert "SECRET" not in str(refused.value)
        server.follow([reply(302, location=at(server))] * 9)
        with pytest.raises(InvalidResponseError, match="more than 5 times"):
            await kantata.download(at(server), tmp_path)


async def test_a_refused_token_is_replaced_once(tmp_path: Path) -> None:
    tokens = iter(["old", "new", "newer"])

    async def token() -> str:
        return next(tokens)

    refused = json_answer({}, 401)
    async with Server([refused, reply(200, b"x", None), refused, refused]) as api:
        async with session_on(api, token=token) as kantata:
            assert (await kantata.download("/a", tmp_path)).size == 1
            with pytest.raises(AuthenticationError):
                await kantata.download("/a", tmp_path)
        sent = [request.headers["authorization"] for request in api.received]
        assert sent == ["Bearer old", "Bearer new", "Bearer new", "Bearer newer"]


async def test_a_link_that_is_over_says_what_to_do(kantata: KantataSession, sandbox: Sandbox, tmp_path: Path) -> None:
    """It is not asked again; the error shows neither the link's query nor another host's words."""
    attachment = await attached(kantata, sandbox)
    await kantata.attachments.delete(attachment.id)
    sandbox.clear_log()
    with pytest.raises(NotFoundError) as refused:
        await kantata.attachments.download(attachment, tmp_path)
    assert any("links end after a while" in note for note in refused.value.__notes__)
    assert len(sandbox.requests) == 1


async def test_silence_is_not_waited_out(tmp_path: Path) -> None:
    """Between two pieces of a file too; the whole may take longer than that."""

    async def drip(connection: Connection) -> None:
        await connection.say(b"HTTP/1.1 200 OK\r\ncontent-length: 8\r\n\r\n")
        for _ in range(8):
            await asyncio.sleep(0.03)
            await connection.say(b"x")

    silent = then_hang(b"HTTP/1.1 200 OK\r\ncontent-length: 8\r\n\r\nxx")
    async with Server([drip, silent]) as server, session_on(server, timeout=0.15, retry=RetryPolicy.never()) as kantata:
        assert (await kantata.download(at(server), tmp_path)).size == 8
        with pytest.raises(RequestTimeoutError, match=r"nothing came for 0.15 s"):
            await kantata.download(at(server), tmp_path)
    assert left_in(tmp_path) == ["file.bin"]


@pytest.mark.parametrize("end", ["cancelled", "closed", "writer", "progress"])
async def test_a_download_that_is_ended_leaves_nothing(tmp_path: Path, end: str) -> None:
    """Cancelled, its session closed, its writer or its progress function failed: no file, and no connection."""
    head = b"HTTP/1.1 200 OK\r\ncontent-length: 9999999\r\n\r\n" + b"x" * 700_000
    came = asyncio.Event()

    def progress(done: int, total: int | None) -> None:
        came.set()
        if end == "progress":
            raise RuntimeError("progress failed")

    class Failing:
        def write(self, data: bytes) -> None:
            raise RuntimeError("writer failed")

    async with Server([then_hang(head)]) as server:
        kantata = session_on(server)
        await kantata.open()
        to = Failing() if end == "writer" else tmp_path / "a.bin"
        task = asyncio.create_task(kantata.download(at(server), to, on_progress=progress))
        if end in {"cancelled", "closed"}:
            await came.wait()
            await until(lambda: left_in(tmp_path) != [])
            assert all(name.startswith(".kantata-") for name in left_in(tmp_path))
        if end == "cancelled":
            task.cancel()
        elif end == "closed":
            await kantata.close()
        expected: dict[str, Any] = {"cancelled": asyncio.CancelledError, "closed": ConnectionFailedError}
        with pytest.raises(expected.get(end, RuntimeError)):
            await task
        assert left_in(tmp_path) == []
        await server.all_closed()
        await kantata.close()
        with pytest.raises(UsageError, match="closed"):
            await kantata.download(at(server), tmp_path)


UNFIT: list[Any] = [
    "",
    "a\0b",
    b"a.bin",
    io.StringIO(),
    io.BufferedReader(io.BytesIO()),  # type: ignore[arg-type]
    "pipe",
]


@pytest.mark.parametrize("overwrite", [False, True])
@pytest.mark.parametrize("unfit", UNFIT, ids=["empty", "NUL", "bytes", "text", "only read", "pipe"])
async def test_what_takes_no_bytes_is_refused_before_anything_is_sent(
    kantata: KantataSession, sandbox: Sandbox, tmp_path: Path, unfit: Any, overwrite: bool
) -> None:
    """A pipe or a device would be replaced by a file; a text file refuses the first bytes."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(UsageError):
        await kantata.invoices.download(1, pipe if unfit == "pipe" else unfit, overwrite=overwrite)
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    assert sandbox.requests == []


async def test_a_closed_writer_is_refused_and_overwrite_is_a_truth(kantata: KantataSession, tmp_path: Path) -> None:
    """Whatever is not empty would be true."""
    closed = io.BytesIO()
    closed.close()
    with pytest.raises(UsageError, match="is closed"):
        await kantata.invoices.download(1, closed)
    with pytest.raises(UsageError, match="overwrite must be True or False, not 'no'"):
        await kantata.invoices.download(1, tmp_path, overwrite="no")  # type: ignore[arg-type]


async def test_a_path_of_the_api_may_have_a_query(kantata: KantataSession, sandbox: Sandbox, tmp_path: Path) -> None:
    """A list as it is sent, say; a link without a slash is told so, and of no parameter that is not there."""
    await kantata.download("/users?per_page=3&search=a+b", tmp_path / "users.json")
    assert sandbox.requests[-1].query == {"per_page": "3", "search": "a b"}
    with pytest.raises(UsageError, match="that begins with a slash"):
        await kantata.download("users/1", tmp_path)
    with pytest.raises(UsageError) as refused:
        await kantata.download("/../users", tmp_path)
    assert "params" not in str(refused.value)


async def test_everybody_in_the_sandbox_has_a_photo(kantata: KantataSession, tmp_path: Path) -> None:
    """Not of the internet's."""
    for person in await kantata.users.list():
        saved = await kantata.users.download_photo(person, tmp_path)
        assert saved.content_type == "image/png"


async def test_invoices_and_photos(kantata: KantataSession, sandbox: Sandbox, tmp_path: Path) -> None:
    """A PDF from the API itself, with the token; a photo from the storage, without."""
    saved = await kantata.invoices.download(1, tmp_path)
    assert saved.filename == "invoice-1.pdf"
    assert (tmp_path / "invoice-1.pdf").read_bytes().startswith(b"%PDF-")
    with pytest.raises(NotFoundError, match="invoice"):
        await kantata.invoices.download(9999, tmp_path)
    with pytest.raises(UsageError):
        await kantata.invoices.download("../users/1", tmp_path)
    user = await kantata.users.update_profile_photo(1, profile_photo_attachment_file=("me.png", b"png"))
    for one in (user, 1):
        seen = io.BytesIO()
        await kantata.users.download_photo(one, seen)
        assert seen.getvalue() == b"png"


async def test_what_has_no_file_is_not_fetched(kantata: KantataSession, tmp_path: Path) -> None:
    without = Attachment.from_dict({"id": "5", "url": None})
    with pytest.raises(UsageError, match="has no file"):
        await kantata.attachments.download(without, tmp_path)
    with pytest.raises(UsageError, match="an entity with a url is needed"):
        await kantata.attachments.download(5, tmp_path)  # type: ignore[type-var]


# --- uploads -------------------------------------------------------------------------------------------------------


class AsyncReader:
    """A reader of a library's, which gives few bytes at a time."""

    name = "folder/taxi.pdf"

    def __init__(self, data: bytes) -> None:
        self._file = io.BytesIO(data)

    async def read(self, size: int = -1) -> bytes:
        await asyncio.sleep(0)
        return self._file.read(min(size, 400_000))


def sources(path: Path) -> dict[str, Callable[[], Any]]:
    data = path.read_bytes()
    return {
        "path": lambda: path,
        "text": lambda: str(path),
        "pair": lambda: ("taxi.pdf", data),
        "reader": lambda: path.open("rb"),
        "async": lambda: AsyncReader(data),
    }


@pytest.mark.parametrize("size", [0, 1000, 11_000_000])
@pytest.mark.parametrize("kind", ["path", "text", "pair", "reader", "async"])
async def test_a_file_goes_up(kantata: KantataSession, sandbox: Sandbox, tmp_path: Path, kind: str, size: int) -> None:
    """Of whatever kind, in one request up to 10 MB, in three beyond."""
    (tmp_path / "taxi.pdf").write_bytes(MadeContent(size, 1)[0:size])
    told: list[tuple[int, int | None]] = []
    source = sources(tmp_path / "taxi.pdf")[kind]()
    made = await kantata.attachments.upload(source, type="receipt", on_progress=lambda *one: told.append(one))
    if kind == "reader":
        source.close()
    assert (made.filename, made.filesize) == ("taxi.pdf", size)
    assert told[-1:] == ([(size, size)] if size else [])
    methods = [one.method for one in sandbox.requests]
    assert methods == (["POST"] if size < 10_000_000 else ["POST", "POST", "PUT"])
    back = io.BytesIO()
    await kantata.attachments.download(made, back)
    assert back.getvalue() == MadeContent(size, 1)[0:size]


@pytest.mark.parametrize("size", [10, 10_500_000])
async def test_an_error_of_the_progress_function_ends_the_upload_as_itself(kantata: KantataSession, size: int) -> None:
    """Not as one of the connection; nobody knows what the server makes of half a file."""

    def full(done: int, total: int | None) -> None:
        raise LookupError("mine")

    with pytest.raises(LookupError, match="mine") as caught:
        await kantata.attachments.upload(("a.bin", b"x" * size), on_progress=full)
    assert may_be_carried_out(caught.value) is True
    assert isinstance(caught.value.__cause__, KantataError)


@pytest.mark.parametrize("kind", [bytearray, memoryview])
async def test_whatever_holds_bytes_goes_up(kantata: KantataSession, kind: Any) -> None:
    """With a name beside it or given, and as it was when it was called."""
    for uploaded in (
        await kantata.attachments.upload(("a.bin", kind(b"four"))),
        await kantata.attachments.upload(kind(b"four"), filename="a.bin"),
    ):
        assert (uploaded.filename, uploaded.filesize) == ("a.bin", 4)
    with pytest.raises(UsageError, match=r"not \(str, list\)"):
        await kantata.attachments.upload(("a.bin", [1]))  # type: ignore[arg-type]


async def test_a_large_file_keeps_its_name(kantata: KantataSession) -> None:
    """Direct uploads take plain names alone, so that it is renamed afterwards."""
    made = await kantata.attachments.upload(("Größe & co.bin", bytes(10_500_000)))
    assert (made.filename, made.filesize) == ("Größe & co.bin", 10_500_000)


async def test_uploads_that_are_refused_before_they_are_sent(
    kantata: KantataSession, sandbox: Sandbox, tmp_path: Path
) -> None:
    """No file, no name, no bytes; and what is too large for the one request of `create` is not even read."""
    large = tmp_path / "large.bin"
    with large.open("wb") as opened:
        opened.truncate(1 << 40)
    wrong: list[Any] = [tmp_path / "none", tmp_path, b"nameless", ("a\nb", b""), io.StringIO("text"), 7, None]
    for source in wrong:
        with pytest.raises(UsageError):
            await kantata.attachments.upload(source)
    with pytest.raises(UsageError, match=r"has 1,099,511,627,776 bytes or more, at most 10,485,760 are taken"):
        await kantata.attachments.create(type="receipt", data=large)
    assert sandbox.requests == []


async def test_a_lost_answer_is_not_sent_again(kantata: KantataSession, sandbox: Sandbox) -> None:
    sandbox.faults.add(Fault("disconnect", when="after", method="POST", path="/attachments"))
    with pytest.raises(AmbiguousWriteError):
        await kantata.attachments.upload(("a.txt", b"abc"))
    assert sandbox.count("POST", "/attachments") == 1
    sandbox.faults.add(Fault("status", status=503, method="POST", path="/attachments"))
    told: list[int] = []
    await kantata.attachments.upload(("a.txt", b"abc"), on_progress=lambda done, _: told.append(done))
    assert told == [3, 3]


async def test_a_direct_upload_whose_answer_is_lost_is_looked_for(kantata: KantataSession, sandbox: Sandbox) -> None:
    """The API answers for the file itself: it is there, it is not, or nobody knows."""
    big = ("big.bin", bytes(10_500_000))
    sandbox.faults.add(Fault("disconnect", when="after", path="/uploads/*"))
    assert (await kantata.attachments.upload(big)).filesize == 10_500_000
    sandbox.faults.add(Fault("disconnect", when="before", path="/uploads/*"))
    with pytest.raises(ValidationError, match="not been uploaded") as refused:
        await kantata.attachments.upload(big)
    assert any("was created, and has no file" in note for note in refused.value.__notes__)
    sandbox.faults.add(Fault("disconnect", when="after", path="/uploads/*"))
    sandbox.faults.add(Fault("status", status=403, method="PUT", path="/attachments/*"))
    with pytest.raises(AmbiguousWriteError, match="whether its file was uploaded is not known"):
        await kantata.attachments.upload(big)
    assert sandbox.count("POST", "/uploads/*") == 3


async def test_a_direct_upload_that_is_late(kantata: KantataSession, sandbox: Sandbox) -> None:
    """The storage refuses it, and is not asked again."""
    sandbox.faults.add(Fault("status", status=403, path="/uploads/*"))
    with pytest.raises(PermissionDeniedError):
        await kantata.attachments.upload(("big.bin", bytes(10_500_000)))
    assert sandbox.count("POST", "/uploads/*") == 1


async def test_a_file_that_shrinks_while_it_is_sent_is_not_taken_for_whole(
    kantata: KantataSession, sandbox: Sandbox, tmp_path: Path
) -> None:
    path = tmp_path / "log.txt"
    path.write_bytes(bytes(500_000))

    def shrink(done: int, total: int | None) -> None:
        with path.open("r+b") as opened:
            opened.truncate(100_000)

    with pytest.raises(AmbiguousWriteError):
        await kantata.attachments.upload(path, on_progress=shrink)
    assert sandbox.committed == 0


# --- exports -------------------------------------------------------------------------------------------------------


@SHORT_WAITS
async def test_an_export_is_run_to_a_file(kantata: KantataSession, sandbox: Sandbox, tmp_path: Path) -> None:
    """Its states are told; a link that ended meanwhile is asked for anew."""
    told: list[tuple[str, float]] = []

    def tell(state: str, waited: float) -> None:
        told.append((state, waited))
        if len(told) == 3:
            sandbox.clock.advance(31)

    sandbox.switches.export_seconds = 30
    sandbox.faults.add(Fault("status", status=503, path="/files*"))
    saved = await kantata.exports.run(tmp_path / "users.csv", export_definition=USERS, on_state=tell)
    assert [state for state, _ in told] == ["pending"] * 3 + ["success"]
    assert saved.path == tmp_path / "users.csv"
    rows = (tmp_path / "users.csv").read_text().splitlines()
    assert rows[0] == "Id,Full name"
    assert len(rows) == 1 + sandbox.store.count("users")
    assert sandbox.count("GET", "/exports/{id}/download_url") == 2


async def test_an_export_without_a_target_is_handed_over(
    kantata: KantataSession, sandbox: Sandbox, tmp_path: Path
) -> None:
    sandbox.switches.export_seconds = 0
    export = await kantata.exports.run(export_definition=USERS)
    assert export.status == "success"
    for one in (export, export.id):
        assert (await kantata.exports.download(one, tmp_path)).filename == f"export-{export.id}.csv"


@SHORT_WAITS
async def test_exports_that_end_otherwise(kantata: KantataSession, sandbox: Sandbox, tmp_path: Path) -> None:
    """Failed, with the reason; cancelled; and not yet: the error says how it stands, and how to go on waiting."""
    sandbox.switches.export_seconds = 0
    sandbox.switches.export_error = "the disk is full"
    with pytest.raises(ExportFailedError, match=r"export \d+ has the status 'failed': the disk is full") as failed:
        await kantata.exports.run(tmp_path, export_definition=USERS)
    assert failed.value.state == "failed"
    sandbox.switches.export_error, sandbox.switches.export_seconds = None, 1000
    export = await kantata.exports.create(export_definition=USERS)
    await kantata.exports.update(export.id, canceled=True)
    with pytest.raises(ExportFailedError, match="has the status 'canceled': the API gives no reason"):
        await kantata.exports.wait(export)
    with pytest.raises(ExportNotReadyError, match=r"pending after 0\.\d+ s.*exports\.wait\('\d+'\)") as late:
        await kantata.exports.run(tmp_path, export_definition=USERS, deadline=0.001)
    assert late.value.state == "pending"
    assert not hasattr(late.value, "__notes__"), "its message says how to go on"
    sandbox.clock.advance(1001)
    last = max(map(int, sandbox.store.records("exports")))
    assert (await kantata.exports.wait(last)).status == "success"
    assert left_in(tmp_path) == []


async def test_a_run_that_cannot_end_well_creates_nothing(
    kantata: KantataSession, sandbox: Sandbox, tmp_path: Path
) -> None:
    """A file that is there, a wrong definition; and one that is cancelled says which export goes on."""
    (tmp_path / "a.csv").touch()
    with pytest.raises(UsageError, match="overwrite=True"):
        await kantata.exports.run(tmp_path / "a.csv", export_definition=USERS)
    with pytest.raises(UsageError):
        await kantata.exports.run(tmp_path, export_definition={"users": {}})  # type: ignore[typeddict-item]
    wrong: list[dict[str, Any]] = [
        {"deadline": 0},
        {"on_state": "print"},
        {"to": tmp_path, "max_bytes": 0},
        {"to": tmp_path, "on_progress": "print"},
        {"to": io.StringIO()},
    ]
    for arguments in wrong:
        with pytest.raises(UsageError):
            await kantata.exports.run(export_definition=USERS, **arguments)
    assert sandbox.requests == []
    sandbox.switches.export_seconds = 1000
    seen = asyncio.Event()
    task = asyncio.create_task(kantata.exports.run(export_definition=USERS, on_state=lambda *_: seen.set()))
    await seen.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError) as cancelled:
        await task
    assert any("exports.wait" in note for note in cancelled.value.__notes__)


@SHORT_WAITS
async def test_a_scheduled_report_is_waited_for(kantata: KantataSession, sandbox: Sandbox, tmp_path: Path) -> None:
    """Its first file, one after a moment, and none of a report that is not there."""
    sandbox.switches.export_seconds = 20
    made = await kantata.insights_report_exports.create(
        external_report_object_identifier="/gdc/md/margin", recurrence={"cadence": "hourly"}
    )
    reports = kantata.insights_report_exports
    with pytest.raises(ExportNotReadyError, match=r"has no file yet: wait for it"):
        await reports.download(made["id"], tmp_path)
    at = await reports.wait(made["id"], on_state=lambda *_: sandbox.clock.advance(11))
    with pytest.raises(ExportNotReadyError, match="still pending"):
        await reports.wait(made["id"], after=at, deadline=0.001)
    saved = await reports.download(made["id"], tmp_path)
    assert saved.path is not None
    assert b"/gdc/md/margin" in zlib.decompress(saved.path.read_bytes(), 31)
    with pytest.raises(NotFoundError):
        await reports.wait(9999)
    with pytest.raises(UsageError, match="time zone"):
        await reports.wait(made["id"], after=datetime(2026, 1, 1))
    assert at < datetime.max.replace(tzinfo=UTC)


async def test_waits_are_checked_before_anything_is_asked(kantata: KantataSession, sandbox: Sandbox) -> None:
    for wrong in (0, -1, float("nan"), "60"):
        with pytest.raises(UsageError, match="deadline"):
            await kantata.exports.wait(1, deadline=wrong)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="on_state"):
        await kantata.exports.wait(1, on_state=1)  # type: ignore[arg-type]
    assert sandbox.requests == []


async def test_the_sandbox_refuses_a_token_that_went_astray(
    kantata: KantataSession, sandbox: Sandbox, session: Any
) -> None:
    """As a storage with signed links does; so that every download here shows that none goes there."""
    attachment = await attached(kantata, sandbox)
    assert isinstance(attachment, PostAttachment)
    async with session.get(attachment.url) as response:
        assert response.status == 400
    assert not str(attachment.url).startswith(sandbox.url.removesuffix("/api/v1"))
