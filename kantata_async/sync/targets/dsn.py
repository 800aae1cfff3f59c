"""Connection strings of PostgreSQL: what of one may be shown, and what may not. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import parse_qsl, unquote, urlsplit

_SCHEME: Final = re.compile(r"(?i)postgres(?:ql)?://")
_PAIR: Final = re.compile(r"(\w+)\s*=\s*('(?:[^'\\]|\\.)*'|\S*)")
_SECRET: Final = frozenset({"password", "passfile", "sslpassword"})
_SHORTEST: Final = 3
"""Characters of a piece of a password that is looked for: shorter ones are in any text."""


def shown(dsn: str) -> str:
    """The host and the database that a connection string names."""
    scheme = _SCHEME.match(dsn)
    if scheme is None:
        pairs = _pairs(dsn)
        return f"postgresql://{pairs.get('host', '')}/{pairs.get('dbname', '')}"
    try:
        # A password may hold anything, even an @: the host follows the last one.
        url = urlsplit(f"//{dsn[scheme.end() :].rpartition('@')[2].partition('?')[0]}")
        return f"{scheme[0]}{url.hostname or ''}{url.path}"
    except ValueError:
        return scheme[0]


def without_secrets(text: str, dsn: str) -> str:
    """A text about a connection string without the passwords that this has, or pieces of them."""
    for secret in sorted(_secrets(dsn), key=len, reverse=True):
        text = text.replace(secret, "***")
    return text


def _secrets(dsn: str) -> set[str]:
    scheme = _SCHEME.match(dsn)
    if scheme is None:
        found = [value for name, value in _pairs(dsn).items() if name in _SECRET]
    else:
        address, _, query = dsn[scheme.end() :].rpartition("?")
        found = [value for name, value in parse_qsl(query) if name in _SECRET]
        found += [one.rpartition("@")[0].partition(":")[2] for one in (dsn[scheme.end() :], address)]
    # What is wrong with a connection string is told by quoting what stands between two marks.
    pieces = {
        piece for secret in found for whole in (secret, unquote(secret)) for piece in (whole, *re.split(r"\W", whole))
    }
    return {piece for piece in pieces if len(piece) >= _SHORTEST}


def _pairs(dsn: str) -> Mapping[str, str]:
    return {name: value.strip("'") for name, value in _PAIR.findall(dsn)}
