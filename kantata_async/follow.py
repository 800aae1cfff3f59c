"""Associations beyond the first level: which ids are still missing, and the requests that fetch them, each id once.

The server includes one level only, so a deeper association takes another request with `only` (API facts, "Asking").
Where the reference is known and the target's list can be asked by id, the targets are fetched; otherwise the owners
are asked again with the association included, which also brings the reference itself.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import attrs

from .concurrency import together
from .connection import Connection
from .entity import Association, Entity, Ref
from .errors import InvalidResponseError, NotFoundError, NotLoadedError, UsageError
from .graph import Graph, graph_of
from .operation import MAX_ONLY, MAX_PER_PAGE, Operation, check_call
from .values import Needed, did_you_mean

Steps = tuple[str, ...]
Tree = Mapping[str, "Tree"]
"""Paths of associations, those with the same beginning joined."""


def check_path(connection: Connection, collection: str, steps: Steps) -> None:
    """Raise UsageError for a step that is no association, or that no request could fetch."""
    cls = connection.class_of(collection)
    for position, step in enumerate(steps):
        if cls is None:
            raise UsageError(f"{'.'.join(steps[:position])} may be of any kind: load {step!r} once it is there")
        association = cls.associations.get(step)
        if association is None:
            raise UsageError(f"{cls.__name__} has no association {step!r}{did_you_mean(step, cls.associations)}")
        cls = connection.class_of(association.key) if association.key is not None else None


async def follow(connection: Connection, entities: Iterable[Entity], paths: Iterable[Steps]) -> None:
    """Fetch the associations along `paths` of the entities into their graphs, as far as they are not there yet.

    Raises UsageError for entities outside a graph, and what the requests raise.
    """
    await _descend(connection, _distinct(entities), _tree(paths))


def _tree(paths: Iterable[Steps]) -> Tree:
    tree: dict[str, Any] = {}
    for steps in paths:
        branch = tree
        for step in steps:
            branch = branch.setdefault(step, {})
    return tree


def _distinct(entities: Iterable[Entity]) -> list[Entity]:
    """Each Python object once; the same object of the API may be in several graphs, and each wants it linked."""
    return list({id(entity): entity for entity in entities}.values())


async def _descend(connection: Connection, entities: Sequence[Entity], tree: Tree) -> None:
    await together(_load_step(connection, entities, step, deeper) for step, deeper in tree.items())


async def _load_step(connection: Connection, entities: Sequence[Entity], step: str, deeper: Tree) -> None:
    by_class: dict[type[Entity], list[Entity]] = defaultdict(list)
    for entity in entities:
        by_class[type(entity)].append(entity)
    await together(_load(connection, cls, owners, step, tuple(deeper)) for cls, owners in by_class.items())
    if deeper:
        await _descend(connection, _distinct(_reached(entities, step)), deeper)


def _reached(entities: Iterable[Entity], step: str) -> Iterator[Entity]:
    for entity in entities:
        graph = graph_of(entity)
        for target in _targets(entity, entity.associations[step]):
            found = graph.find(target)
            if found is not None:
                yield found


def _targets(entity: Entity, association: Association[Any]) -> tuple[Ref, ...]:
    try:
        return association.targets(entity)
    except NotLoadedError:
        return ()


@attrs.frozen
class Missing:
    """What one association still lacks: owners whose reference was not sent, and the targets that are not there."""

    owners: tuple[Entity, ...]
    targets: Mapping[Ref, tuple[Entity, ...]]


def missing(entities: Iterable[Entity], association: Association[Any]) -> Missing:
    """Find what is left to fetch of an association; what an answer already failed to bring is not asked for again."""
    owners: list[Entity] = []
    targets: dict[Ref, list[Entity]] = defaultdict(list)
    for entity in entities:
        graph = graph_of(entity)
        try:
            named = association.targets(entity)
        except NotLoadedError:
            if not graph.asked_for(entity, association, association.key or ""):
                owners.append(entity)
            continue
        for target in named:
            if graph.find(target) is None and not graph.asked_for(entity, association, target.key):
                targets[target].append(entity)
    return Missing(tuple(owners), {target: tuple(named_by) for target, named_by in targets.items()})


async def _load(
    connection: Connection, cls: type[Entity], entities: Sequence[Entity], step: str, includes: Sequence[str]
) -> None:
    association = cls.associations.get(step)
    if association is None:
        raise UsageError(f"{cls.__name__} has no association {step!r}{did_you_mean(step, cls.associations)}")
    lacking = missing(entities, association)
    owners = list(lacking.owners)
    fetchable: dict[str, dict[str, tuple[Entity, ...]]] = defaultdict(dict)
    for target, named_by in lacking.targets.items():
        if asks_by_id(connection.operations_of(target.key).get("list")):
            fetchable[target.key][target.id] = named_by
        else:
            owners += named_by
    await together(
        [
            *(_fetch_targets(connection, key, ids, association, includes) for key, ids in fetchable.items()),
            *([_ask_again(connection, cls.collection, _distinct(owners), step)] if owners else []),
        ]
    )


def asks_by_id(operation: Operation[Any] | None) -> bool:
    """Whether a list can be asked for ids alone: it takes `only`, and no filter that must be given."""
    return operation is not None and operation.only and not _needed(operation)


def _needed(operation: Operation[Any]) -> list[str]:
    return [name for name, kind in operation.filters.items() if isinstance(kind, Needed)]


async def _fetch_targets(
    connection: Connection,
    key: str,
    ids: Mapping[str, tuple[Entity, ...]],
    association: Association[Any],
    includes: Sequence[str],
) -> None:
    operation = connection.operations_of(key)["list"]
    wanted = [name for name in includes if name in operation.includes]
    await together(
        _fetch_batch(connection, operation, batch, wanted, {id: ids[id] for id in batch}, association.name)
        for batch in in_batches(list(ids), MAX_ONLY)
    )


async def _fetch_batch(
    connection: Connection,
    operation: Operation[Any],
    ids: Sequence[str],
    includes: Sequence[str],
    owners: Mapping[str, tuple[Entity, ...]],
    association: str,
) -> None:
    asked = {**operation.reveal, "only": ids, "per_page": MAX_PER_PAGE, **({"include": includes} if includes else {})}
    call = check_call(operation, (), asked)
    data = await connection.send(call)
    for graph, named_by in _by_graph(owner for owning in owners.values() for owner in owning).items():
        connection.read(data, call, graph)
        graph.mark_asked(named_by, association)


def _by_graph(entities: Iterable[Entity]) -> dict[Graph, list[Entity]]:
    grouped: dict[Graph, list[Entity]] = defaultdict(list)
    for entity in entities:
        grouped[graph_of(entity)].append(entity)
    return grouped


async def _ask_again(connection: Connection, collection: str, owners: Sequence[Entity], include: str) -> None:
    operations = connection.operations_of(collection)
    listing, single = operations.get("list"), operations.get("get")
    if listing is not None and listing.only and include in listing.includes:
        groups: dict[tuple[Any, ...], dict[str, list[Entity]]] = defaultdict(lambda: defaultdict(list))
        alone: list[Entity] = []
        for owner in owners:
            values = _sent(owner, _needed(listing))
            if values is None:
                alone.append(owner)
            else:
                groups[values][owner.id].append(owner)
        by_list = [
            _ask_list(
                connection, listing, {id: group[id] for id in ids}, include, zip(_needed(listing), values, strict=True)
            )
            for values, group in groups.items()
            for ids in in_batches(list(group), MAX_ONLY)
        ]
    else:
        by_list, alone = [], list(owners)
    if alone and (single is None or include not in single.includes):
        raise UsageError(f"no request of the API fetches {include!r} for {collection} by id")
    await together([*by_list, *(_ask_single(connection, single, owner, include) for owner in alone if single)])


def _sent(entity: Entity, names: Sequence[str]) -> tuple[Any, ...] | None:
    """The attributes of these names, as a list's required filters want them; None when one was not sent."""
    try:
        values = tuple(getattr(entity, name) for name in names)
    except AttributeError:
        return None
    return None if None in values else values


async def _ask_list(
    connection: Connection,
    operation: Operation[Any],
    owners: Mapping[str, Sequence[Entity]],
    include: str,
    filters: Iterable[tuple[str, Any]],
) -> None:
    asked = {**operation.reveal, **dict(filters), "only": list(owners), "per_page": MAX_PER_PAGE, "include": [include]}
    call = check_call(operation, (), asked)
    data = await connection.send(call)
    for graph, named_by in _by_graph(owner for same in owners.values() for owner in same).items():
        connection.read(data, call, graph)
        graph.mark_asked(named_by, include)


async def _ask_single(connection: Connection, operation: Operation[Any], owner: Entity, include: str) -> None:
    call = check_call(operation, (owner.id,), {"include": [include]})
    graph = graph_of(owner)
    try:
        data = await connection.send(call)
    except NotFoundError:
        graph.mark_asked([owner], include)
        return
    if data is None:
        raise InvalidResponseError(f"{call.method} {call.path}: an answer without a body")
    connection.read(data, call, graph)


def in_batches(items: Sequence[Any], size: int) -> Iterator[Sequence[Any]]:
    """Cut a sequence into runs of at most `size`."""
    for start in range(0, len(items), size):
        yield items[start : start + size]
