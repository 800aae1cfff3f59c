"""What targets that are directories have in common: files, each written once, and a manifest that names them.

The manifest is replaced at the end of a step, in one move: until then the files of the step do not count, and
afterwards those that it replaced do not. Each object is in one file; a file of which an object changes is written
anew without it.
"""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from itertools import chain
from os import PathLike
from pathlib import Path
from typing import Any, ClassVar, Final

import attrs
import msgspec

from ...errors import TargetError
from ...tables import Table, arrow, arrow_compute
from .lock import FileLock
from .ours import DELETED_AT, LISTED, SYNCED_AT, with_ours
from .protocol import Held, OnDeletion, Rows, Step, Written
from .settings import checked_on_deletion, checked_path

FORMAT: Final = "1"
_MANIFEST: Final = "_manifest.json"


@attrs.frozen
class Manifest:
    """What counts in a directory.

    Attributes:
        format: the format of all of it.
        checkpoints: how far copies have come, by the names of the parts.
        files: the files of each table, below the directory.
        number: the number of the next file.
    """

    format: str = FORMAT
    checkpoints: Mapping[str, str] = attrs.field(factory=dict)
    files: Mapping[str, tuple[str, ...]] = attrs.field(factory=dict)
    number: int = 1


class FilesTarget(ABC):
    """A directory with one below it for each collection; see `Target` for its methods.

    The manifest `_manifest.json` names the files that count. The ids of all objects are held in memory while it is
    written, some 15 bytes each.

    Args:
        directory: made where it is missing.
        on_deletion: "mark" objects that are gone in `_deleted_at`, or "remove" them.
    """

    suffix: ClassVar[str]
    """The suffix of the files' names."""

    def __init__(self, directory: str | PathLike[str], *, on_deletion: OnDeletion = "mark") -> None:
        self._directory: Final = Path(checked_path(directory))
        self._on_deletion: Final = checked_on_deletion(on_deletion)
        self._lock: Final = FileLock(str(self._directory))
        self._manifest = Manifest()
        self._ids: Final[dict[str, Any]] = {}

    @abstractmethod
    def _write_file(self, path: Path, table: Table, rows: Any) -> None:
        """Write a `pyarrow.Table` as a file."""

    @abstractmethod
    def _read_file(self, path: Path, table: Table, columns: Sequence[str] | None = None) -> Any:
        """The `pyarrow.Table` of a file, in the schema of `whole_schema`, or those columns of it."""

    def open(self) -> Mapping[str, str]:
        """See `Target.open`."""
        try:
            with self._failing("cannot be opened"):
                self._directory.parent.mkdir(parents=True, exist_ok=True)
                self._lock.take()
                self._directory.mkdir(exist_ok=True)
                self._manifest = self._read_manifest()
                self._clear_up()
        except BaseException:
            self.close()
            raise
        return self._manifest.checkpoints

    def write(self, step: Step) -> Mapping[str, Written]:
        """See `Target.write`."""
        edit = _Edit(self, self._manifest, step.at)
        written: dict[str, Written] = {}
        with self._failing("could not be written"):
            try:
                for rows in step.rows:
                    there = written.get(rows.table.collection, Written())
                    written[rows.table.collection] = there + edit.merge(rows)
                for table, ids in step.deleted.items():
                    there = written.get(table.collection, Written())
                    written[table.collection] = there + Written(deleted=edit.delete(table, ids))
                edit.finish(step.checkpoints)
            except BaseException:
                self._clear_up()
                raise
            self._clear_up()
        return written

    def held(self, table: Table, of: Mapping[str, str], before: datetime | None = None) -> Held:
        """See `Target.held`."""
        known = {name: value for name, value in of.items() if name in table.kinds}
        needed = {*known, DELETED_AT, LISTED} | ({"created_at"} if "created_at" in table.kinds else set())

        def read(columns: Sequence[str]) -> Any:
            schema = whole_schema(table)
            wanted = [name for name in columns if name in schema.names]
            with self._failing("could not be read"):
                found = arrow().concat_tables(
                    [
                        self._there(self.file(name, table, [*needed.union(wanted)]), known, before).select(wanted)
                        for name in self._manifest.files.get(table.collection, ())
                    ]
                    or [arrow().schema([schema.field(name) for name in wanted]).empty_table()]
                )
            for name in columns:
                if name not in found.column_names:
                    found = found.append_column(name, arrow().nulls(found.num_rows))
            return found.sort_by("created_at") if "created_at" in wanted else found

        return Held(read(["id"]).num_rows, read)

    def close(self) -> None:
        """See `Target.close`."""
        self._ids.clear()
        self._lock.release()

    def _there(self, rows: Any, of: Mapping[str, str], before: datetime | None) -> Any:
        pc = arrow_compute()

        condition = pc.field(LISTED) & pc.field(DELETED_AT).is_null()
        for name, value in of.items():
            condition &= pc.field(name) == value
        if before is not None:
            condition &= pc.field("created_at") < arrow().scalar(before, arrow().timestamp("us", "UTC"))
        return rows.filter(condition)

    def file(self, name: str, table: Table, columns: Sequence[str] | None = None) -> Any:
        """The rows of a file."""
        return self._read_file(self._directory / name, table, columns)

    def ids_in(self, name: str, table: Table) -> Any:
        """The ids of the objects in a file."""
        if name not in self._ids:
            self._ids[name] = self.file(name, table, ["id"]).column("id").combine_chunks()
        return self._ids[name]

    def add_file(self, name: str, table: Table, rows: Any) -> None:
        """Write a file, which the manifest is still to name."""
        path = self._directory / name
        path.parent.mkdir(exist_ok=True)
        self._write_file(path, table, rows)
        _bring_to_disk(path)
        self._ids[name] = rows.column("id").combine_chunks()

    def replace_manifest(self, manifest: Manifest) -> None:
        """Put another manifest in place of the one that counts."""
        path = self._directory / f"{_MANIFEST}.new"
        path.write_bytes(msgspec.json.encode(manifest))
        _bring_to_disk(path)
        path.replace(self._directory / _MANIFEST)
        _bring_to_disk(self._directory)
        self._manifest = manifest

    def removes(self) -> bool:
        """Whether objects that are gone are removed."""
        return self._on_deletion == "remove"

    def _read_manifest(self) -> Manifest:
        path = self._directory / _MANIFEST
        if not path.exists():
            if any(one.name != f"{_MANIFEST}.new" for one in self._directory.iterdir()):
                raise TargetError(f"{self._directory} has other files in it, and no {_MANIFEST}")
            # From now on what is in the directory is known to be a copy's, even if its first step does not end.
            self.replace_manifest(Manifest())
            return self._manifest
        try:
            manifest = msgspec.json.decode(path.read_bytes(), type=Manifest)
        except msgspec.MsgspecError as error:
            raise TargetError(f"{path} cannot be read: {error}") from None
        if manifest.format != FORMAT:
            raise TargetError(
                f"{self._directory} has the format {manifest.format}, and this version of kantata_async writes {FORMAT}"
            )
        for name in chain.from_iterable(manifest.files.values()):
            if not name.endswith(self.suffix):
                raise TargetError(f"{self._directory} is a copy in files such as {name}, not in {self.suffix} files")
        return manifest

    def _clear_up(self) -> None:
        """Remove the files that do not count."""
        counted = {name for names in self._manifest.files.values() for name in names}
        for path in self._directory.glob(f"*/*{self.suffix}"):
            name = path.relative_to(self._directory).as_posix()
            if name not in counted:
                path.unlink()
                self._ids.pop(name, None)

    @contextmanager
    def _failing(self, how: str) -> Iterator[None]:
        try:
            yield
        except (OSError, ValueError, arrow().ArrowException) as error:
            raise TargetError(f"{self._directory} {how}: {error}") from error


