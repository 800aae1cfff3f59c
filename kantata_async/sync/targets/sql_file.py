"""What the databases in files have in common: the file, and the lock beside it."""

from __future__ import annotations

from os import PathLike
from typing import Final

from ...errors import UsageError
from .lock import FileLock, path_of
from .protocol import OnDeletion
from .sql import SQLTarget


class SQLFileTarget(SQLTarget):
    """A database in a file; see `Target` for its methods.

    Args:
        path: of the file, which is made where it is missing.
        on_deletion: "mark" objects that are gone in `_deleted_at`, or "remove" them.

    Raises:
        UsageError: the path names no file.
    """

    def __init__(self, path: str | PathLike[str], *, on_deletion: OnDeletion = "mark") -> None:
        super().__init__(on_deletion)
        self._path: Final = path_of(path)
        if self._path in {"", ":memory:"}:
            raise UsageError(f"a copy is kept in a file, and {path!r} names none")
        self._lock: Final = FileLock(self._path)

    @property
    def name(self) -> str:
        """See `SQLTarget.name`."""
        return self._path

    def close(self) -> None:
        """See `Target.close`."""
        super().close()
        self._lock.release()
