"""Creating many objects: rows in, one outcome a row, in the order of the rows."""

from __future__ import annotations

from collections.abc import AsyncIterable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Generic, Literal, TypeVar, overload

import attrs

from ..concurrency import together
from ..connection import Connection
from ..entity import Entity
from ..errors import (
    AmbiguousWriteError,
    APIError,
    AuthenticationError,
    BadRequestError,
    BulkError,
    ErrorDetail,
    KantataError,
    PermissionDeniedError,
    RateLimitError,
    TransportError,
    UsageError,
    ValidationError,
)
from ..follow import check_path, follow, in_batches
from ..include import read_inclusion
from .matching import match_rows
from ..operation import Call, Operation, check_call, check_row

E = TypeVar("E", bound=Entity)
E_co = TypeVar("E_co", bound=Entity, covariant=True)

Status = Literal["created", "existing", "rejected", "unknown", "not_sent"]


@attrs.frozen
class Outcome(Generic[E_co]):
    """What became of one row.

    `status` is ``created``, ``existing`` (it was there before), ``rejected`` (the API refused this row: see `errors`),
    ``unknown`` (it was sent, and nobody knows whether it was carried out) or ``not_sent``. `entity` is the object where
    there is one, `reason` says why there is none.
    """

    index: int
    item: Mapping[str, Any]
    status: Status
    entity: E_co | None = None
    errors: tuple[ErrorDetail, ...] = ()
    reason: str | None = None


class BulkResult(Sequence[Outcome[E_co]]):
    """The outcomes of a bulk write, one a row, in the order of the rows."""

    def __init__(self, outcomes: Iterable[Outcome[E_co]]) -> None:
        self._outcomes = tuple(outcomes)

    @overload
    def __getitem__(self, index: int) -> Outcome[E_co]: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Outcome[E_co]]: ...
    def __getitem__(self, index: int | slice) -> Outcome[E_co] | Sequence[Outcome[E_co]]:
        return self._outcomes[index]

    def __len__(self) -> int:
        return len(self._outcomes)

    def __iter__(self) -> Iterator[Outcome[E_co]]:
        return iter(self._outcomes)

    def __repr__(self) -> str:
        return f"<BulkResult {self.summary()}>"

    @property
    def created(self) -> list[Outcome[E_co]]:
        """The rows that were created."""
        return self._with("created")

    @property
    def existing(self) -> list[Outcome[E_co]]:
        """The rows whose object was there before."""
        return self._with("existing")

    @property
    def rejected(self) -> list[Outcome[E_co]]:
        """The rows that the API refused."""
        return self._with("rejected")

    @property
    def unknown(self) -> list[Outcome[E_co]]:
        """The rows that were sent and may have been carried out."""
        return self._with("unknown")

    @property
    def not_sent(self) -> list[Outcome[E_co]]:
        """The rows that surely were not carried out."""
        return self._with("not_sent")

    def summary(self) -> str:
        """The number of rows of each status, in a line."""
        counts = {
            "created": self.created,
            "existing": self.existing,
            "rejected": self.rejected,
            "unknown": self.unknown,
            "not sent": self.not_sent,
        }
        return ", ".join(f"{len(outcomes)} {name}" for name, outcomes in counts.items() if outcomes) or "no rows"

    def raise_for_errors(self) -> None:
        """Raise BulkError, with this result on it, unless every row was created or was there before."""
        bad = [*self.rejected, *self.unknown, *self.not_sent]
        if bad:
            first = min(bad, key=lambda outcome: outcome.index)
            why = "; ".join(map(str, first.errors)) or first.reason or "no reason given"
            raise BulkError(f"{self.summary()}; row {first.index}: {why}", result=self)

    def _with(self, status: Status) -> list[Outcome[E_co]]:
        return [outcome for outcome in self._outcomes if outcome.status == status]


Row = tuple[int, Mapping[str, Any], dict[str, Any]]
"""A row with its position, as it was given, and as it goes on the wire."""


async def create_many(
    connection: Connection,
    operation: Operation[E],
    items: Iterable[Mapping[str, Any]] | AsyncIterable[Mapping[str, Any]],
    *,
    include: Sequence[str] = (),
    optional_fields: Sequence[str] = (),
) -> BulkResult[E]:
    """Create any number of objects in batches of the operation's `bulk_max`: see the `create_many` of a resource.

    Raises UsageError, with the position, for a row that is wrong, before anything is sent; BulkError, with the result
    so far, when the API refuses every further write (401, 403).
    """
    inclusion = read_inclusion(include, operation.includes)
    for steps in inclusion.deeper:
        check_path(connection, operation.collection or "", steps)
    rows = [(index, item, check_row(operation, item, index)) for index, item in enumerate(await _listed(items))]
    asked = _asked(operation, rows, inclusion.names, optional_fields)
    batches = [_Batch(connection, operation, asked, batch) for batch in in_batches(rows, operation.bulk_max or 1)]
    try:
        await together(batch.send() for batch in batches)
    except (AuthenticationError, PermissionDeniedError) as error:
        raise BulkError(str(error), result=_result(batches)) from error
    result: BulkResult[E] = _result(batches)
    try:
        await follow(connection, (one.entity for one in result if one.entity is not None), inclusion.deeper)
    except KantataError as error:
        raise BulkError(f"{result.summary()}, but what {include} goes on to was not fetched", result=result) from error
    return result


