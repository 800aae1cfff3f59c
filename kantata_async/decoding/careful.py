"""What makes entities of the objects of a collection, and leaves to others what it cannot know."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import Any, Protocol, TypeAlias

import attrs
import msgspec

from ..model import Entity, Links, Note, UnknownEntity, begin, begin_unknown, fill, read_value, unlink

AtHand: TypeAlias = Mapping[str, Mapping[str, Entity]]
"""The entities that others can be linked to, by collection and id."""


@attrs.define
class Rest:
    """What is left to do for the entities of an answer.

    Attributes:
        notes: of attributes that were kept as they came.
        unlinked: the entities of which some association is not at hand.
        partly: those to be linked with care: something of an association is at hand, and something is not.
    """

    notes: list[Note] = attrs.field(factory=list)
    unlinked: list[Entity] = attrs.field(factory=list)
    partly: list[Entity] = attrs.field(factory=list)

    def read(self, entity: Entity, raw: Mapping[str, Any]) -> None:
        """Read an object whatever it carries."""
        self.notes += fill(entity, raw)
        if not type(entity).links.keys().isdisjoint(raw):
            self.partly.append(entity)

    def value(self, entity: Entity, name: str, raw: Any) -> Any:
        """Read an attribute whatever it is."""
        value, note = read_value(entity, name, raw)
        if note is not None:
            self.notes.append(note)
        return value


class Maker(Protocol):
    """What makes entities of the objects of a collection."""

    def begin(self, objects: Mapping[str, Any], origin: Links, rest: Rest) -> dict[str, Entity]:
        """Make entities of which only the ids need to be there yet, by id, so that others can be linked to them."""
        ...

    def read(self, begun: Iterable[Entity], objects: Iterable[Any], at_hand: AtHand, rest: Rest) -> None:
        """Make whole what was begun, of the same objects in the same order."""
        ...

    def renew(self, entity: Entity, one: Any, rest: Rest) -> None:
        """Store what an object carries over what an entity does."""
        ...

    def columns(self, objects: Iterable[Any]) -> dict[str, Sequence[Any]]:
        """What objects carry, attribute by attribute; UNSET where an object lacks it."""
        ...


@attrs.frozen
class AsSent:
    """Makes entities of objects as JSON has them.

    Attributes:
        key: of the collection.
        cls: of its objects; None for a collection that the catalogue does not know.
        narrowed: the classes of those of which an association tells it more closely, by id.
    """

    key: str
    cls: type[Entity] | None
    narrowed: Mapping[str, type[Entity]]

    def begin(self, objects: Mapping[str, Any], origin: Links, rest: Rest) -> dict[str, Entity]:
        """See `Maker.begin`."""
        if self.cls is None:
            return {id: begin_unknown(UnknownEntity, self.key, id, origin) for id in objects}
        return {id: begin(self.narrowed.get(id, self.cls), id, origin) for id in objects}

    def read(self, begun: Iterable[Entity], objects: Iterable[Any], at_hand: AtHand, rest: Rest) -> None:
        """See `Maker.read`."""
        for entity, one in zip(begun, objects, strict=True):
            rest.read(entity, one)

    def renew(self, entity: Entity, one: Any, rest: Rest) -> None:
        """See `Maker.renew`."""
        unlink(entity, one)
        rest.read(entity, one)

    def columns(self, objects: Iterable[Any]) -> dict[str, Sequence[Any]]:
        """See `Maker.columns`."""
        rows = list(objects)
        names = dict.fromkeys(chain.from_iterable(rows))
        return {name: [row.get(name, msgspec.UNSET) for row in rows] for name in names}