class _Edit:
    """A step on its way into the files."""

    def __init__(self, target: FilesTarget, manifest: Manifest, at: datetime) -> None:
        self._target = target
        self._checkpoints = manifest.checkpoints
        self._files = {table: list(names) for table, names in manifest.files.items()}
        self._number = manifest.number
        self._at = at

    def merge(self, rows: Rows) -> Written:
        """How many objects were new or changed, once they are stored as `Rows` says."""
        there = self._taken(rows.table, rows.batch.column("id"))
        if not there:
            name = self._added(rows.table, arrow().Table.from_batches([with_ours(rows, self._at)]))
            self._files.setdefault(rows.table.collection, []).append(name)
            return Written(new=rows.batch.num_rows)
        come = {one["id"]: one for one in rows.batch.to_pylist()}
        names = [name for name in rows.table.kinds if name != "id" and (rows.listed or name in rows.sent)]
        ours = {SYNCED_AT: self._at, DELETED_AT: None}
        changed: list[dict[str, Any]] = []
        for id, old in there.items():
            new = come.pop(id)
            if _is_to_be_stored(rows, names, old, new):
                changed.append(
                    {**old, **{name: new[name] for name in names}, **ours, LISTED: old[LISTED] or rows.listed}
                )
        added = [{**one, **ours, LISTED: rows.listed} for one in come.values()]
        self._replace(rows.table, changed, added)
        return Written(new=len(added), changed=len(changed))

    def delete(self, table: Table, ids: Sequence[str]) -> int:
        """How many of the objects were there, to be marked or removed."""
        there = self._taken(table, arrow().array(ids, arrow().string()))
        gone = [one for one in there.values() if self._target.removes() or one[DELETED_AT] is None]
        marked = [] if self._target.removes() else [{**one, DELETED_AT: self._at, SYNCED_AT: self._at} for one in gone]
        self._replace(table, marked, [], {one["id"] for one in gone})
        return len(gone)

    def finish(self, checkpoints: Mapping[str, str | None]) -> None:
        """Make all of it count."""
        files = {table: tuple(names) for table, names in self._files.items()}
        kept = {part: text for part, text in {**self._checkpoints, **checkpoints}.items() if text is not None}
        self._target.replace_manifest(Manifest(FORMAT, kept, files, self._number))

    def _taken(self, table: Table, ids: Any) -> dict[str, dict[str, Any]]:
        """Those of the objects that are there."""
        pc = arrow_compute()

        there: dict[str, dict[str, Any]] = {}
        for name in self._files.get(table.collection, ()):
            found = pc.is_in(self._target.ids_in(name, table), value_set=ids)
            if pc.any(found).as_py():
                there.update((one["id"], one) for one in self._target.file(name, table).filter(found).to_pylist())
        return there

    def _replace(
        self, table: Table, changed: list[dict[str, Any]], added: list[dict[str, Any]], gone: set[str] | None = None
    ) -> None:
        """Rewrite the files that some objects are in without these, and write a file of those that are to be there."""
        pc = arrow_compute()

        ids = arrow().array(sorted({one["id"] for one in changed} | (gone or set())), arrow().string())
        names = self._files.setdefault(table.collection, [])
        for place, name in enumerate(list(names) if len(ids) else ()):
            found = pc.is_in(self._target.ids_in(name, table), value_set=ids)
            if pc.any(found).as_py():
                kept = self._target.file(name, table).filter(pc.invert(found))
                names[place] = self._added(table, kept) if kept.num_rows else ""
        names[:] = filter(None, names)
        if changed or added:
            rows = arrow().Table.from_pylist([*changed, *added], schema=whole_schema(table))
            names.append(self._added(table, rows))

    def _added(self, table: Table, rows: Any) -> str:
        name = f"{table.collection}/{self._number:08}{self._target.suffix}"
        self._number += 1
        self._target.add_file(name, table, rows)
        return name


def _is_to_be_stored(rows: Rows, names: Sequence[str], old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    differs = any(old[name] != new[name] for name in names)
    if rows.listed:
        return differs or old[DELETED_AT] is not None or not old[LISTED]
    if "updated_at" not in rows.sent:
        return differs and not old[LISTED]
    was, is_now = old["updated_at"], new["updated_at"]
    return differs and is_now is not None and (was is None or is_now > was)


def whole_schema(table: Table) -> Any:
    """The schema of a table's files."""
    pa = arrow()
    instant = pa.timestamp("us", "UTC")
    ours = [pa.field(SYNCED_AT, instant), pa.field(DELETED_AT, instant), pa.field(LISTED, pa.bool_())]
    return pa.schema([*table.schema, *ours])


def _bring_to_disk(path: Path) -> None:
    """Make sure that what was written is on the disk."""
    number = os.open(path, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