async def _listed(items: Any) -> list[Any]:
    if isinstance(items, AsyncIterable):
        return [item async for item in items]
    if isinstance(items, Mapping | str | bytes) or not isinstance(items, Iterable):
        raise UsageError(f"rows are an iterable of mappings, not {type(items).__name__}")
    return list(items)


def _asked(
    operation: Operation[Any], rows: Sequence[Row], include: Sequence[str], optional_fields: Sequence[str]
) -> dict[str, Any]:
    """What the answers are to carry: what the caller wants, and the references and fields that tell rows apart."""
    given = {field for _, _, wired in rows for field in wired}
    references = [name for name in operation.includes if f"{name}_id" in given]
    telling = [field for field in operation.optional_fields if field in given]
    asked = {
        "include": list(dict.fromkeys([*include, *references])),
        "optional_fields": list(dict.fromkeys([*optional_fields, *telling])),
    }
    return {name: names for name, names in asked.items() if names}


def _result(batches: Iterable[_Batch[E]]) -> BulkResult[E]:
    return BulkResult(outcome for batch in batches for outcome in batch.outcomes)


class _Batch(Generic[E]):
    """The rows of one request, and what became of them so far."""

    def __init__(
        self, connection: Connection, operation: Operation[E], asked: Mapping[str, Any], rows: Sequence[Row]
    ) -> None:
        self._connection = connection
        self._operation = operation
        self._asked = asked
        self._rows = rows
        self.outcomes: list[Outcome[E]] = self._all("not_sent", reason="the request was not sent")

    async def send(self) -> None:
        """Send the batch and note the outcomes. Raises the errors that any other batch would meet too."""
        call = self._call()
        try:
            data = await self._connection.send(call)
            entities = self._connection.read(data, call).items
        except (ValidationError, BadRequestError) as error:
            self.outcomes = self._refused(error)
        except AmbiguousWriteError as error:
            self.outcomes = self._all("unknown", reason=str(error))
        except (AuthenticationError, PermissionDeniedError):
            raise
        except (APIError, TransportError, RateLimitError) as error:
            self.outcomes = self._all("not_sent", reason=str(error))
        except KantataError as error:
            self.outcomes = self._all("unknown", reason=f"the answer could not be read: {error}")
        else:
            self.outcomes = self._created(entities)

    def _call(self) -> Call:
        wired = [row for _, _, row in self._rows]
        without_body = attrs.evolve(self._operation, body=None)  # the rows were checked when they were taken in
        call = check_call(without_body, (), self._asked)
        if self._operation.bulk_max is None:
            return attrs.evolve(call, body={self._operation.body_key: wired[0]})
        return attrs.evolve(call, body={self._operation.collection: wired})

    def _created(self, entities: Sequence[E]) -> list[Outcome[E]]:
        matched = match_rows([wired for _, _, wired in self._rows], entities)
        return [
            Outcome(index, item, "created", entity=entity)  # type: ignore[arg-type]  # matched among `entities`
            if entity is not None
            else Outcome(index, item, "unknown", reason="the answer has no object for this row")
            for (index, item, _), entity in zip(self._rows, matched, strict=True)
        ]

    def _refused(self, error: APIError) -> list[Outcome[E]]:
        if len(self._rows) == 1:
            return self._all("rejected", errors=error.errors)
        by_position: dict[int, list[ErrorDetail]] = {}
        for detail in error.errors:
            if detail.index is not None:
                by_position.setdefault(detail.index, []).append(detail)
        return [
            Outcome(index, item, "rejected", errors=tuple(by_position[position]))
            if position in by_position
            else Outcome(index, item, "unknown", reason=f"the batch was refused: {error}")
            for position, (index, item, _) in enumerate(self._rows)
        ]

    def _all(
        self, status: Status, *, errors: tuple[ErrorDetail, ...] = (), reason: str | None = None
    ) -> list[Outcome[E]]:
        return [Outcome(index, item, status, errors=errors, reason=reason) for index, item, _ in self._rows]
