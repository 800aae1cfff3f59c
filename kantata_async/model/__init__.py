"""What is read: entities, what they are associated with, the graph that links them, and a page of them.

Pure: no I/O, no event loop.

json_values    single values, as JSON has them and as Python has them
nesting        values nested however deep
association    which objects an object refers to
provenance     what an object knows of the requests that brought it
attributes     what the class of an entity declares
entity_class   an object of the API
storing        what fills entities, which are frozen to everybody else
snapshot       entities carried elsewhere, with all that they are linked to
graph          objects linked to each other
page           one answer as a caller gets it
tables         entities as the columns of a table
natural_key    what makes an object the same object
"""

from __future__ import annotations

from .association import Association, Links
from .attributes import (
    Attribute,
    Note,
    Nullable,
    day,
    identifier,
    identifiers,
    instant,
    many,
    nested,
    one,
    plain,
    reference,
)
from .entity_class import Entity, UnknownEntity, entity, plain_column, plain_data, text_of, value_of
from .graph import Graph, graph_of, graphs_of
from .json_values import (
    Instant,
    Redact,
    Ref,
    brief_repr,
    brief_text,
    parse_json,
    read_day,
    read_id,
    read_ids,
    read_instant,
    read_ref,
)
from .natural_key import NaturalKey
from .nesting import plain_copy
from .page import Meta, Page
from .provenance import AskedFor, Matches, ids_by_collection
from .storing import ABSENT, begin, store, unlink
from .tables import columns

__all__ = [
    "ABSENT",
    "AskedFor",
    "Association",
    "Attribute",
    "Entity",
    "Graph",
    "Instant",
    "Links",
    "Matches",
    "Meta",
    "NaturalKey",
    "Note",
    "Nullable",
    "Page",
    "Redact",
    "Ref",
    "UnknownEntity",
    "begin",
    "brief_repr",
    "brief_text",
    "columns",
    "day",
    "entity",
    "graph_of",
    "graphs_of",
    "identifier",
    "identifiers",
    "ids_by_collection",
    "instant",
    "many",
    "nested",
    "one",
    "parse_json",
    "plain",
    "plain_column",
    "plain_copy",
    "plain_data",
    "read_day",
    "read_id",
    "read_ids",
    "read_instant",
    "read_ref",
    "reference",
    "store",
    "text_of",
    "unlink",
    "value_of",
]
