"""The objects that hold values of custom fields, given as entities or by their ids."""

from __future__ import annotations

from collections.abc import AsyncIterable, Hashable, Iterable, Mapping
from typing import Any, Final, Literal, TypeAlias, get_args

import attrs

from ..calls import Choice, check_id, is_iterable
from ..errors import UsageError
from ..model import Entity, brief_repr

SubjectType: TypeAlias = Literal["Estimate", "Resource", "Story", "User", "Workspace", "WorkspaceGroup"]
"""A kind of object that can hold values of custom fields, as the API calls it."""

SUBJECT_TYPES: Final[Mapping[str, SubjectType]] = {
    "estimates": "Estimate",
    "stories": "Story",
    "users": "User",
    "workspace_groups": "WorkspaceGroup",
    "workspace_resources": "Resource",
    "workspaces": "Workspace",
}
"""The kinds of objects that can hold values of custom fields, by their collections."""

_TYPE: Final = Choice(get_args(SubjectType))


@attrs.frozen
class FieldSubject:
    """An object that holds values of custom fields; `given` is what the caller gave for it."""

    type: SubjectType
    id: str
    given: Any = attrs.field(eq=False)

    def __str__(self) -> str:
        return repr(self.given) if isinstance(self.given, Entity) else f"{self.type} {self.id}"


def subjects_of(objects: Iterable[Any]) -> list[FieldSubject]:
    """The entities as objects that hold values, each once.

    Raises:
        UsageError: one is not an entity, or of a kind that has no custom fields.
    """
    return list(dict.fromkeys(_subject(one) for one in objects))


def _subject(given: Any) -> FieldSubject:
    if not isinstance(given, Entity):
        raise UsageError(
            f'entities are expected here, not {brief_repr(given)}; of ids, give the kind first: "Workspace", [7]'
        )
    kind = SUBJECT_TYPES.get(given.collection)
    if kind is None:
        raise UsageError(f"{given!r} can have no custom fields; they are for {', '.join(sorted(SUBJECT_TYPES))}")
    return FieldSubject(kind, given.id, given)


def subjects_with_ids(subject_type: str, ids: Iterable[Any]) -> list[FieldSubject]:
    """The objects of a kind with these ids, each once.

    Raises:
        UsageError: there is no such kind, or an id is not one.
    """
    kind: SubjectType = _TYPE.wire(subject_type, "subject_type")
    given = list(ids)
    wrong = [one for one in given if not isinstance(one, Hashable)]
    if wrong:
        raise UsageError(f"ids are numbers or texts, by which their values are found, not {brief_repr(wrong[0])}")
    return list(dict.fromkeys(FieldSubject(kind, check_id(id), id) for id in given))


async def gathered(objects: Any) -> Iterable[Any]:
    """Objects that are there already, or come one by one.

    Raises:
        UsageError: they cannot be iterated over.
    """
    if isinstance(objects, AsyncIterable):
        return [one async for one in objects]
    if isinstance(objects, Entity | str | bytes) or not is_iterable(objects):
        raise UsageError(f"an iterable is expected here, not {brief_repr(objects)}")
    return objects
