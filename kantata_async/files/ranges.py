"""What to ask for after a file broke off, and which part of the file an answer holds. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

import attrs

_CONTENT_RANGE: Final = re.compile(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18}|\*)")
_SIZE: Final = re.compile(r"\d{1,18}", re.ASCII)


@attrs.frozen
class HeldBytes:
    """What came of a file so far.

    Attributes:
        size: how many bytes.
        total: how many the file has; None while nobody knows.
        tag: what names the file as it is, so that the rest can be asked for; None where nothing does.
    """

    size: int = 0
    total: int | None = None
    tag: str | None = None

    @property
    def can_go_on(self) -> bool:
        """Whether the rest can be asked for."""
        return self.size > 0 and self.tag is not None and (self.total is None or self.size < self.total)


@attrs.frozen
class Portion:
    """The part of a file that an answer holds: from which byte, of how many, and of which file."""

    first: int
    total: int | None
    tag: str | None


def asking_for(held: HeldBytes) -> dict[str, str]:
    """The headers that ask for the rest of a file, or for all of it where that cannot be."""
    if not held.can_go_on or held.tag is None:
        return {}
    return {"Range": f"bytes={held.size}-", "If-Range": held.tag}


def portion_of(status: int, headers: Mapping[str, str], held: HeldBytes, *, compressed: bool) -> Portion | None:
    """The part that a success holds: the rest of what was asked for, or all; None where it holds something else."""
    tag = _tag_of(headers, compressed=compressed)
    if status == 200:
        size = headers.get("content-length", "")
        return Portion(0, int(size) if _SIZE.fullmatch(size) and not compressed else None, tag)
    part = _CONTENT_RANGE.fullmatch(headers.get("content-range", "").strip())
    if status != 206 or part is None or compressed or not held.can_go_on:
        return None
    first, total = int(part[1]), None if part[3] == "*" else int(part[3])
    is_the_rest = first == held.size and (None in (total, held.total) or total == held.total)
    is_the_same = headers.get("etag", held.tag) == held.tag
    return Portion(first, held.total if total is None else total, held.tag) if is_the_rest and is_the_same else None


def _tag_of(headers: Mapping[str, str], *, compressed: bool) -> str | None:
    """The strong ETag of a file; None where there is none, or the server says that it gives no parts."""
    tag = headers.get("etag", "")
    gives_parts = headers.get("accept-ranges", "bytes").strip().lower() != "none"
    return tag if gives_parts and tag.startswith('"') and not compressed else None
