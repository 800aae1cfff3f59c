"""What is copied as one: a list with its filters; and how far its copy has come. Both are values, written as JSON."""

from __future__ import annotations

from typing import Self

import attrs
import msgspec

from ..errors import TargetError
from .spans import Span


@attrs.frozen
class Part:
    """A list of the API with its filters, or that part of one which belongs to a parent or is of a kind.

    Attributes:
        resource: the name of the session's attribute.
        query: what it is asked with.
        of: the filter that makes it a part of the whole; its objects carry the attribute of that name.
    """

    resource: str
    query: tuple[tuple[str, str], ...] = ()
    of: tuple[tuple[str, str], ...] = ()

    @property
    def name(self) -> str:
        """What its checkpoint is kept under."""
        return self.resource + "".join(f"?{name}={value}" for name, value in self.of)

    def to_json(self) -> str:
        """It as text."""
        return msgspec.json.encode(self).decode()

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The part of such a text."""
        return msgspec.json.decode(text, type=cls)


@attrs.frozen
class Checkpoint:
    """How far the copy of a part has come.

    Attributes:
        query: what was asked for; a copy that is asked for otherwise begins anew.
        of: what the objects carry in the attribute that the part is `of`, once some have come: an answer may spell it
            otherwise than the filter (``workspace_group`` for ``WorkspaceGroup``).
        through: up to when everything was read; None where nothing has been finished yet.
        goal: up to when everything will have been read once nothing is pending.
        pending: the spans that are still to be read.
        swept: when it was last read from the beginning.
    """

    query: tuple[tuple[str, str], ...] = ()
    of: tuple[tuple[str, str], ...] = ()
    through: int | None = None
    goal: int | None = None
    pending: tuple[Span, ...] = ()
    swept: int | None = None

    def holds(self, part: Part) -> dict[str, str]:
        """What the objects of the part are told by where they are held."""
        return {**dict(part.of), **dict(self.of)}

    def to_json(self) -> str:
        """It as text."""
        return msgspec.json.encode(self).decode()

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The checkpoint of such a text. Raises TargetError for one that is none."""
        try:
            return msgspec.json.decode(text, type=cls)
        except msgspec.MsgspecError as error:
            raise TargetError(f"the target has a checkpoint that cannot be read: {error}") from None
