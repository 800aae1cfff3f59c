"""Texts of others as a terminal may be given them: without anything that it would take for a command. Pure."""

from __future__ import annotations

import json
from typing import Any

import msgspec


def printable(text: str) -> str:
    """A text in one line, with a space for everything that is not printable."""
    return "".join(character if character.isprintable() else " " for character in text)


def printable_json(value: Any) -> str:
    """A value as JSON in one line; what is not printable is escaped, so that it is read back as it was."""
    text = msgspec.json.encode(value).decode()
    return text if text.isprintable() else "".join(map(_escaped, text))


def _escaped(character: str) -> str:
    return character if character.isprintable() else json.dumps(character)[1:-1]
