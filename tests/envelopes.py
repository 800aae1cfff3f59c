"""Answers of the API, made small: what a test says of them, and the envelope around it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any, Final

from kantata_async import normalize

Json = dict[str, Any]

ADA: Final = {"id": "9", "full_name": "Ada Lovelace"}
LEAD: Final = {"id": "5", "title": "Lead"}
MEMBERSHIP: Final = {"id": "42", "user_id": "9", "workspace_role_id": "5", "role": "maven"}
DEEP: Final[Any] = json.loads('{"a": ' * 900 + "1" + "}" * 900)
"""A value nested nearly as deep as one that is read may be."""


def envelope(matches: Sequence[tuple[str, str | int]], **collections: Iterable[Json]) -> Json:
    """An answer whose `results` are (key, id) in this order, and whose collections hold these objects by their ids."""
    return {
        "count": len(matches),
        "results": [{"key": key, "id": id} for key, id in matches],
        **{key: {str(one["id"]): one for one in objects} for key, objects in collections.items()},
        "meta": {"count": len(matches), "page_count": 1, "page_number": 1, "page_size": 20},
    }


def only(payload: Any, **options: Any) -> Any:
    """The one match of an answer."""
    (item,) = normalize(payload, **options).items
    return item
