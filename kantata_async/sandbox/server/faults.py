"""Faults on demand: what can go wrong between a client and the server, before or after a write is committed."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from typing import Literal

import attrs

from .path_patterns import matches

When = Literal["before", "after"]
FaultKind = Literal[
    "disconnect", "reset", "hang", "status", "proxy", "empty", "html", "truncated", "cut", "endless", "redirect"
]


@attrs.define(kw_only=True)
class Fault:
    """One thing that goes wrong, and for which requests.

    Attributes:
        kind: "disconnect" closes the connection without an answer, "reset" resets it, "hang" answers nothing for
            `seconds` and then closes it, "status" answers `status` with JSON errors, "proxy" an HTML page with
            502, 503 or 504 and no `x-request-id`, "empty" a `status` without a body, "html" a page of HTML,
            "truncated" half of the JSON as if it were all, "cut" half of it and then the connection's end, "endless"
            a body that never ends, "redirect" a 302 to the `Location` among `headers`.
        when: "before" anything is carried out, or "after" the request has been.
        method: The HTTP method it is about; None for any.
        path: The path it is about, as `path_patterns.matches` describes; None for any.
        times: How many requests it happens to; None for every one.
        probability: The chance that it happens to a request it is about.
        skip: How many such requests it lets pass first.
        status: The status of the answer, where the kind has one to choose.
        headers: Headers added to the answer.
        seconds: How long "hang" waits.
        size: How many bytes of the body "cut" sends; None for half of it.
    """

    kind: FaultKind = attrs.field(kw_only=False, validator=attrs.validators.in_(FaultKind.__args__))  # type: ignore[attr-defined]
    when: When = attrs.field(default="before", validator=attrs.validators.in_(("before", "after")))
    method: str | None = None
    path: str | None = None
    times: int | None = 1
    probability: float = 1.0
    skip: int = 0
    status: int | None = None
    headers: Mapping[str, str] = attrs.field(factory=dict)
    seconds: float = 60.0
    size: int | None = None


class Faults:
    """The faults still to come, in the order in which they were added."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)  # noqa: S311 - chance, not secrecy
        self._pending: list[Fault] = []

    def add(self, *faults: Fault) -> None:
        """Add faults; each is changed as it is used up."""
        self._pending.extend(faults)

    def clear(self) -> None:
        """Forget every fault that has not happened yet."""
        self._pending.clear()

    def __iter__(self) -> Iterator[Fault]:
        return iter(self._pending)

    def __len__(self) -> int:
        return len(self._pending)

    def strike(self, method: str, path: str) -> Fault | None:
        """The fault that happens to this request, if any; that uses it up."""
        for fault in self._pending:
            if matches(fault.method, fault.path, request_method=method, request_path=path) and self._happens(fault):
                return fault
        return None

    def _happens(self, fault: Fault) -> bool:
        if fault.skip:
            fault.skip -= 1
            return False
        if fault.probability < 1 and self._chance.random() >= fault.probability:
            return False
        if fault.times is not None:
            fault.times -= 1
            if fault.times <= 0:
                self._pending.remove(fault)
        return True
