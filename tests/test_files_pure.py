"""Names of files, parts of them, links, places and states: what is decided without I/O."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from yarl import URL

from kantata_async.errors import InvalidResponseError, UsageError
from kantata_async.files.destinations import moved
from kantata_async.files.names import name_of, numbered, plain_name, safe_name
from kantata_async.files.ranges import HeldBytes, Portion, asking_for, portion_of
from kantata_async.files.uploading import UploadPlace, place_in
from kantata_async.files.waiting import pauses, standing_of
from kantata_async.transport.link import is_of_the_api, read_link, shown


def no_links(file: Path, to: Path) -> None:
    """What a file system says that has none."""
    raise PermissionError(f"{file} cannot be {to} too")


@pytest.mark.parametrize("link", [os.link, no_links])
def test_a_file_gets_a_name_that_is_free(tmp_path: Path, link: Callable[[Path, Path], None]) -> None:
    """And no other, whether or not the file system has hard links."""
    file, taken, free = tmp_path / "part", tmp_path / "taken", tmp_path / "free"
    file.write_text("came")
    taken.write_text("mine")
    assert not moved(file, taken, link)
    assert moved(file, free, link)
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"taken": "mine", "free": "came"}


@pytest.mark.parametrize(
    ("given", "safe"),
    [
        ("plan.pdf", "plan.pdf"),
        ("Größe & co.pdf", "Größe & co.pdf"),
        ("../../etc/passwd", "passwd"),
        ("..\\..\\boot.ini", "boot.ini"),
        ("C:\\temp\\a.txt", "a.txt"),
        ("/", "download"),
        ("", "download"),
        ("..", "download"),
        (" . ", "download"),
        (".bashrc", "bashrc"),
        ("a\x00b\x1b[31m\n.txt", "ab[31m.txt"),
        ("invoice\N{RIGHT-TO-LEFT OVERRIDE}fdp.exe", "invoicefdp.exe"),
        ("\ud800lone.txt", "lone.txt"),
        ("a:b|c?.txt", "a_b_c_.txt"),
        ("CON", "_CON"),
        ("con.txt", "_con.txt"),
        ("lpt¹.log", "_lpt¹.log"),
        ("console.txt", "console.txt"),
        ("-rf", "_-rf"),
        ("trailing. . ", "trailing"),
        ("e\u0301.txt", "\xe9.txt"),
    ],
)
def test_names_are_made_safe(given: str, safe: str) -> None:
    """What a server says leads nowhere else, is seen as it is, and can be written anywhere."""
    assert safe_name(given) == safe


def test_a_long_name_keeps_its_suffix() -> None:
    """It is cut in bytes, never inside a character."""
    name = safe_name("ü" * 300 + ".csv.gz")
    assert name.endswith("ü.csv.gz")
    assert 195 <= len(name.encode()) <= 200
    assert len(safe_name("x." + "y" * 300).encode()) == 200


@given(st.text())
def test_a_safe_name_is_safe_and_stays_so(given: str) -> None:
    name = safe_name(given)
    assert name == safe_name(name)
    assert name not in {"", ".", ".."}
    assert not set(name) & set('/\\<>:"|?*')
    assert not any(unicodedata.category(one)[0] == "C" for one in name)
    assert len(name.encode()) <= 200
    assert name[0] not in ".- "
    assert name[-1] not in ". "


@given(st.text())
def test_a_plain_name_has_plain_characters_alone(given: str) -> None:
    name = plain_name(given)
    assert name
    assert name.isascii()
    assert all(one.isalnum() or one in "._-" for one in name)


@pytest.mark.parametrize(
    ("name", "number", "expected"),
    [
        ("a.pdf", 1, "a.pdf"),
        ("a.pdf", 2, "a (2).pdf"),
        ("a", 3, "a (3)"),
        ("latest.csv.gz", 2, "latest (2).csv.gz"),
        ("v1.2 notes.txt", 2, "v1.2 notes (2).txt"),
    ],
)
def test_names_that_are_taken_get_a_number(name: str, number: int, expected: str) -> None:
    assert numbered(name, number) == expected


@pytest.mark.parametrize(
    ("disposition", "name"),
    [
        ('attachment; filename="a b.pdf"', "a b.pdf"),
        ("attachment; filename*=UTF-8''Gr%C3%B6%C3%9Fe.pdf", "Größe.pdf"),
        ("attachment; filename=a.pdf; filename*=UTF-8''b.pdf", "a.pdf"),
        ("attachment; filename*=no-such-charset''a.pdf", "a.pdf"),
        ("inline", "the file.bin"),
        ("nonsense;;;=", "the file.bin"),
        ("", "the file.bin"),
    ],
)
def test_the_name_of_an_answer(disposition: str, name: str) -> None:
    """Content-Disposition says it, else the URL does."""
    url = URL("https://storage.example/x/the%20file.bin?signature=s", encoded=True)
    assert name_of({"content-disposition": disposition} if disposition else {}, url) == name


HELD = HeldBytes(100, 1000, '"a"')


@pytest.mark.parametrize(
    ("held", "headers"),
    [
        (HeldBytes(), {}),
        (HeldBytes(total=1000), {}),
        (HELD, {"Range": "bytes=100-", "If-Range": '"a"'}),
        (HeldBytes(100, None, '"a"'), {"Range": "bytes=100-", "If-Range": '"a"'}),
        (HeldBytes(100, 1000, None), {}),
        (HeldBytes(1000, 1000, '"a"'), {}),
    ],
)
def test_the_rest_is_asked_for_where_it_can_be(held: HeldBytes, headers: dict[str, str]) -> None:
    assert asking_for(held) == headers


WHOLE = {"content-length": "1000", "etag": '"a"'}
REST = {"content-range": "bytes 100-999/1000", "etag": '"a"'}


@pytest.mark.parametrize(
    ("status", "headers", "held", "compressed", "portion"),
    [
        (200, WHOLE, HeldBytes(), False, Portion(0, 1000, '"a"')),
        (200, WHOLE, HELD, False, Portion(0, 1000, '"a"')),
        (200, WHOLE, HeldBytes(), True, Portion(0, None, None)),
        (200, WHOLE | {"accept-ranges": "none"}, HeldBytes(), False, Portion(0, 1000, None)),
        (200, {"content-length": "x", "etag": 'W/"a"'}, HeldBytes(), False, Portion(0, None, None)),
        (206, REST, HELD, False, Portion(100, 1000, '"a"')),
        (206, {"content-range": "bytes 100-999/*"}, HELD, False, Portion(100, 1000, '"a"')),
        (206, REST | {"etag": '"b"'}, HELD, False, None),
        (206, {"content-range": "bytes 90-999/1000"}, HELD, False, None),
        (206, {"content-range": "bytes 100-999/2000"}, HELD, False, None),
        (206, {}, HELD, False, None),
        (206, REST, HELD, True, None),
        (206, REST, HeldBytes(), False, None),
        (204, {}, HeldBytes(), False, None),
    ],
)
def test_the_part_of_a_file_that_an_answer_holds(
    status: int, headers: dict[str, str], held: HeldBytes, compressed: bool, portion: Portion | None
) -> None:
    """All, or exactly the rest of exactly that file."""
    assert portion_of(status, headers, held, compressed=compressed) == portion


API = URL("https://api.mavenlink.com/api/v1")
HERE = URL("http://127.0.0.1:5000/api/v1")


@pytest.mark.parametrize(
    ("base", "link", "url", "token_goes"),
    [
        (API, "/invoices/7.pdf", "https://api.mavenlink.com/api/v1/invoices/7.pdf", True),
        (API, "https://api.mavenlink.com/x?a=%2F#f", "https://api.mavenlink.com/x?a=%2F", True),
        (API, "https://api.mavenlink.com:444/x", "https://api.mavenlink.com:444/x", False),
        (API, "https://mavenlink.com/x", "https://mavenlink.com/x", False),
        (API, "https://api.mavenlink.com.evil.example/x", "https://api.mavenlink.com.evil.example/x", False),
        (HERE, "http://127.0.0.1:5001/x", "http://127.0.0.1:5001/x", False),
        (HERE, "http://127.0.0.1:5000/x", "http://127.0.0.1:5000/x", True),
    ],
)
def test_where_a_link_leads(base: URL, link: str, url: str, token_goes: bool) -> None:
    """A signed link keeps its spelling; the token is for the API's own origin."""
    read = read_link(base, link)
    assert (str(read), is_of_the_api(base, read)) == (url, token_goes)


