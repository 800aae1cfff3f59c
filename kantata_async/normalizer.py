"""Linked entities from an answer of the API that was fetched elsewhere: no session, no I/O."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from .api import entity_class
from .decoding import Reader, collector_paused
from .errors import InvalidResponseError, UsageError
from .model import Entity, Page

_READER: Final = Reader(entity_class)
"""Apart from the sessions' reader, so that made-up answers leave no trace in theirs."""


def normalize(
    payload: Mapping[str, Any] | bytes | bytearray | memoryview | str, *, include: Iterable[str] | None = None
) -> Page[Entity]:
    """The linked entities of an answer, which is given as decoded JSON, bytes or text.

    Matches come in the order of `results`. `include` says which associations the request asked for; without it, an
    association counts as asked for when the answer carries objects of its collection beside the matches.

    Raises:
        InvalidResponseError: the envelope is malformed; the message says how.
        UsageError: `include` is a text instead of a list.
    """
    if isinstance(include, str):
        raise UsageError(f"include takes a list: include=[{include!r}]")
    with collector_paused():
        decoded = _parsed(payload) if isinstance(payload, bytes | bytearray | memoryview | str) else payload
        return _READER.page(decoded, includes=include)


def _parsed(payload: bytes | bytearray | memoryview | str) -> Any:
    try:
        # msgspec takes no subclass of str, as numpy's texts are.
        return _READER.decode(str(payload) if isinstance(payload, str) else payload)
    except ValueError as error:
        raise InvalidResponseError(f"the answer is not JSON: {error}") from None
