"""What files hold: bytes that are kept, or bytes that are made as they are read, for files larger than memory."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator
from functools import cached_property
from typing import Final

import attrs

_PIECE: Final = 1 << 16
_BLOCK: Final = 65_521
"""The length of the bytes that are repeated: a prime, so that no round position begins with the same ones."""


@attrs.define(slots=False, frozen=True)
class MadeContent:
    """Bytes that are the same whenever they are made: as many as `size` says, and others for another seed."""

    size: int
    seed: int = 0

    def __len__(self) -> int:
        return self.size

    @cached_property
    def _block(self) -> bytes:
        return random.Random(self.seed).randbytes(_BLOCK)  # noqa: S311 - a filling, not a secret

    def __getitem__(self, span: slice) -> bytes:
        first, last, _ = span.indices(self.size)
        start = first % _BLOCK
        needed = max(0, last - first)
        return (self._block * (1 + (start + needed) // _BLOCK))[start : start + needed]


StoredContent = bytes | MadeContent


def tag_of(content: StoredContent) -> str:
    """What tells a content from another one."""
    if isinstance(content, MadeContent):
        return f"made-{content.seed}-{content.size}"
    return hashlib.sha256(content).hexdigest()[:16]


@attrs.frozen
class Extent:
    """A part of a content, from the first to the last byte, both in it."""

    content: StoredContent
    first: int
    last: int

    def __len__(self) -> int:
        return self.last + 1 - self.first

    def pieces(self, size: int | None = None) -> Iterator[bytes]:
        """The bytes in pieces; the first `size` of them alone where that is given."""
        end = self.last + 1 if size is None else min(self.last + 1, self.first + size)
        for start in range(self.first, end, _PIECE):
            yield self.content[start : min(start + _PIECE, end)]
