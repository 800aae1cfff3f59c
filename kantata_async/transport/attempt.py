"""One attempt to send a request, and what is known of it."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import attrs

from ..errors import KantataError
from ..turns import Slot
from .hidden import HiddenToken

_NO_HEADERS: Final[Mapping[str, str]] = MappingProxyType({})


class Phase(enum.Enum):
    """How far an attempt got."""

    NOT_SENT = "not sent"
    """No connection could be made: nothing can have reached the server."""
    SENT = "sent"
    """Perhaps written, at least in part; no complete status line and headers came."""
    CUT = "cut"
    """Status and headers of a success came, its body was lost."""
    ANSWERED = "answered"
    """The answer came: all of a success, at least the status and the headers of anything else."""


@attrs.define
class Attempt:
    """The record of an attempt, filled in along the way, so that what is known is there however the attempt ends.

    Attributes:
        phase: how far it got.
        status: the status of the answer; 0 until its headers came.
        headers: the headers of the answer, under names that ignore case.
        body: the body of the answer, decompressed.
        error: why there is no whole answer; None where there is one.
        hopeless: whether it would fail in the same way again, as with a certificate that is not trusted.
        token: the token that it was sent with.
        carried: the other headers that it was sent with.
        began: when it got its slot, on the event loop's clock; 0 until then.
        slot: held while it is under way; None until then.
    """

    phase: Phase = Phase.NOT_SENT
    status: int = 0
    headers: Mapping[str, str] = attrs.field(default=_NO_HEADERS, repr=False)
    body: bytes = attrs.field(default=b"", repr=False)
    error: KantataError | None = None
    hopeless: bool = False
    token: HiddenToken | None = None
    carried: Mapping[str, str] = attrs.field(default=_NO_HEADERS, repr=False)
    began: float = 0.0
    slot: Slot | None = attrs.field(default=None, repr=False)
