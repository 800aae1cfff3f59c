"""What is to be copied, what of it is copied as one, and how far that has come: values that pickle and write JSON."""

from __future__ import annotations

from typing import Final, Self

import attrs
import msgspec

from ..errors import TargetError, UsageError
from .spans import Span, second_of

LAG: Final = 180
_DATED: Final = ("updated", "created")


class _Writing:
    """A value that writes itself as JSON."""

    __slots__ = ()

    def to_json(self) -> str:
        """The value as text."""
        return msgspec.json.encode(self).decode()

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The value of such a text.

        Raises:
            UsageError: the text is not that of such a value.
        """
        try:
            return msgspec.json.decode(text, type=cls)
        except msgspec.MsgspecError as error:
            raise UsageError(f"this is no {cls.__name__} as JSON: {error}") from None


@attrs.frozen
class Job(_Writing):
    """A collection to copy: a value, from which any process with a session can copy it.

    Attributes:
        resource: the name of the session's attribute.
        query: what its list is asked with.
        lag: seconds for which a write may be under way on the server before it can be seen; the copy stays that
            far behind.
        sweep: seconds after which everything is read again; None for never.
    """

    resource: str
    query: tuple[tuple[str, str], ...] = ()
    lag: int = LAG
    sweep: int | None = None


@attrs.frozen
class Part(_Writing):
    """What is copied as one: a list with its filters, that of a parent or a kind, or a window of one.

    Attributes:
        resource: the name of the session's attribute.
        query: what it is asked with.
        of: the filter that makes it a part of the whole; its objects carry the attribute of that name.
        window: the closed window of time that it is; None for all times.
    """

    resource: str
    query: tuple[tuple[str, str], ...] = ()
    of: tuple[tuple[str, str], ...] = ()
    window: Span | None = None

    @property
    def name(self) -> str:
        """The name under which its checkpoint is kept."""
        of = "".join(f"?{name}={value}" for name, value in self.of)
        return f"{self.resource}{of}{'' if self.window is None else f' {self.window}'}"

    @property
    def begins(self) -> dict[str, int]:
        """The second before which nothing is asked for, by the column that has it."""
        return {f"{by}_at": second_of(text) for by in _DATED for name, text in self.query if name == f"{by}_after"}

    def within(self, window: Span) -> Part:
        """A window of it, as a separate part."""
        return attrs.evolve(self, window=window)


@attrs.frozen
class Checkpoint:
    """How far the copy of a part has come.

    Attributes:
        query: what was asked for; a copy that is asked for anything else begins anew.
        of: what the objects carry in the attribute that the part is `of`, once some have come: an answer may spell it
            differently from the filter (``workspace_group`` for ``WorkspaceGroup``).
        through: up to when everything was read; None where nothing has been finished yet.
        goal: up to when everything will have been read once nothing is pending.
        pending: the spans that are still to be read.
        swept: when it was last read from the beginning.
        columns: the digest of the columns that were stored; empty where it was not noted.
    """

    query: tuple[tuple[str, str], ...] = ()
    of: tuple[tuple[str, str], ...] = ()
    through: int | None = None
    goal: int | None = None
    pending: tuple[Span, ...] = ()
    swept: int | None = None
    columns: str = ""

    def serves(self, part: Part, columns: str) -> bool:
        """Whether the copy of a part with these columns can be gone on with."""
        return self.query == part.query and self.columns in {"", columns}

    def completes(self, part: Part) -> bool:
        """Whether all of a part that is a window was read."""
        return part.window is not None and self.query == part.query and self.through == part.window.before

    def holds(self, part: Part) -> dict[str, str]:
        """The values that mark the objects of the part where they are held."""
        return {**dict(part.of), **dict(self.of)}

    def to_json(self) -> str:
        """The checkpoint as text."""
        return msgspec.json.encode(self).decode()

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The checkpoint of such a text.

        Raises:
            TargetError: the text is not that of a checkpoint.
        """
        try:
            return msgspec.json.decode(text, type=cls)
        except msgspec.MsgspecError as error:
            raise TargetError(f"the target has a checkpoint that cannot be read: {error}") from None
