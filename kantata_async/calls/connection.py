"""The connection that a session gives its resources: transport, reader, and the operations of each collection."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, NoReturn

import attrs

from ..decoding import Envelope, Reader
from ..errors import InvalidResponseError, KantataError, UsageError, note_interruption
from ..model import Graph, Page, parse_json
from ..transport import (
    NO_BODY,
    CallStory,
    FileExchange,
    FormPart,
    Options,
    Request,
    Sleep,
    Success,
    Transport,
    form_parts,
    holds_file,
)
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
    """The transport of a session, what reads its answers, where to look up operations, and how requests are made.

    `call_name` and `call` are for the events: what the program calls, and the story of that call, once it has begun.
    """

    transport: Transport
    reader: Reader
    operations_of: OperationsOf
    options: Options
    call_name: str = ""
    call: CallStory | None = None

    def __reduce__(self) -> NoReturn:
        refuse_copying()

    @property
    def sleep(self) -> Sleep:
        """The function by which the session waits, wherever it does."""
        return self.transport.sleep

    @property
    def watched(self) -> bool:
        """Whether anyone listens to events."""
        return self.transport.watched

    def named(self, name: str) -> Connection:
        """The connection for what the program calls by this name, which only those who watch hear of."""
        return attrs.evolve(self, call_name=name) if self.watched else self

    def calling(self, *, in_steps: bool = False) -> AbstractContextManager[Connection]:
        """The connection for all requests of one call, which begins and ends with the block.

        `in_steps`: whether it is a generator's, between whose steps the program goes on with something else.
        """
        if self.call is not None or not self.watched:
            return nullcontext(self)
        return self._with_story(in_steps=in_steps)

    @contextmanager
    def _with_story(self, *, in_steps: bool) -> Iterator[Connection]:
        story = self.transport.story_of(self.call_name)
        with story.told(in_steps=in_steps):
            yield attrs.evolve(self, call=story)

    async def send(
        self, call: Call, decode: Callable[[bytes], Any] = parse_json, *, looked_after: bool = False
    ) -> Success:
        """The answer to a call, with its data decoded, None where it has no body.

        `looked_after`: whether the caller checks what became of it before it is sent again (see `Request`).

        Raises:
            KantataError: as from `Transport.send`.
        """
        if self.call is None and self.transport.watched:
            with self.calling() as connection:
                return await connection.send(call, decode, looked_after=looked_after)
        form = await _form_of(call) if call.multipart and holds_file(call.body) else None
        json = NO_BODY if call.body is None or form is not None else call.body
        request = Request(call.method, call.path, tuple(call.query.items()), json, form, call.csv, decode, looked_after)
        return await self.transport.send(request, self.options, self.call)

    def exchange_of_file(self) -> FileExchange:
        """What asks for one file in the call that is under way."""
        return self.transport.exchange_of_file(self.options, self.call)

    def ask(self, call: Call, *, looked_after: bool = False) -> Coroutine[Any, Any, Success]:
        """The answer to a call, with its data in the form that `read` makes a page of, None where it has no body."""
        return self.send(call, self.reader.decode, looked_after=looked_after)

    def open(self, answer: Success | Envelope) -> Envelope:
        """The answer to a call, taken apart; `read` takes it too.

        Raises:
            InvalidResponseError: the answer is malformed.
        """
        if isinstance(answer, Envelope):
            return answer
        try:
            envelope = self.reader.open(answer.data, redact=self.transport.redact)
        except InvalidResponseError as error:
            error.response = answer.response
            raise
        envelope.response = answer.response
        return envelope

    def read(self, answer: Success | Envelope, call: Call, graph: Graph | None = None) -> Page[Any]:
        """The page of an answer to a call.

        Raises:
            InvalidResponseError: the answer is malformed.
        """
        envelope = self.open(answer)
        try:
            return self.reader.page(envelope, includes=call.inclusion.names, graph=graph)
        except InvalidResponseError as error:
            error.response = envelope.response
            raise


async def _form_of(call: Call) -> list[FormPart]:
    """The form of a call with files; an exception that interrupts reading them says that nothing was sent."""
    try:
        return await form_parts(call.body)
    except BaseException as error:
        if not isinstance(error, KantataError):
            note_interruption(error, f"{call.method} {call.path}", may_be_carried_out=False)
        raise
