"""Answers read: from bytes to linked objects, the quick way where an answer is laid out as those before it.

The quick way decodes into types that hold exactly what such answers were sent with, all of it checked on the way. What
does not fit is read attribute by attribute, which takes any answer, says what is wrong with a malformed one, and
teaches the quick way what is new. Either way the same functions make the entities.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from ..model import Entity, Graph, Page, Redact, parse_json
from .absorbing import absorb
from .answer_layout import AnswerLayout
from .envelope import ClassOf, Envelope, open_envelope
from .gc_pause import collector_paused
from .object_layout import ObjectLayout


class Reader:
    """Reads answers, and learns how they are laid out.

    Args:
        class_of: the entity class of a collection; None for one that the catalogue does not know.
        spelt: read ids alone, and leave all else as it comes, for those who make columns of it and no entities.
    """

    def __init__(self, class_of: ClassOf, *, spelt: bool = False) -> None:
        self.class_of: Final = class_of
        self._spelt: Final = spelt
        self._objects: dict[type[Entity], ObjectLayout] = {}
        self._met: frozenset[str] = frozenset()
        self._answers = AnswerLayout()

    def decode(self, text: bytes | bytearray | memoryview | str) -> Any:
        """What the bytes of an answer say: taken apart already, or else as JSON has it.

        Raises:
            ValueError: they are not JSON; the message quotes nothing of the text.
        """
        return (self._answers.objects and self._answers.decode(text)) or parse_json(text)

    def open(self, data: Any, *, redact: Redact = str) -> Envelope:
        """The answer that `decode` gave, taken apart; a layout that is new is learnt.

        Raises:
            InvalidResponseError: the envelope is malformed; what the message quotes went through `redact`.
        """
        if isinstance(data, Envelope):
            return data
        envelope = open_envelope(data, self.class_of, self._layout_of, redact)
        self._learn(envelope)
        return envelope

    def _layout_of(self, cls: type[Entity]) -> ObjectLayout:
        return self._objects.get(cls) or ObjectLayout(cls, spelt=self._spelt)

    def _learn(self, envelope: Envelope) -> None:
        """Take note of how an answer is laid out that did not fit."""
        for runs in envelope.collections.values():
            self._objects |= {objects.layout.cls: objects.layout for objects in runs}
        classes = {key: cls for key in envelope.collections if (cls := self.class_of(key)) is not None}
        if len(classes) < len(envelope.collections):
            # There may be any number of names that the catalogue does not know.
            return
        if not self._met.issuperset(classes):
            # A layout that comes once is not worth a decoder.
            self._met |= classes.keys()
            return
        ambiguous = {name for name in envelope.extra if self.class_of(name) is not None}
        self._answers = self._answers.learn(envelope, classes, ambiguous)

    def page(
        self,
        data: Any,
        *,
        includes: Iterable[str] | None = None,
        graph: Graph | None = None,
        redact: Redact = str,
    ) -> Page[Entity]:
        """The page of what `decode` gave, in a new graph unless one is given to grow.

        Raises:
            InvalidResponseError: as `open`.
        """
        if isinstance(data, Envelope) and len(data.matches) == 1 and len(data.matches[0][1]) == 1:
            # One object has been read before the collector would run.
            return _page_of(data, includes, graph)
        with collector_paused():
            return _page_of(self.open(data, redact=redact), includes, graph)


def _page_of(envelope: Envelope, includes: Iterable[str] | None, graph: Graph | None) -> Page[Entity]:
    graph = Graph() if graph is None else graph
    items = absorb(graph, envelope, includes)
    return Page(items, envelope.meta, graph, envelope.extra, envelope.response)
