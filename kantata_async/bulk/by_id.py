"""What the objects of some ids are like now, or why that is unknown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Generic, TypeVar

import attrs

from ..calls import MAX_ONLY, Connection, Operation, asks_by_id, check_call, in_batches
from ..errors import AuthenticationError, InvalidResponseError, KantataError, NotFoundError
from ..model import Entity, brief_repr
from .finding import is_deleted
from .reading import brought_by, read_whole

E = TypeVar("E", bound=Entity)


@attrs.frozen
class Seen(Generic[E]):
    """What a look at ids saw.

    Attributes:
        objects: that are there, by their ids.
        fault: why those that are not among them may be there all the same; None where they are surely not.
    """

    objects: Mapping[str, E]
    fault: str | None = None


@attrs.frozen
class LookById(Generic[E]):
    """Looks at objects: through the list, which can show what it hides by default, else one by one."""

    connection: Connection
    listing: Operation[E] | None
    get: Operation[E] | None

    async def __call__(self, ids: Sequence[str], asked: Mapping[str, Sequence[str]]) -> Seen[E]:
        """What a look at ids saw; its objects carry what was asked for, as far as the API can send it.

        Raises:
            AuthenticationError: the API refuses the token, and would refuse every other request.
        """
        try:
            if self.listing is not None and asks_by_id(self.listing):
                return await self._listed(self.listing, ids, asked)
            if self.get is not None:
                return Seen({id: one for id in ids if (one := await self._got(self.get, id, asked)) is not None})
        except AuthenticationError:
            raise
        except KantataError as error:
            return Seen({}, f"looking at it failed: {error}")
        return Seen({}, "the API has no way to look at it")

    async def _listed(self, listing: Operation[E], ids: Sequence[str], asked: Mapping[str, Sequence[str]]) -> Seen[E]:
        objects: dict[str, E] = {}
        fault: str | None = None
        for batch in in_batches(list(dict.fromkeys(ids)), MAX_ONLY):
            reading = await read_whole(self.connection, listing, {"only": batch, **brought_by(listing, asked)})
            objects.update((one.id, one) for one in reading.entities)
            fault = fault or reading.fault
        return Seen({id: objects[id] for id in ids if id in objects and not is_deleted(objects[id])}, fault)

    async def _got(self, get: Operation[E], id: str, asked: Mapping[str, Sequence[str]]) -> E | None:
        reveal = self.listing.reveal if self.listing is not None else {}
        arguments = {name: value for name, value in reveal.items() if name in get.filters}
        call = check_call(get, (id,), {**arguments, **brought_by(get, asked)})
        try:
            answer = await self.connection.ask(call)
        except NotFoundError:
            return None
        entity = the_object(self.connection.read(answer, call).items, get, id)
        return None if is_deleted(entity) else entity


def the_object(items: Sequence[E], operation: Operation[E], id: str) -> E:
    """The one object in an answer about an id.

    Raises:
        InvalidResponseError: it holds another, several, or none.
    """
    if len(items) != 1 or items[0].id != id or items[0].collection != operation.collection:
        came = brief_repr(list(items))
        raise InvalidResponseError(f"{operation}: the answer should hold {operation.collection} {id}, not {came}")
    return items[0]
