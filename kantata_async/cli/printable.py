"""JSON as a terminal may be given it: without anything that it would take for a command. Pure."""

from __future__ import annotations

import json
from typing import Any

import msgspec


def printable_json(value: Any) -> str:
    """A value as JSON in one line; what is not printable is escaped, so that it is read back as it was."""
    text = msgspec.json.encode(value).decode()
    return text if text.isprintable() else "".join(map(_escaped, text))


def _escaped(character: str) -> str:
    return character if character.isprintable() else json.dumps(character)[1:-1]
