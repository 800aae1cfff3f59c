"""What fills entities, which are frozen to everybody else: their values, their links, and where they are from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar

from .association import Association, Links, Many
from .json_values import Ref

if TYPE_CHECKING:
    from .entity_class import Entity

E = TypeVar("E", bound="Entity")

ABSENT: Final = object()
"""The value of a slot that no answer filled."""

_set = object.__setattr__


def begin(cls: type[E], id: str, origin: Links, collection: str | None = None) -> E:
    """An entity that has only its id so far; `collection` is given where its class has none."""
    entity = object.__new__(cls)
    _set(entity, "id", id)
    if collection is not None:
        _set(entity, "collection", collection)
    set_origin(entity, origin)
    return entity


def set_origin(entity: Entity, origin: Links) -> None:
    """Set where an entity asks for objects that it is not linked to."""
    _set(entity, "_origin", origin)


def slot(entity: Entity, name: str, absent: Any = ABSENT) -> Any:
    """The value in a slot, or `absent`, without the detour through `__getattr__`."""
    try:
        return object.__getattribute__(entity, name)
    except AttributeError:
        return absent


def store(entity: Entity, values: Mapping[str, Any]) -> None:
    """Store attributes as read, over those that are there; the id is kept."""
    attributes = type(entity).attributes
    unknown: dict[str, Any] = {}
    for name, value in values.items():
        if name not in attributes:
            unknown[name] = value
        elif name != "id":
            _set(entity, name, value)
    if unknown:
        _set(entity, "_extra", {**entity.extra, **unknown})


def complete(entity: Entity, twin: Entity) -> None:
    """Add to an entity what another Python object for the same object of the API carries and it lacks."""
    if entity is twin:
        return
    for name in type(entity).attributes:
        value = slot(twin, name)
        if value is not ABSENT and slot(entity, name) is ABSENT:
            _set(entity, name, value)
    unknown = {**twin.extra, **entity.extra}
    if unknown:
        _set(entity, "_extra", unknown)


class Surroundings(Protocol):
    """The graph around an entity that is to be linked."""

    def find(self, target: Ref) -> Entity | None:
        """The object that a reference names; None where it is not at hand."""
        ...

    def asked_for(self, entity: Entity, association: Association, key: str) -> bool:
        """Whether this association of it, to objects of the collection `key`, was asked for."""
        ...

    def note_sent(self, entities: Iterable[Entity]) -> None:
        """Remember that these are here, although they are not linked."""
        ...


def link(entity: Entity, surroundings: Surroundings) -> bool:
    """Link an entity to everything at hand that it refers to; whether nothing is missing now.

    An association with many leaves out what was asked for and is missing all the same.
    """
    all_there = True
    for association in type(entity).associations.values():
        if slot(entity, association.ref, None) is None:
            continue
        targets = association.targets(entity)
        found = [one for one in map(surroundings.find, targets) if one is not None]
        missing = len(found) < len(targets)
        all_there = all_there and not missing
        if missing and not (found and surroundings.asked_for(entity, association, found[0].collection)):
            surroundings.note_sent(found)
        elif isinstance(association, Many):
            _set(entity, association.name, tuple(found))
        elif found:
            _set(entity, association.name, found[0])
    return all_there


def link_to(entity: Entity, name: str, linked: Entity | tuple[Entity, ...]) -> None:
    """Link an entity to what the association of this name refers to."""
    _set(entity, name, linked)


def unlink(entity: Entity, names: Iterable[str]) -> None:
    """Forget what was linked by these attributes, which may refer to others now."""
    links = type(entity).links
    for ref in links.keys() & names:
        with suppress(AttributeError):
            object.__delattr__(entity, links[ref].name)


def links_of(entity: Entity) -> Iterator[tuple[str, Entity | tuple[Entity, ...]]]:
    """The associations by which an entity is linked, and what to."""
    for name in type(entity).associations:
        linked = slot(entity, name)
        if linked is not ABSENT:
            yield name, linked


def linked(entity: Entity) -> Iterator[Entity]:
    """The entities that this one is linked to."""
    for _, one in links_of(entity):
        yield from one if isinstance(one, tuple) else (one,)
