"""The answer to a request."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs
import msgspec

from .contents import Extent

JSON = "application/json"


@attrs.frozen
class Answer:
    """A status and a body, not yet on the wire; `extent` is a body that is sent piece by piece instead."""

    status: int
    body: bytes = b""
    content_type: str = JSON
    headers: Mapping[str, str] = attrs.field(factory=dict)
    extent: Extent | None = None


def json_answer(payload: Any, status: int = 200) -> Answer:
    """An answer with a JSON body."""
    return Answer(status, msgspec.json.encode(payload))
