"""Spans of time that a copy reads, in whole seconds since 1970: the API's timestamps have no finer ones.

It is not documented whether the API's `after` and `before` include the second that they name. A span is asked for in
such a way that it is covered either way; what lies in the second before it may come too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Final

import attrs

EARLIEST: Final = int(datetime(2008, 1, 1, tzinfo=UTC).timestamp())
"""Before the first account: where a span without a beginning is cut as if it began."""


@attrs.frozen
class Span:
    """From one second up to, but without, another one; None is without end."""

    after: int | None = None
    before: int | None = None

    def __str__(self) -> str:
        return f"{'' if self.after is None else wire(self.after)}..{'' if self.before is None else wire(self.before)}"

    @property
    def halves(self) -> tuple[Span, Span] | None:
        """Both halves; None for a span that is too short, or has no end."""
        if self.before is None:
            return None
        middle = ((EARLIEST if self.after is None else self.after) + self.before) // 2
        if not (self.after is None or self.after < middle) or middle >= self.before:
            return None
        return Span(self.after, middle), Span(middle, self.before)

    def covering(self, field: str) -> Iterator[tuple[str, str]]:
        """The filters that give at least what lies in the span, by `updated` or `created`."""
        if self.after is not None:
            yield f"{field}_after", wire(self.after - 1)
        if self.before is not None:
            yield f"{field}_before", wire(self.before)

    def between(self, field: str) -> Iterator[tuple[str, str]]:
        """The filters that give what lies between two seconds in which nothing lies: the same either way."""
        if self.after is not None:
            yield f"{field}_after", wire(self.after)
        if self.before is not None:
            yield f"{field}_before", wire(self.before)


def merged(counted: Iterable[tuple[Span, int]], most: int) -> list[Span]:
    """Spans that follow each other, joined as long as they have at most so many objects together."""
    spans: list[Span] = []
    together = 0
    for span, count in counted:
        if spans and together + count <= most:
            spans[-1] = Span(spans[-1].after, span.before)
            together += count
        else:
            spans.append(span)
            together = count
    return spans


def second_of(text: str) -> int:
    """The second that a text of the API names; one without an offset is in UTC."""
    at = datetime.fromisoformat(text)
    return int((at if at.tzinfo is not None else at.replace(tzinfo=UTC)).timestamp())


def wire(second: int) -> str:
    """A second as the API takes it."""
    return datetime.fromtimestamp(second, UTC).isoformat().replace("+00:00", "Z")
