"""The API without the wire: from a method, a path and a body to an answer."""

from __future__ import annotations

from .account import ACCOUNT, ME
from .answer import JSON, Answer, json_answer
from .blanks import blanks
from .clock import BASE_TIME, Clock
from .company import Company
from .contents import Extent, MadeContent, tag_of
from .files import FOLDER, StoredFile
from .inflection import class_of_collection, collection_of_class
from .pdf import page_of
from .references import References, refer
from .refusals import Refusal, malformed, missing, unauthorized
from .service import ServedAnswer, Service
from .store import Record, SavedRecords, Store
from .subjects.attachments import UPLOADED, keep_file, make_file, receive_upload
from .switches import Consent, Switches
from .uploads import UploadedFile
from .writing import create

__all__ = [
    "ACCOUNT",
    "BASE_TIME",
    "FOLDER",
    "JSON",
    "ME",
    "UPLOADED",
    "Answer",
    "Clock",
    "Company",
    "Consent",
    "Extent",
    "MadeContent",
    "Record",
    "References",
    "Refusal",
    "SavedRecords",
    "ServedAnswer",
    "Service",
    "Store",
    "StoredFile",
    "Switches",
    "UploadedFile",
    "blanks",
    "class_of_collection",
    "collection_of_class",
    "create",
    "json_answer",
    "keep_file",
    "make_file",
    "malformed",
    "missing",
    "page_of",
    "receive_upload",
    "refer",
    "tag_of",
    "unauthorized",
]
