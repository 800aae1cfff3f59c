"""A request to the server, and the parts of a form."""

from __future__ import annotations

import enum
from collections.abc import Callable, Sequence
from typing import Any, BinaryIO, Final

import attrs

from ..model import parse_json


class NoBody(enum.Enum):
    """The type of `NO_BODY`, which is not None because None is a JSON value."""

    NO_BODY = "no body"


NO_BODY: Final = NoBody.NO_BODY


OnBytes = Callable[[int, int | None], object]
"""Called with how many bytes of a file are done, and how many there are in all; None while nobody knows."""


@attrs.frozen
class FileContent:
    """A file to send, which is read piece by piece, and anew for each attempt.

    Attributes:
        filename: what it is to be called.
        size: how many bytes it has.
        open: opens it at its beginning.
        on_bytes: called whenever some of it was sent.
    """

    filename: str
    size: int
    open: Callable[[], BinaryIO] = attrs.field(repr=False)
    on_bytes: OnBytes | None = attrs.field(default=None, repr=False)


@attrs.frozen
class FormPart:
    """One part of a multipart form.

    Attributes:
        name: of the form field.
        value: a text, or a file.
        filename: what the file is to be called; None for a plain field.
        content_type: None for the default of the kind of value.
    """

    name: str
    value: str | bytes | FileContent
    filename: str | None = None
    content_type: str | None = None


@attrs.define
class Request:
    """One request to the API.

    Attributes:
        method: in capitals.
        path: below the base URL, as "/participations/42".
        query: names and values, in order.
        json: the body, anything msgspec writes; NO_BODY for none.
        form: the parts of a multipart body instead.
        csv: whether the answer may be CSV text instead of JSON.
        decode: makes the data of an answer's JSON; raises ValueError for malformed JSON.
        looked_after: whether the caller checks what became of it before it is sent again. Then a 503 is raised at once,
            although the API says that it carried nothing out.
    """

    method: str
    path: str
    query: Sequence[tuple[str, str]] = ()
    json: object = NO_BODY
    form: Sequence[FormPart] | None = None
    csv: bool = False
    decode: Callable[[bytes], Any] = parse_json
    looked_after: bool = False

    def __str__(self) -> str:
        return f"{self.method} {self.path}"
