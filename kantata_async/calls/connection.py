"""The connection that a session gives its resources: transport, reader, and the operations of each collection."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from typing import Any, NoReturn

import attrs

from ..decoding import Envelope, Reader
from ..errors import UsageError
from ..model import Graph, Page, parse_json
from ..transport import NO_BODY, Options, Request, Transport, form_parts, holds_file
from .operation import Call, Operation

OperationsOf = Callable[[str], Mapping[str, Operation[Any]]]
"""The operations of the resource that answers a collection, by method name; none where no resource does."""


def refuse_copying() -> NoReturn:
    """Refuse to copy or pickle a session, or what holds its connection.

    Raises:
        UsageError: always.
    """
    raise UsageError(
        "a session, its resources and its lists are neither copied nor pickled: open one in each process, and in each "
        "event loop; RedisRateLimit keeps one limit for all of them"
    )


@attrs.frozen
class Connection:
    """The transport of a session, what reads its answers, where to look up operations, and how requests are made."""

    transport: Transport
    reader: Reader
    operations_of: OperationsOf
    options: Options

    def __reduce__(self) -> NoReturn:
        refuse_copying()

    async def send(self, call: Call, decode: Callable[[bytes], Any] = parse_json, *, looked_after: bool = False) -> Any:
        """The decoded answer to a call, None where it has no body.

        `looked_after`: whether the caller checks what became of it before it is sent again (see `Request`).

        Raises:
            KantataError: as `Transport.send`.
        """
        form = await form_parts(call.body) if call.multipart and holds_file(call.body) else None
        json = NO_BODY if call.body is None or form is not None else call.body
        request = Request(call.method, call.path, tuple(call.query.items()), json, form, call.csv, decode, looked_after)
        response = await self.transport.send(request, self.options)
        return response.data

    def ask(self, call: Call, *, looked_after: bool = False) -> Coroutine[Any, Any, Any]:
        """The answer to a call in the form that `read` makes a page of, None where it has no body."""
        return self.send(call, self.reader.decode, looked_after=looked_after)

    def open(self, data: Any) -> Envelope:
        """The answer to a call taken apart, which `read` takes too.

        Raises:
            InvalidResponseError: the answer is malformed.
        """
        return self.reader.open(data, redact=self.transport.redact)

    def read(self, data: Any, call: Call, graph: Graph | None = None) -> Page[Any]:
        """The page of an answer to a call.

        Raises:
            InvalidResponseError: the answer is malformed.
        """
        return self.reader.page(data, includes=call.inclusion.names, graph=graph, redact=self.transport.redact)
