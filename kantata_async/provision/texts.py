"""Texts as people type them, made comparable: pure.

A Mac decomposes letters, spreadsheets keep spaces and marks that nobody sees; neither makes it another name.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from difflib import SequenceMatcher
from functools import lru_cache
from typing import Final

_INVISIBLE: Final = frozenset({"Cf", "Cc"})
_JOINERS: Final = frozenset("\N{ZERO WIDTH JOINER}\N{ZERO WIDTH NON-JOINER}")
_ALIKE: Final = 0.8
"""From this ratio on, one of two texts may be a slip of the other."""
_AS_NEAR: Final = 0.05
_MOST_LISTED: Final = 12


def tidy(text: str) -> str:
    """A text in composed form, without what nobody sees, and without spaces around it."""
    if text.isascii() and text.isprintable():
        return text.strip()
    composed = unicodedata.normalize("NFC", text)
    return "".join(char for char in composed if _visible(char)).strip()


def _visible(char: str) -> bool:
    return char in _JOINERS or char.isspace() or unicodedata.category(char) not in _INVISIBLE


def folded(text: str) -> str:
    """What the spellings of one name have in common, whatever their case, invisible marks and spaces."""
    seen = "".join(char for char in tidy(text) if char not in _JOINERS)
    return unicodedata.normalize("NFC", " ".join(seen.split()).casefold())


@lru_cache(maxsize=1024)
def coded(text: str) -> str:
    """A text as the API spells names and values: ``Edit Tasks`` and ``edit-tasks`` are ``edit_tasks``."""
    parts = "".join(char if char.isalnum() else " " for char in folded(text))
    return "_".join(parts.split())


def hint(text: str, known: Iterable[str]) -> str:
    """The tail of a message that offers the one name that is near, or all where they are few.

    A name that is only somewhat similar is not offered: accepting it would write what nobody meant.
    """
    names = list(dict.fromkeys(known))
    near = nearest(text, names)
    if near:
        return f"; did you mean {' or '.join(map(repr, near))}?"
    return f"; there are {', '.join(names)}" if 0 < len(names) <= _MOST_LISTED else ""


def nearest(text: str, known: Iterable[str]) -> list[str]:
    """The names that a text may be a slip of: the nearest, and the next where that is as near."""
    return Spellings(known).near(text)


class Spellings:
    """Names in which to look for those that a text may be a slip of."""

    def __init__(self, names: Iterable[str]) -> None:
        self._spelled = [(folded(name), name) for name in dict.fromkeys(names)]

    def near(self, text: str) -> list[str]:
        """The nearest name, and the next where that is as near; none where nothing is near."""
        matcher = SequenceMatcher(b=folded(text), autojunk=False)
        found = []
        for spelled, name in self._spelled:
            matcher.set_seq1(spelled)
            bounds = (matcher.real_quick_ratio, matcher.quick_ratio, matcher.ratio)
            if all(bound() >= _ALIKE for bound in bounds):
                found.append((matcher.ratio(), name))
        found.sort(key=lambda one: -one[0])
        return [name for likeness, name in found[:2] if found[0][0] - likeness < _AS_NEAR]
