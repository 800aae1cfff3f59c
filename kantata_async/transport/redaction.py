"""The parts of an answer that may be shown: without secrets, on one line, and no longer than is worth reading.

A server may echo the request, as it came, encoded, or in the spelling of JSON, HTML or a URL. Whatever of an answer
ends up in an error, a log line or an event goes through here first.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Mapping
from html.entities import codepoint2name
from typing import Final

import msgspec
from multidict import CIMultiDict
from yarl import URL

from ..model import Redact
from ..printable import escaped

MASK: Final = "***"

_SECRET_NAME: Final = re.compile("auth|key|secret|token|password|cookie|signature", re.IGNORECASE)

_LEAST_TELLING: Final = 8
"""Characters of base64 by which a secret can be told from any other text."""

_MOST_TELLING: Final = 256
"""Characters of a secret that are looked for: a pattern for thousands of them would take seconds to be made."""

EXCERPT_WINDOW: Final = 1 << 18
"""Characters of a text from which an excerpt is taken: so many that, even redacted, they are more than any excerpt.

A secret that the window's end cuts in two is then never in the excerpt."""


class Redaction:
    """Replaces secrets in texts: ``redact(text)``. It knows every secret that was ever added."""

    def __init__(self) -> None:
        self._secrets: list[str] = []
        self._shortest = 0
        self._pattern: re.Pattern[str] | None = None

    def __repr__(self) -> str:
        return f"<Redaction of {len(self._secrets)} secrets>"

    def add(self, secret: str) -> None:
        """Redact this text from now on."""
        if secret in self._secrets:
            return
        # The longest first: a token may begin with another one.
        self._secrets = sorted([*self._secrets, secret], key=len, reverse=True)
        self._shortest = len(self._secrets[-1])
        self._pattern = None

    def __call__(self, text: str) -> str:
        """The text with each secret in it replaced, however it is spelt."""
        if not self._secrets or len(text) < self._shortest:
            return text
        if self._pattern is None:
            self._pattern = re.compile("|".join(map(_any_spelling, self._secrets)), re.IGNORECASE)
        return self._pattern.sub(MASK, text)

    def headers(self, headers: Mapping[str, str]) -> Mapping[str, str]:
        """Headers without those that are secret, under names that ignore case; one that came twice is there twice."""
        return CIMultiDict((name, self(value)) for name, value in headers.items() if not is_secret(name))

    def url(self, url: URL) -> URL:
        """A URL without the secrets in its path and its query."""
        if not url.raw_query_string:
            return URL(self(str(url)))
        query = [(name, MASK if is_secret(name) else self(value)) for name, value in url.query.items()]
        return URL(self(str(url.with_query(None)))).with_query(query)


def is_secret(name: str) -> bool:
    """Whether the name of a header or a parameter says that its value is secret."""
    return _SECRET_NAME.search(name) is not None


def _any_spelling(secret: str) -> str:
    """A pattern for a text of ASCII as it is, encoded as a whole, or escaped character by character."""
    start = secret[:_MOST_TELLING]
    escaped = "".join(f"(?:{'|'.join(_spellings(character))})" for character in start)
    spelt = "|".join([escaped, start.encode().hex(), *_in_base64(start)])
    return spelt if start == secret else rf"(?:{spelt})\S*"


def _spellings(character: str) -> Iterator[str]:
    """Patterns for a character: as it is, and as JSON, a URL, HTML and the literals of programs may have it.

    An escape is itself escaped where one text is quoted inside another.
    """
    code = ord(character)
    yield rf"\\{{0,3}}{re.escape(character)}"
    yield rf"\\{{1,3}}(?:u00|x|0*){code:02x} ?"
    yield rf"\\{{1,3}}{code:03o}"
    yield f"%(?:25)*{code:02x}"
    yield f"&(?:amp;)*#0*{code};?"
    yield f"&(?:amp;)*#x0*{code:x};?"
    if code in codepoint2name:
        yield f"&(?:amp;)*{codepoint2name[code]};"


def _in_base64(secret: str) -> Iterator[str]:
    """Patterns for a text inside whatever is encoded in base64, for each place at which it can begin there.

    The characters at both ends, which it shares with its neighbours, are left out.
    """
    for before in range(3):
        encoded = base64.b64encode(b"\0" * before + secret.encode()).decode()
        whole = encoded[(0, 2, 3)[before] : (before + len(secret)) * 8 // 6]
        if len(whole) >= _LEAST_TELLING:
            yield re.escape(whole).replace(r"\+", "[-+]").replace("/", r"\\?[_/]")


def excerpt(value: object, length: int, redact: Redact) -> str:
    """A value of an answer as it may be shown: text as it is, anything else as JSON; cut to `length` characters."""
    whole = value if isinstance(value, str) else _as_json(value)
    text = redact(whole[:EXCERPT_WINDOW])[: length + 1]
    shown = escaped(text)
    return shown if len(shown) <= length else shown[: length - 1] + "…"


def _as_json(value: object) -> str:
    try:
        return msgspec.json.encode(value).decode()
    except RecursionError:
        # msgspec reads deeper nesting than it writes.
        return f"a {type(value).__name__} nested too deep"
