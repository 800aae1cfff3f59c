"""Associations: which objects an object of the API refers to, and how they are found."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar, Protocol

from ..errors import NotLoadedError
from ..response import Response
from .json_values import Ref, brief_text


class Links(Protocol):
    """What an object asks for the objects that it is not linked to."""

    def resolve(self, owner: Owner, association: Association, target: Ref) -> Any:
        """The object that `target` names; None when it was asked for and not sent.

        Raises:
            NotLoadedError: it was neither sent nor asked for.
        """
        ...

    def was_sent(self, target: Ref) -> bool:
        """Whether the object that `target` names is known to have been sent, whether or not it is still at hand."""
        ...

    def response_of(self, owner: Owner) -> Response | None:
        """The last answer that carried an object; None where it was fetched elsewhere."""
        ...


class Owner(Protocol):
    """What has associations: an object of the API, whose attributes hold the references."""

    collection: ClassVar[str]

    @property
    def id(self) -> str:
        """Its id."""
        ...

    @property
    def _origin(self) -> Links:
        """Where it came from."""
        ...


class Association(ABC):
    """An association: the attribute `ref` refers to objects of the collection `key` (None: the reference names it).

    `variant` is the class to read them as where it is not the collection's own. An object is linked, its association
    stored in a slot, as soon as all that it refers to is there; otherwise the association is made each time it is read.
    """

    name: str

    def __init__(self, ref: str, key: str | None, variant: str | None) -> None:
        self.ref = ref
        self.key = key
        self.variant = variant

    @abstractmethod
    def found(self, owner: Owner) -> Any:
        """What `owner` is associated with, as far as it is there.

        Raises:
            NotLoadedError: something was neither sent nor asked for.
        """

    def targets(self, owner: Owner) -> tuple[Ref, ...]:
        """The objects that `owner` names; none where the reference could not be read and was kept as it came.

        Raises:
            NotLoadedError: the reference was not sent.
        """
        value = getattr(owner, self.ref)
        if isinstance(value, Ref):
            return (value,)
        if isinstance(value, tuple):
            return tuple(item if isinstance(item, Ref) else Ref(self.key or "", item) for item in value)
        return (Ref(self.key, value),) if isinstance(value, str) and self.key is not None else ()


class One(Association):
    """An association with one object; None where the API says null, or named an object that it did not send."""

    def found(self, owner: Owner) -> Any:
        """See `Association.found`."""
        targets = self.targets(owner)
        return owner._origin.resolve(owner, self, targets[0]) if targets else None


class Many(Association):
    """An association with any number of objects: a tuple, without those that the API named but did not send."""

    def found(self, owner: Owner) -> tuple[Any, ...]:
        """See `Association.found`."""
        targets = self.targets(owner)
        origin = owner._origin
        # Objects that were not sent come first, so that an error names one of them.
        found = {target: origin.resolve(owner, self, target) for target in sorted(targets, key=origin.was_sent)}
        return tuple(found[target] for target in targets if found[target] is not None)


def not_included(owner: Owner, association: Association, target: Ref) -> NotLoadedError:
    """The error for an association that was not asked for."""
    name = type(owner).__name__
    return NotLoadedError(
        f"{name}.{association.name} was not sent, only that it is {brief_text(target.key or 'object')} "
        f"{brief_text(target.id)}: "
        f"ask for it with include=[{association.name!r}], or fetch it now with load(…, {association.name!r})",
        name=association.name,
        obj=owner,
    )


class _Nowhere:
    """The origin of an object that came in no answer: there is nothing that it could be linked to."""

    def resolve(self, owner: Owner, association: Association, target: Ref) -> Any:
        raise not_included(owner, association, target)

    def was_sent(self, target: Ref) -> bool:
        return False

    def response_of(self, owner: Owner) -> Response | None:
        return None

    def __reduce__(self) -> str:
        return "NOWHERE"


NOWHERE = _Nowhere()
"""The origin of entities made from plain data."""
