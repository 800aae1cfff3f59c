"""The API without the wire: from a method, a path and a body to an answer."""

from __future__ import annotations

from .account import ACCOUNT, ME
from .answer import JSON, Answer, json_answer
from .clock import BASE_TIME, Clock
from .company import Company
from .inflection import class_of_collection, collection_of_class
from .references import References, refer
from .refusals import Refusal, malformed, missing, unauthorized
from .service import Outcome, Service
from .store import Record, Store
from .switches import Switches
from .uploads import UploadedFile
from .writing import create

__all__ = [
    "ACCOUNT",
    "BASE_TIME",
    "JSON",
    "ME",
    "Answer",
    "Clock",
    "Company",
    "Outcome",
    "Record",
    "References",
    "Refusal",
    "Service",
    "Store",
    "Switches",
    "UploadedFile",
    "class_of_collection",
    "collection_of_class",
    "create",
    "json_answer",
    "malformed",
    "missing",
    "refer",
    "unauthorized",
]
