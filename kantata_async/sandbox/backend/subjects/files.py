"""Attachments."""

from __future__ import annotations

from ..routes import route
from ..rules import Values, declare
from ..store import Store
from ..uploads import UploadedFile
from .setting import setting


def _name_and_size(_: Store, values: Values) -> Values:
    data = values.get("data")
    return {"filename": data.filename, "filesize": len(data.content)} if isinstance(data, UploadedFile) else {}


declare("attachments", meaning=_name_and_size)
route("PUT", "/attachments/{id}/sync")(setting(synced=True))
