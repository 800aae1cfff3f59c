"""Associations beyond the first level: which ids are still missing, and the requests that fetch them, each id once.

The server includes one level only, so a deeper association takes another request with `only` (API facts, "Asking").
All paths go forward together, a level at a time. Where the reference is known and the target's list can be asked by id,
the targets are fetched; otherwise their owners are asked again with the association included, which also brings the
reference itself. Either way the filters that lift a list's defaults are sent along, so that the requests bring what an
include would.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import attrs

from ..errors import InvalidResponseError, NotFoundError, NotLoadedError, UsageError
from ..model import Association, Entity, Graph, Ref, graph_of, graphs_of
from ..transport import Success
from .concurrency import together
from .connection import Connection
from .operation import MAX_ONLY, MAX_PER_PAGE, Operation, check_call
from .parameters import Needed, did_you_mean

Steps = tuple[str, ...]
Tree = Mapping[str, "Tree"]
"""Paths of associations as a tree: those with the same beginning share it."""


def check_path(connection: Connection, collection: str, steps: Steps) -> None:
    """Check the steps of a path of associations against the classes that they lead to.

    Raises:
        UsageError: a step is no association, or follows a polymorphic reference, whose class only an answer shows.
    """
    cls = connection.reader.class_of(collection)
    for position, step in enumerate(steps):
        if cls is None:
            raise UsageError(
                f"{'.'.join(steps[:position])} may be of any class, so {step!r} cannot be asked for: load it afterwards"
            )
        key = _association(cls, step).key
        cls = connection.reader.class_of(key) if key is not None else None


def _association(cls: type[Entity], step: str) -> Association:
    association = cls.associations.get(step)
    if association is None:
        raise UsageError(f"{cls.__name__} has no association {step!r}{did_you_mean(step, cls.associations)}")
    return association


async def follow(connection: Connection, entities: Iterable[Entity], paths: Iterable[Steps]) -> None:
    """Fetch the associations along `paths` of the entities into their graphs, as far as they are not there yet.

    Raises:
        UsageError: an entity is in no graph, or a step of a path is no association.
        KantataError: a request failed.
    """
    tree = _tree(paths)
    if not tree:
        return
    level = [(entity, tree) for entity in _distinct(entities)]
    graphs = graphs_of(entity for entity, _ in level)
    while level:
        plan = make_plan(level, lambda key: asks_by_id(connection.operations_of(key).get("list")))
        try:
            await together([*_target_requests(connection, plan), *_owner_requests(connection, plan)])
        finally:
            for graph in graphs:
                graph.link()
        level = _next_level(level)


def _tree(paths: Iterable[Steps]) -> Tree:
    tree: dict[str, Any] = {}
    for steps in paths:
        branch = tree
        for step in steps:
            branch = branch.setdefault(step, {})
    return tree


def _distinct(entities: Iterable[Entity]) -> list[Entity]:
    """Each Python object once. The same object of the API may be in several graphs, and is linked in each."""
    return list({id(entity): entity for entity in entities}.values())


def _next_level(level: Iterable[tuple[Entity, Tree]]) -> list[tuple[Entity, Tree]]:
    """The entities that were reached, each with the paths that go on from it."""
    reached: dict[int, tuple[Entity, Tree]] = {}
    for entity, tree in level:
        for step, deeper in tree.items():
            for found in _linked(entity, step) if deeper else ():
                _, joined = reached.get(id(found), (found, {}))
                reached[id(found)] = found, _joined(joined, deeper)
    return list(reached.values())


def _joined(one: Tree, other: Tree) -> Tree:
    return {step: _joined(one.get(step, {}), other.get(step, {})) for step in (*one, *other)}


def _linked(entity: Entity, step: str) -> Iterator[Entity]:
    graph = graph_of(entity)
    try:
        targets = entity.associations[step].targets(entity)
    except NotLoadedError:
        return
    for target in targets:
        found = graph.find(target)
        if found is not None:
            yield found


# --- what is missing ---


@attrs.define
class ObjectToFetch:
    """An object to ask for: the entities that want it, each with its association, and what to include with it."""

    wanting: list[tuple[Entity, str]] = attrs.field(factory=list)
    includes: dict[str, None] = attrs.field(factory=dict)


@attrs.frozen
class FetchPlan:
    """What is missing from a level: `targets` to fetch and `owners` to ask again, by collection and id."""

    targets: Mapping[str, Mapping[str, ObjectToFetch]]
    owners: Mapping[str, Mapping[str, ObjectToFetch]]


def make_plan(level: Iterable[tuple[Entity, Tree]], by_id: Callable[[str], bool]) -> FetchPlan:
    """What is left to fetch of a level, less what an answer has already failed to bring.

    `by_id` says whether the objects of a collection can be asked for by id.

    Raises:
        UsageError: an entity has no association of that name.
    """
    targets: dict[str, dict[str, ObjectToFetch]] = defaultdict(lambda: defaultdict(ObjectToFetch))
    owners: dict[str, dict[str, ObjectToFetch]] = defaultdict(lambda: defaultdict(ObjectToFetch))
    for entity, tree in level:
        for step, deeper in tree.items():
            for target in _lacking(entity, _association(type(entity), step)):
                if target is not None and by_id(target.key):
                    missing = targets[target.key][target.id]
                    missing.includes.update(dict.fromkeys(deeper))
                else:
                    missing = owners[entity.collection][entity.id]
                    missing.includes[step] = None
                missing.wanting.append((entity, step))
    return FetchPlan(targets, owners)


def _lacking(entity: Entity, association: Association) -> list[Ref | None]:
    """The objects of an association that are not there yet; None for a reference that was not sent."""
    graph = graph_of(entity)
    try:
        named = association.targets(entity)
    except NotLoadedError:
        return [] if graph.origin.asked_for(entity, association, association.key or "") else [None]
    return [
        target
        for target in named
        if graph.find(target) is None and not graph.origin.asked_for(entity, association, target.key)
    ]


def asks_by_id(listing: Operation[Any] | None) -> bool:
    """Whether a list can be asked by ids alone: it takes `only`, and needs no filter."""
    return listing is not None and listing.only and not _needed(listing)


def _needed(listing: Operation[Any]) -> list[str]:
    return [name for name, kind in listing.filters.items() if isinstance(kind, Needed)]


# --- the requests ---


def _target_requests(connection: Connection, plan: FetchPlan) -> Iterator[Any]:
    for key, targets in plan.targets.items():
        listing = connection.operations_of(key)["list"]
        for ids in in_batches(list(targets), MAX_ONLY):
            yield _ask_list(connection, listing, {id: targets[id] for id in ids})


def _owner_requests(connection: Connection, plan: FetchPlan) -> Iterator[Any]:
    for collection, owners in plan.owners.items():
        operations = connection.operations_of(collection)
        listing, single = operations.get("list"), operations.get("get")
        groups: dict[tuple[Any, ...] | None, list[str]] = defaultdict(list)
        for id, missing in owners.items():
            groups[_filter_values(listing, missing)].append(id)
        for values, ids in groups.items():
            if listing is None or values is None:
                yield from (_ask_single(connection, single, id, owners[id]) for id in ids)
                continue
            filters = dict(zip(_needed(listing), values, strict=True))
            for batch in in_batches(ids, MAX_ONLY):
                yield _ask_list(connection, listing, {id: owners[id] for id in batch}, filters)


def _filter_values(listing: Operation[Any] | None, owner: ObjectToFetch) -> tuple[Any, ...] | None:
    """The values, from the owner, of the filters that a list needs; None where that list cannot serve."""
    if listing is None or not listing.only or not owner.includes.keys() <= set(listing.includes):
        return None
    entity, _ = owner.wanting[0]
    try:
        values = tuple(getattr(entity, name) for name in _needed(listing))
    except AttributeError:
        return None
    return None if None in values else values


async def _ask_list(
    connection: Connection,
    listing: Operation[Any],
    asked: Mapping[str, ObjectToFetch],
    filters: Mapping[str, Any] | None = None,
) -> None:
    wanted = {name: None for missing in asked.values() for name in missing.includes if name in listing.includes}
    arguments = {**listing.reveal, **(filters or {}), "only": list(asked), "per_page": MAX_PER_PAGE}
    call = check_call(listing, (), {**arguments, "include": list(wanted)} if wanted else arguments)
    answer = await connection.ask(call)
    for graph, wanting in _by_graph(asked.values()).items():
        connection.read(answer, call, graph)
        _mark(graph, wanting)


async def _ask_single(connection: Connection, single: Operation[Any] | None, id: str, owner: ObjectToFetch) -> None:
    if single is None or not owner.includes.keys() <= set(single.includes):
        entity, step = owner.wanting[0]
        raise UsageError(f"no request of the API fetches {step!r} of {entity!r}")
    call = check_call(single, (id,), {"include": list(owner.includes)})
    answer: Success | None = None
    try:
        answer = await connection.ask(call)
    except NotFoundError:
        pass
    else:
        if answer.data is None:
            raise InvalidResponseError(f"{call.method} {call.path}: the answer has no body")
    for graph, wanting in _by_graph([owner]).items():
        if answer is not None:
            connection.read(answer, call, graph)
        _mark(graph, wanting)


def _by_graph(asked: Iterable[ObjectToFetch]) -> dict[Graph, list[tuple[Entity, str]]]:
    grouped: dict[Graph, list[tuple[Entity, str]]] = defaultdict(list)
    for missing in asked:
        for entity, step in missing.wanting:
            grouped[graph_of(entity)].append((entity, step))
    return grouped


def _mark(graph: Graph, wanting: Iterable[tuple[Entity, str]]) -> None:
    """Note what was asked for, so that what is still missing is not asked for again."""
    by_step: dict[str, list[Entity]] = defaultdict(list)
    for entity, step in wanting:
        by_step[step].append(entity)
    for step, entities in by_step.items():
        graph.mark_asked(entities, step)


def in_batches(items: Sequence[Any], size: int) -> Iterator[Sequence[Any]]:
    """The sequence cut into runs of at most `size`."""
    for start in range(0, len(items), size):
        yield items[start : start + size]
