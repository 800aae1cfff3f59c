"""Attachments: uploaded in one request, or in three steps around the API; renamed, and detached from their objects."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any, Final

from ..answer import Answer
from ..company import Company, ParsedRequest
from ..contents import MadeContent, StoredContent
from ..files import Files
from ..predicates import Predicate
from ..refusals import Refusal, invalid, invalid_field, missing
from ..routes import route
from ..rules import CollectionRules, declare
from ..standard_handlers import existing
from ..store import Record, Store
from ..uploads import UploadedFile
from ..writing import create, destroy

KIND: Final = "attachments"
UPLOADED: Final = "uploads"
UPLOAD_WITHIN: Final = timedelta(seconds=5)
HANGING: Final = (("expenses", "receipt_id"), ("posts", "attachment_ids"), ("stories", "attachment_ids"))

_PLAIN_NAME: Final = re.compile(r"[A-Za-z0-9._-]+")


def _named(store: Store, value: Any) -> Predicate:
    """Associations of files whose name contains a text."""
    wanted, files = str(value).casefold(), store.records("attachments")

    def keep(record: Record) -> bool:
        reference = record.get("asset_object_ref") or {}
        file = files.get(reference.get("id") or "", {}) if reference.get("key") == "attachments" else {}
        return wanted in str(file.get("filename") or "").casefold()

    return keep


declare("user_file_associations", CollectionRules(filters={"filename": _named}))
declare("attachments", CollectionRules(files=("url",)))


@route("POST", "/attachments")
def attach(company: Company, call: ParsedRequest) -> Answer:
    """Take a file, or say where to send it.

    A direct upload is answered with the attachment, with `action`, where the file goes, and `fields`, what goes along.
    """
    body = company.body(call, "direct")
    given = {**body.get("attachment", {}), **({"direct": body["direct"]} if "direct" in body else {})}
    checked = company.check(call, "attachments", given)
    if checked.errors:
        raise Refusal(422, checked.errors)
    values = checked.values
    if values.get("direct"):
        return _expect(company, call, values)
    data = values.get("data")
    if not isinstance(data, UploadedFile):
        raise invalid("data can't be blank", "data")
    made = create(company.store, "attachments", {"type": values["type"], "previewable": True, "deletable": True})
    keep_file(company.store, company.files, made, data)
    return company.present(call, [made])


def _expect(company: Company, call: ParsedRequest, values: Record) -> Answer:
    name = str(values.get("filename") or "")
    if not _PLAIN_NAME.fullmatch(name):
        raise Refusal(422, [invalid_field("filename must have no spaces or special characters", "filename")])
    made = create(company.store, "attachments", {"type": values["type"], "filename": name})
    fields = {"key": f"{UPLOADED}/{made}/{name}", "success_action_status": "204"}
    also = {"action": company.files.origin + f"/{UPLOADED}/{made}", "fields": fields}
    return company.present(call, [made], also=also)


def receive_upload(company: Company, identity: str, form: Record, began: datetime) -> None:
    """Take the file of a direct upload, which does not come through the API; `began` is when it began to come.

    Raises:
        Refusal: the upload is late, or was not asked for.
    """
    record = company.store.records("attachments").get(identity)
    data = form.get("file")
    if record is None or record["url"] is not None:
        raise missing("upload")
    if began - datetime.fromisoformat(record["created_at"]) > UPLOAD_WITHIN:
        raise Refusal(403, [{"type": "system", "message": "The time for the upload is over"}])
    if not isinstance(data, UploadedFile) or form.get("key") != f"{UPLOADED}/{identity}/{record['filename']}":
        raise invalid("The form lacks its key or its file")
    company.files.put(UPLOADED, identity, record["filename"], data.content, data.content_type)


@route("PUT", "/attachments/{id}/sync")
def sync(company: Company, call: ParsedRequest) -> Answer:
    """Take over the file of a direct upload; there must be one."""
    record = existing(company, "attachments", call.id)
    sent = company.files.held(UPLOADED, call.id)
    if sent is None:
        if record["url"] is None:
            raise invalid("The file has not been uploaded")
        return company.changed(call, call.id)
    company.files.remove(UPLOADED, call.id)
    _place(company.store, company.files, call.id, record["filename"], sent.content, sent.content_type)
    return company.changed(call, call.id)


@route("PUT", "/attachments/{id}")
def rename(company: Company, call: ParsedRequest) -> Answer:
    """Give an attachment another name."""
    record = existing(company, "attachments", call.id)
    name = company.checked(call, "attachments").get("filename") or record["filename"]
    held = company.files.held(KIND, call.id)
    if held is None:
        company.store.update("attachments", call.id, {"filename": name})
    else:
        _place(company.store, company.files, call.id, name, held.content, held.content_type)
    return company.changed(call, call.id)


@route("DELETE", "/attachments/{id}")
def detach(company: Company, call: ParsedRequest) -> Answer:
    """Detach an attachment from its object, and delete it."""
    store = company.store
    destroy(store, "attachments", call.id)
    company.files.remove(KIND, call.id)
    for collection, attribute in HANGING:
        for found in store.referring(collection, attribute, call.id):
            held = store.records(collection)[found][attribute]
            left = [other for other in held if other != call.id] if isinstance(held, list) else None
            store.update(collection, found, {attribute: left})
    return Answer(call.operation.status)


def keep_file(store: Store, files: Files, identity: str, file: UploadedFile) -> None:
    """Give an attachment its file."""
    _place(store, files, identity, file.filename, file.content, file.content_type)


def make_file(store: Store, files: Files, identity: str, size: int) -> None:
    """Give an attachment a file of so many bytes, made as they are read.

    Raises:
        Refusal: 404 where there is no such attachment.
    """
    record = store.records("attachments").get(identity)
    if record is None:
        raise missing("attachment")
    _place(store, files, identity, record["filename"], MadeContent(size, int(identity)), "application/octet-stream")


def _place(store: Store, files: Files, identity: str, name: str, content: StoredContent, content_type: str) -> None:
    path = files.put(KIND, identity, name, content, content_type)
    store.update("attachments", identity, {"filename": name, "filesize": len(content), "url": path})
