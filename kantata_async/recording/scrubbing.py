"""Requests and answers as they may be kept: pure.

Lists name what is allowed, since what is harmful cannot be listed: a header, a text or a number that is on none of
them is replaced. Ids, times and the values of the API's closed lists stay, so that what was recorded still reads,
links and sorts as it did.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, MutableMapping
from typing import Any, Final
from urllib.parse import parse_qsl, quote, urlsplit, urlunsplit

import msgspec

KEPT_REQUEST_HEADERS: Final = frozenset({"accept", "content-type"})
KEPT_ANSWER_HEADERS: Final = frozenset({"content-type", "date", "retry-after", "x-request-id"})

REPLACED: Final = "***"

_KEPT_NAMES: Final = frozenset(
    {
        "access_level",
        "archived",
        "count",
        "currency",
        "currency_base_unit",
        "currency_symbol",
        "field",
        "include",
        "index",
        "key",
        "limit",
        "offset",
        "only",
        "optional_fields",
        "order",
        "page",
        "page_count",
        "page_number",
        "page_size",
        "per_page",
        "permission",
        "permissions",
        "priority",
        "role",
        "state",
        "status",
        "story_type",
        "type",
        "value_type",
    }
)
_KEPT_ENDINGS: Final = ("_id", "_ids", "_type", "_status", "_state", "_after", "_before")
_KEPT_NUMBERS: Final = re.compile(
    r"(?:.*_)?(?:id|count|filesize|index|limit|minutes|offset|order|page|position|size|unit)"
)
_AMOUNTS: Final = re.compile(r"rate|cost|salar|price|amount|cents|budget|fee|margin|revenue")
_LINK: Final = ("http://", "https://")
_STEP: Final = re.compile(r"[a-z_]*|v?\d{1,18}(?:\.[a-z]{2,4})?")
_TIME: Final = re.compile(r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)?")
_NUMBER: Final = re.compile(r"\d{1,18}")
_PHONE_DIGITS: Final = 7


def kept_headers(headers: Mapping[str, Any], kept: Collection[str]) -> dict[str, Any]:
    """The headers that may be kept; names are compared in lower case."""
    return {name: value for name, value in headers.items() if name.lower() in kept}


def scrubbed_url(url: str, keep: Collection[str]) -> str:
    """A URL with what is personal in its path and its query replaced."""
    parts = urlsplit(url)
    path = "/".join(step if _STEP.fullmatch(step) else REPLACED for step in parts.path.split("/"))
    query = "&".join(
        f"{quote(name, safe='')}={quote(_asked(name, value, keep), safe=',:*')}"
        for name, value in parse_qsl(parts.query, keep_blank_values=True)
    )
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], path, query, ""))


def _asked(name: str, value: str, keep: Collection[str]) -> str:
    """The value of a parameter as it may be kept; many filters take ids, under names that do not say so."""
    is_id = _NUMBER.fullmatch(value) and len(value) < _PHONE_DIGITS and not _AMOUNTS.search(name)
    return value if is_id else _text(name, value, "", keep)


def scrubbed_body(
    body: object, keep: Collection[str], links: MutableMapping[str, str] | None = None, *, id: str = ""
) -> bytes:
    """A body with what is personal replaced: in JSON attribute by attribute, any other body as a whole.

    Args:
        body: text or bytes; anything else is a file that is sent piece by piece.
        keep: the names of attributes whose values may be kept.
        links: takes the links in it, and what becomes of each.
        id: of the object that the body is about, where it does not say so itself.
    """
    if not isinstance(body, str | bytes):
        return REPLACED.encode()
    if not body.strip():
        return b""
    try:
        data = msgspec.json.decode(body)
    except (msgspec.MsgspecError, UnicodeError):
        return REPLACED.encode()
    return msgspec.json.encode(_value("", data, id, keep, {} if links is None else links))


def scrubbed_file(content: bytes) -> bytes:
    """The content of a file replaced, with as many bytes: the API says elsewhere how many it has."""
    return b"*" * len(content)


def replaced_link(name: str, id: str) -> str:
    """What replaces a link: the same for every link of one object by one name."""
    return f"https://example.com/{name}/{id}"


def _value(name: str, value: Any, id: str, keep: Collection[str], links: MutableMapping[str, str]) -> Any:
    match value:
        case dict():
            own = str(value["id"]) if isinstance(value.get("id"), str | int) else id
            return {_key(part): _value(part, one, own, keep, links) for part, one in value.items()}
        case list():
            return [_value(name, one, id, keep, links) for one in value]
        case str():
            text = _text(name, value, id, keep)
            if value.startswith(_LINK):
                links[value] = text
            return text
        case bool() | None:
            return value
        case _:
            return value if _KEPT_NUMBERS.fullmatch(name) or _is_kept(name, keep) else 100


def _key(name: str) -> str:
    """A name as it may be kept: an id or a word. An e-mail address in its place is replaced."""
    return REPLACED if "@" in name else name


def _text(name: str, value: str, id: str, keep: Collection[str]) -> str:
    if not value or _is_kept(name, keep) or name == "id":
        return value
    if _TIME.fullmatch(value):
        return value
    if value.startswith(_LINK):
        return replaced_link(name, id)
    if "email" in name or "@" in value:
        return f"person{id}@example.com"
    return f"{name} {id}".strip() or REPLACED


def _is_kept(name: str, keep: Collection[str]) -> bool:
    return name in keep or name in _KEPT_NAMES or name.endswith(_KEPT_ENDINGS)
