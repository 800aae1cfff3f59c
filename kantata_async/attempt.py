"""What is known of one attempt to send a request."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import attrs

from .errors import KantataError
from .limits import Leave
from .retry import Phase

_NO_HEADERS: Final[Mapping[str, str]] = MappingProxyType({})


@attrs.define
class Attempt:
    """Filled in as the attempt goes, so that what is known is there however it ends.

    Attributes:
        phase: how far it came.
        status: of the answer; 0 until its headers came.
        headers: of the answer, under names that ignore case.
        body: of the answer, decompressed.
        error: why there is no whole answer; None where there is one.
        token: the one it was sent with.
        began: when it had its slot, on the event loop's clock; 0 until then.
        leave: what the slot took from the limits; None until then.
    """

    phase: Phase = Phase.NOT_SENT
    status: int = 0
    headers: Mapping[str, str] = attrs.field(default=_NO_HEADERS, repr=False)
    body: bytes = attrs.field(default=b"", repr=False)
    error: KantataError | None = None
    token: str = attrs.field(default="", repr=False)
    began: float = 0.0
    leave: Leave | None = attrs.field(default=None, repr=False)
