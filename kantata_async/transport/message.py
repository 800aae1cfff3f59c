"""What is asked of the server and what it answered, as the rest of the package sees them."""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import attrs
import orjson


class NoBody(enum.Enum):
    """The type of `NO_BODY`, which is not None because None is a JSON value."""

    NO_BODY = "no body"


NO_BODY: Final = NoBody.NO_BODY


@attrs.frozen
class Part:
    """One part of a multipart form.

    Attributes:
        name: of the form field.
        value: a text, or the bytes of a file.
        filename: what the file is to be called; None for a plain field.
        content_type: None for the default of the kind of value.
    """

    name: str
    value: str | bytes
    filename: str | None = None
    content_type: str | None = None


@attrs.define
class Request:
    """One call of the API.

    Attributes:
        method: in capitals.
        path: below the base URL, as "/participations/42".
        query: names and values, in order.
        json: the body, anything orjson writes; NO_BODY for none.
        form: the parts of a multipart body instead.
        csv: whether the answer may be CSV text instead of JSON.
        decode: makes the data of an answer's JSON; raises orjson.JSONDecodeError for what is none.
    """

    method: str
    path: str
    query: Sequence[tuple[str, str]] = ()
    json: object = NO_BODY
    form: Sequence[Part] | None = None
    csv: bool = False
    decode: Callable[[bytes], Any] = orjson.loads

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


@attrs.define
class Answer:
    """A success.

    Attributes:
        status: the HTTP status, 2xx.
        data: what the request's `decode` gives; None for an empty body; a str where CSV was allowed for, and came.
        request_id: the x-request-id, which support asks for.
    """

    status: int
    data: Any
    request_id: str | None


def content_type_of(headers: Mapping[str, str]) -> str:
    """The content type without its parameters, in small letters; empty where none is named."""
    return headers.get("content-type", "").partition(";")[0].strip().lower()


def is_json(content_type: str) -> bool:
    """Whether a content type is JSON's own or built on it."""
    return content_type == "application/json" or content_type.endswith("+json")
