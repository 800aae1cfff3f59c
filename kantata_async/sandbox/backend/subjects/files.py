"""Attachments."""

from __future__ import annotations

from typing import Any

from ..predicates import Predicate
from ..routes import route
from ..rules import Values, declare
from ..store import Record, Store
from ..uploads import UploadedFile
from .setting import setting


def _name_and_size(_: Store, values: Values) -> Values:
    data = values.get("data")
    return {"filename": data.filename, "filesize": len(data.content)} if isinstance(data, UploadedFile) else {}


def _named(store: Store, value: Any) -> Predicate:
    """Associations of files whose name has a text in it."""
    wanted, files = str(value).casefold(), store.records("attachments")

    def keep(record: Record) -> bool:
        reference = record.get("asset_object_ref") or {}
        file = files.get(reference.get("id") or "", {}) if reference.get("key") == "attachments" else {}
        return wanted in str(file.get("filename") or "").casefold()

    return keep


declare("user_file_associations", filters={"filename": _named})
declare("attachments", meaning=_name_and_size)
route("PUT", "/attachments/{id}/sync")(setting(synced=True))
