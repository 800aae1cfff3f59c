"""Texts of others in one line, without anything that a terminal or a log would take for more than text."""

from __future__ import annotations


def printable(text: str, instead: str = "\N{REPLACEMENT CHARACTER}") -> str:
    """A text with `instead` for every character that is not printable."""
    return text if text.isprintable() else "".join(one if one.isprintable() else instead for one in text)


def escaped(text: str) -> str:
    """A text with every character that is not printable spelt as Python spells it."""
    return text if text.isprintable() else "".join(one if one.isprintable() else ascii(one)[1:-1] for one in text)
