"""What is read: entities, what they are associated with, the graph that links them, and a page of them.

Pure: no I/O, no event loop.

json_values   single values, as JSON has them and as Python has them
association   which objects an object refers to
provenance    what an object knows of the answers it came in
entity        an object of the API
graph         objects linked to each other
page          one answer as a caller gets it
natural_key   what makes an object the same object
"""

from __future__ import annotations

from .association import Association, Links
from .entity import (
    Attribute,
    Entity,
    Note,
    Nullable,
    UnknownEntity,
    begin,
    begin_unknown,
    day,
    entity,
    fill,
    identifier,
    identifiers,
    instant,
    many,
    nested,
    one,
    plain,
    plain_data,
    read_value,
    reference,
    store,
    unlink,
)
from .graph import Graph, graph_of, graphs_of
from .json_values import Ref, read_day, read_id, read_ids, read_instant, read_ref, told, written
from .natural_key import NaturalKey
from .page import Meta, Page
from .provenance import Answer, Matches, ids_by_collection

__all__ = [
    "Answer",
    "Association",
    "Attribute",
    "Entity",
    "Graph",
    "Links",
    "Matches",
    "Meta",
    "NaturalKey",
    "Note",
    "Nullable",
    "Page",
    "Ref",
    "UnknownEntity",
    "begin",
    "begin_unknown",
    "day",
    "entity",
    "fill",
    "graph_of",
    "graphs_of",
    "identifier",
    "identifiers",
    "ids_by_collection",
    "instant",
    "many",
    "nested",
    "one",
    "plain",
    "plain_data",
    "read_day",
    "read_id",
    "read_ids",
    "read_instant",
    "read_ref",
    "read_value",
    "reference",
    "store",
    "told",
    "unlink",
    "written",
]