@pytest.mark.parametrize(
    "link",
    [
        "http://storage.example/x",
        "http://127.0.0.1/x",
        "ftp://storage.example/x",
        "file:///etc/passwd",
        "https://user:secret@storage.example/x",
        "https:///x",
        "//storage.example/x",
        "/../x",
        "x",
        "",
        "https://storage.example/a\nb",
        None,
    ],
)
def test_links_that_are_refused(link: Any) -> None:
    """Nothing goes in clear, nor to what is no host; no error shows a secret."""
    with pytest.raises(UsageError) as refused:
        read_link(API, link)
    assert "secret" not in str(refused.value)


def test_a_link_is_shown_without_its_signature() -> None:
    assert shown(URL("https://s.example/a/b?X-Amz-Signature=secret")) == "s.example/a/b"


@pytest.mark.parametrize(
    ("state", "is_done", "reason"),
    [
        ("success", True, None),
        ("Completed", True, None),
        ("failed", False, "disk full"),
        ("canceled", False, "disk full"),
        ("timed out", False, "disk full"),
        ("queued", False, None),
        ("processing", False, None),
        (None, False, None),
    ],
)
def test_what_states_mean(state: str | None, is_done: bool, reason: str | None) -> None:
    """The API lists none: what means an end is one, and anything else may yet come to one."""
    standing = standing_of(state, "found", "disk full")
    assert (standing.is_done, standing.reason) == (is_done, reason)


def test_pauses_grow_up_to_half_a_minute() -> None:
    found = list(islice(pauses(), 20))
    assert found[:3] == [0.5, 0.75, 1.125]
    assert found == sorted(found)
    assert found[-1] == 30


PLACE = UploadPlace("5", "https://s.example/up", {"key": "k"})
WHERE = {"action": "https://s.example/up", "fields": {"key": "k"}}


@pytest.mark.parametrize(
    "answer",
    [
        {"id": 5, **WHERE},
        {"attachments": {"5": {"id": "5"}}, **WHERE},
        {"attachments": {"5": {"id": "5", **WHERE}}},
    ],
)
def test_where_an_upload_goes(answer: Any) -> None:
    """The reference does not say whether it stands beside the attachment or in it."""
    assert place_in(answer) == PLACE


@pytest.mark.parametrize("answer", [None, {}, {"attachments": {}}, {"id": 5, "action": "x"}, WHERE])
def test_an_answer_that_names_no_place(answer: Any) -> None:
    with pytest.raises(InvalidResponseError, match="where the file goes"):
        place_in(answer)
