"""Answers read: from bytes to linked objects, the quick way where an answer is laid out as those before it.

The quick way decodes into types that hold exactly what such answers were sent with, all of it checked on the way. What
does not fit is read the careful way, which takes any answer, says what is wrong with a malformed one, and teaches the
quick way what it had not met.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

import orjson

from ..model import Entity, Graph, Page
from .absorbing import absorb
from .envelope import ClassOf, Envelope, open_envelope
from .gc_pause import collector_paused

if TYPE_CHECKING:
    from .learnt_answer import Form


class Reader:
    """Reads answers, and learns how they are laid out.

    Args:
        class_of: the entity class of a collection; None for one that the catalogue does not know.
        spelt: leave points in time and dates as the texts they come as, for those who make columns of them.
    """

    def __init__(self, class_of: ClassOf, *, spelt: bool = False) -> None:
        self.class_of: Final = class_of
        self._spelt: Final = spelt
        self._met: frozenset[str] = frozenset()
        self._form: Form | None = None

    def decode(self, text: bytes | bytearray | memoryview | str) -> Any:
        """What the bytes of an answer say: taken apart already, or else as JSON has it.

        Raises orjson.JSONDecodeError for what is not JSON.
        """
        return (self._form and self._form.decode(text)) or orjson.loads(text)

    def open(self, data: Any) -> Envelope:
        """Take apart what `decode` gave; learns from what is laid out otherwise than what came before.

        Raises InvalidResponseError saying what is wrong with the envelope.
        """
        if isinstance(data, Envelope):
            return data
        known = None if self._form is None else self._form.convert(data)
        if known is not None:
            return known
        envelope = open_envelope(data, self.class_of)
        self._learn(envelope)
        return envelope

    def _learn(self, envelope: Envelope) -> None:
        """Take note of how an answer is laid out that did not fit."""
        classes = {key: cls for key in envelope.collections if (cls := self.class_of(key)) is not None}
        if len(classes) < len(envelope.collections):
            # Of names that the catalogue does not know there may be any number.
            return
        if not self._met.issuperset(classes):
            # What comes once is not worth it.
            self._met |= classes.keys()
            return
        from .learnt_answer import Form  # noqa: PLC0415 - a program that asks each thing once never needs it

        form = self._form or Form(spelt=self._spelt)
        if form.odd.isdisjoint(classes):
            learnt = form.learn(envelope, classes, {name for name in envelope.extra if self.class_of(name) is not None})
            # What does not fit although there is nothing to learn from it never will.
            self._form = learnt if learnt != form else form.without(classes)

    def page(self, data: Any, *, includes: Iterable[str] | None = None, graph: Graph | None = None) -> Page[Entity]:
        """Make the page of what `decode` gave, in a graph of its own unless one is given to grow.

        Raises InvalidResponseError saying what is wrong with the envelope.
        """
        with collector_paused():
            envelope = self.open(data)
            graph = Graph() if graph is None else graph
            items = absorb(graph, envelope, includes)
        return Page(items, envelope.meta, graph, envelope.extra)
