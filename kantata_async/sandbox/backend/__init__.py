"""The API without the wire: from a method, a path and a body to an answer.

service               all of it
paths                 which operation a method and a path name
query_string          what a query asks for
validation            bodies, checked against the catalogue
routes                which handler carries out an operation
standard_handlers     list, show, create, update and delete
subjects              what each subject of the API does beyond these
company               the store, and the rules by which operations read and answer it
store                 records by id, and what refers to them
writing               objects created, changed and deleted
rules                 how the objects of a collection behave
blanks                the empty record of each collection
references            which collection an id refers to
associations          the ids of an association
lists                 which objects a list gives, in which order, on which page
filters               which rule each filter has
predicates            what these rules are made of
custom_value_filters  filters by the values of custom fields
sort_keys             what the sort fields of lists compare
presenting            the envelope of an answer
answer                an answer
refusals              requests that are refused, and why
change_feed           an event for every change
files                 files that the server keeps
contents              what these files hold
uploads               files that come with a request
pdf                   the smallest PDF
account               the account, and the administrator whose token it is
clock                 the time of the server
switches              what the documentation leaves open, or is up to an account
inflection            plurals, singulars and class names
"""

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
