"""Answers of the API, made small: what a test says of them, and the envelope around it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

Json = dict[str, Any]


def envelope(matches: Sequence[tuple[str, str | int]], **collections: Iterable[Json]) -> Json:
    """An answer whose `results` are (key, id) in this order, and whose collections hold these objects by their ids."""
    return {
        "count": len(matches),
        "results": [{"key": key, "id": id} for key, id in matches],
        **{key: {str(one["id"]): one for one in objects} for key, objects in collections.items()},
        "meta": {"count": len(matches), "page_count": 1, "page_number": 1, "page_size": 20},
    }
