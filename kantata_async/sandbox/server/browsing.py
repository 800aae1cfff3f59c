"""The company as tables, for the sandbox's page: what the store holds, shown or not, and what refers to what."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

from ..backend import Answer, Company, Record, json_answer, malformed, missing, refer

_PAGE_SIZE: Final = 25
_NAMES: Final = ("full_name", "title", "name", "subject", "headline", "value", "message")
_EMPTY: Final[tuple[Any, ...]] = (None, "", [], {})


def browse(company: Company, path: str, asked: Mapping[str, str]) -> Answer | None:
    """What the page reads of the company; None where the path is none of these.

    - ``/rows?collection=users``: a page of the records, with `page`; `search` for a text in any of their attributes;
      `attribute` and `value` for those that refer to a record; `order` by an attribute, ``-`` before it for descending.
    - ``/record?collection=users&id=7``: one record whole, and how many others refer to it.

    Raises:
        Refusal: 404 where there is no such record, 400 where the page is not a number.
    """
    reading = _READINGS.get(path)
    return None if reading is None else json_answer(reading(company, asked))


def tables(company: Company) -> list[dict[str, Any]]:
    """The collections that hold records, by name, and how many they hold."""
    return [{"name": name, "count": company.store.count(name)} for name in sorted(company.store)]


def _rows(company: Company, asked: Mapping[str, str]) -> dict[str, Any]:
    collection = asked.get("collection", "")
    found = _ordered(_found(company, collection, asked), asked.get("order", "id"))
    pages = max(1, -(-len(found) // _PAGE_SIZE))
    page = min(max(1, _number(asked.get("page", "1"))), pages)
    shown = found[(page - 1) * _PAGE_SIZE : page * _PAGE_SIZE]
    return {
        "columns": _columns(shown),
        "rows": [{"values": record, "links": _links(company, collection, record)} for record in shown],
        "count": len(found),
        "page": page,
        "pages": pages,
    }


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise malformed("The page must be a number", "page")
    return int(text)


def _found(company: Company, collection: str, asked: Mapping[str, str]) -> list[Record]:
    store = company.store
    records: Iterable[Record] = store.all(collection) if collection in set(store) else ()
    if attribute := asked.get("attribute"):
        chosen = set(store.referring(collection, attribute, asked.get("value", "")))
        records = (record for record in records if record["id"] in chosen)
    if text := asked.get("search", "").casefold():
        records = (record for record in records if any(text in str(value).casefold() for value in record.values()))
    return list(records)


def _ordered(records: list[Record], order: str) -> list[Record]:
    """The records by an attribute, numbers as numbers; those without it come last."""
    name = order.removeprefix("-")
    having = [record for record in records if record.get(name) not in _EMPTY]
    lacking = [record for record in records if record.get(name) in _EMPTY]
    return sorted(having, key=lambda record: _sort_key(record[name]), reverse=order.startswith("-")) + lacking


def _sort_key(value: Any) -> tuple[int, float, str]:
    text = str(value)
    try:
        return 0, float(text), text
    except ValueError:
        return 1, 0.0, text.casefold()


def _columns(records: list[Record]) -> list[str]:
    """The attributes that have a value in any of the records: the id, what names a record, then the others."""
    having = {name: None for record in records for name, value in record.items() if value not in _EMPTY}
    first = [name for name in ("id", *_NAMES) if name in having]
    return [*first, *(name for name in having if name not in first)]


def _record(company: Company, asked: Mapping[str, str]) -> dict[str, Any]:
    collection, identity = asked.get("collection", ""), asked.get("id", "")
    record = company.store.get(collection, identity)
    if record is None:
        raise missing("record")
    return {
        "label": _label(record),
        "columns": [*_columns([record]), *(name for name, value in record.items() if value in _EMPTY)],
        "values": record,
        "links": _links(company, collection, record),
        "referring": list(_referring(company, collection, identity)),
    }


def _links(company: Company, collection: str, record: Record) -> dict[str, list[dict[str, str]]]:
    """Where each attribute leads: the records that it refers to, as far as they exist."""
    links: dict[str, list[dict[str, str]]] = {}
    for attribute, value in record.items():
        found = [
            {"collection": key, "id": identity, "label": _label(target)}
            for key, identity in _referred(company, collection, record, attribute, value)
            if (target := company.store.get(key, identity)) is not None
        ]
        if found:
            links[attribute] = found
    return links


def _referred(
    company: Company, collection: str, record: Record, attribute: str, value: Any
) -> Iterator[tuple[str, str]]:
    """The collection and id of everything that a value refers to."""
    for entry in value if isinstance(value, list) else (value,):
        if isinstance(entry, dict) and entry.keys() == {"key", "id"}:
            yield entry["key"], entry["id"]
        elif isinstance(entry, str) and attribute.endswith(("_id", "_ids")):
            spelled = refer(record, attribute.removesuffix("_id"))
            key = spelled["key"] if spelled else company.references.key(collection, attribute)
            if key is not None:
                yield key, entry


def _label(record: Record) -> str:
    """What a person calls a record; its id where it has no name."""
    return next((value for name in _NAMES if isinstance(value := record.get(name), str) and value), f"#{record['id']}")


def _referring(company: Company, collection: str, identity: str) -> Iterator[dict[str, Any]]:
    for other in sorted(company.store):
        some = next(iter(company.store.records(other).values()))
        for attribute in some:
            if attribute.endswith(("_id", "_ids")) and company.references.key(other, attribute) == collection:
                count = len(company.store.referring(other, attribute, identity))
                if count:
                    yield {"collection": other, "attribute": attribute, "count": count}


_READINGS: Final[Mapping[str, Callable[[Company, Mapping[str, str]], dict[str, Any]]]] = {
    "/rows": _rows,
    "/record": _record,
}
