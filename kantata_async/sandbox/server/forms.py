"""Form bodies as Rails reads them: `attachment[data]` means the key `data` of the object `attachment`."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from ..backend import UploadedFile


def nest(fields: Iterable[tuple[str, str | UploadedFile]]) -> dict[str, Any]:
    """The nested body that flat form fields mean; `name[]` collects a list."""
    body: dict[str, Any] = {}
    for name, value in fields:
        first, _, rest = name.partition("[")
        keys = [first, *re.findall(r"([^\[\]]*)\]", rest)]
        _place(body, keys, value)
    return body


def _place(target: dict[str, Any], keys: list[str], value: str | UploadedFile) -> None:
    key, rest = keys[0], keys[1:]
    if not rest:
        target[key] = value
    elif rest == [""]:
        collected = target.setdefault(key, [])
        if isinstance(collected, list):
            collected.append(value)
    else:
        inner = target.setdefault(key, {})
        if isinstance(inner, dict):
            _place(inner, rest, value)
