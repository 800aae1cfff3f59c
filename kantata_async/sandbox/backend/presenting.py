"""The envelope: matches, the objects associated with them, and the attributes that they show."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

import attrs

from kantata_async.catalogue import Catalogue, CatalogueAssociation, CatalogueOperation, Field

from .associations import finder, targets
from .files import Files
from .query_string import DEFAULT_PAGE
from .references import References
from .rules import Finder, rules_of
from .sort_keys import name_of
from .store import Record, Store
from .switches import Switches


@attrs.frozen
class PageSlice:
    """The slice of the matches that an answer holds."""

    count: int
    number: int = 1
    size: int = DEFAULT_PAGE

    def meta(self) -> dict[str, int]:
        """The envelope's `meta`."""
        return {
            "count": self.count,
            "page_count": -(-self.count // self.size),
            "page_number": self.number,
            "page_size": self.size,
        }


@attrs.frozen
class Link:
    """An association of one collection: the attribute with the ids, and how they are found."""

    association: CatalogueAssociation
    find: Finder

    @property
    def attribute(self) -> str:
        """The attribute that carries the ids."""
        return self.association.ref or ""

    def value(self, store: Store, record: Record) -> Any:
        """The attribute's value: a list for a to-many association, even when nothing is associated."""
        found = self.find(store, record)
        return found or [] if self.association.many else found


@attrs.frozen
class _Label:
    """An attribute such as `role_name`, which repeats the name of what `role_id` refers to."""

    attribute: str
    ref: str
    key: str


@attrs.frozen
class Face:
    """What the objects of a collection show.

    `plain` attributes always do, `optional` ones when asked for, `shown` links always carry their ids, and `hidden`
    links only when they are included. `converted` attributes are shown in another form than they are stored in,
    and `times` without their fraction of a second.
    """

    plain: tuple[str, ...]
    optional: frozenset[str]
    shown: tuple[Link, ...]
    hidden: Mapping[str, Link]
    labels: tuple[_Label, ...]
    converted: tuple[tuple[str, Callable[[Any], Any]], ...]
    times: tuple[str, ...]


class Presenter:
    """Makes the envelope of an operation's answer from the store."""

    def __init__(self, catalogue: Catalogue, references: References, store: Store, files: Files) -> None:
        self._catalogue = catalogue
        self._references = references
        self._store = store
        self._files = files
        self._faces: dict[tuple[str, bool], Face] = {}
        self._linked: dict[tuple[str, str], Mapping[str, Link]] = {}

    def envelope(
        self,
        operation: CatalogueOperation,
        ids: Sequence[str],
        page: PageSlice,
        *,
        include: Iterable[str],
        optional: Iterable[str],
        switches: Switches,
        also: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """The whole answer: count, results, the collections, meta; `also` shows on the matches beside their own."""
        collection = str(operation.collection)
        links = self._links(operation)
        wanted = [links[name] for name in include if name in links]
        records = self._store.records(collection)
        face, allowed = self._face(collection, switches.whole_seconds), set(operation.optional_fields)
        chosen = [name for name in optional if name in allowed]
        matches = {identity: self._match(face, records[identity], chosen, wanted, switches) for identity in ids}
        for match in matches.values() if also else ():
            match.update(also or {})
        collections: dict[str, dict[str, Any]] = {collection: matches}
        for link in wanted:
            if link.association.key:
                collections.setdefault(link.association.key, {})
            self._associate(link, [records[identity] for identity in ids], collections, switches)
        results = [{"key": collection, "id": identity} for identity in ids]
        payload = {"count": page.count, "results": results, **collections, "meta": page.meta()}
        return _restricted(payload, switches)

    def plain(self, collection: str, record: Record) -> Record:
        """The attributes that a record shows without being asked."""
        return self._plain(self._face(collection, whole_seconds=True), record)

    def _match(
        self, face: Face, record: Record, optional: Iterable[str], included: Iterable[Link], switches: Switches
    ) -> Record:
        shown = self._plain(face, record)
        shown.update((name, record.get(name)) for name in optional)
        links = face.hidden.values() if switches.references_without_include else ()
        for link in (*links, *included):
            shown[link.attribute] = link.value(self._store, record)
        return shown

    def _plain(self, face: Face, record: Record) -> Record:
        shown = {name: record.get(name) for name in face.plain}
        for label in face.labels:
            if shown[label.attribute] is None:
                shown[label.attribute] = self._name(label.key, record.get(label.ref))
        for link in face.shown:
            shown[link.attribute] = link.value(self._store, record)
        for name, convert in face.converted:
            shown[name] = convert(shown[name])
        for name in face.times:
            moment = shown[name]
            if moment and moment[19:20] == ".":
                # 2026-08-25T10:00:00.123456-07:00
                shown[name] = moment[:19] + moment[26:]
        return shown

    def _associate(
        self,
        link: Link,
        records: Iterable[Record],
        collections: dict[str, dict[str, Any]],
        switches: Switches,
    ) -> None:
        for record in records:
            for key, identity in targets(link.value(self._store, record), link.association.key):
                carried = collections.setdefault(key, {})
                if identity not in carried and f"{key}.{identity}" not in switches.invisible_objects:
                    associated = self._store.records(key).get(identity)
                    if associated is not None:
                        carried[identity] = self._associated(key, associated, switches)

    def _associated(self, collection: str, record: Record, switches: Switches) -> Record:
        face = self._face(collection, switches.whole_seconds)
        shown = self._plain(face, record)
        if switches.associated_references:
            shown.update((link.attribute, link.value(self._store, record)) for link in face.hidden.values())
        return shown

    def _name(self, collection: str, identity: str | None) -> str | None:
        record = self._store.records(collection).get(identity or "")
        return None if record is None else name_of(record)

    def _links(self, operation: CatalogueOperation) -> Mapping[str, Link]:
        key = (operation.method, operation.path)
        if key not in self._linked:
            collection = str(operation.collection)
            self._linked[key] = {a.name: self._link(collection, a) for a in operation.includes if a.ref is not None}
        return self._linked[key]

    def _link(self, collection: str, association: CatalogueAssociation) -> Link:
        return Link(association, finder(self._catalogue, collection, association))

    def _face(self, collection: str, whole_seconds: bool) -> Face:
        key = (collection, whole_seconds)
        if key not in self._faces:
            self._faces[key] = self._made_face(collection, whole_seconds)
        return self._faces[key]

    def _made_face(self, collection: str, whole_seconds: bool) -> Face:
        definition = self._catalogue.collections[collection]
        links = {a.ref: self._link(collection, a) for a in definition.associations if a.ref}
        always = [field.name for field in definition.fields if not field.optional and _include(field) is None]
        withheld = {field.name for field in definition.fields if _include(field) is not None}
        return Face(
            plain=("id", *(name for name in always if name not in links)),
            optional=frozenset(field.name for field in definition.fields if field.optional),
            shown=tuple(links[name] for name in always if name in links),
            hidden={name: link for name, link in links.items() if name in withheld},
            labels=tuple(self._labels(collection, always, definition.attributes)),
            converted=(
                *_converted(collection, always, definition.attributes),
                *((name, self._files.url) for name in rules_of(collection).files),
            ),
            times=tuple(name for name in always if definition.attributes[name].type.kind == "date-time")
            if whole_seconds
            else (),
        )

    def _labels(self, collection: str, shown: Iterable[str], attributes: Mapping[str, Field]) -> Iterable[_Label]:
        names = rules_of(collection).names
        for attribute in shown:
            ref = names.get(attribute) or _ref_of_label(attribute)
            key = self._references.key(collection, ref) if ref in attributes else None
            if key is not None:
                yield _Label(attribute, ref, key)


# Ids that were seen as JSON numbers in real answers, in all the collections that declare them integers.
_NUMBERED: Final = frozenset({"account_id", "rate_card_id", "subject_id", "workspace_invoice_preference_id"})


def _converted(
    collection: str, shown: Iterable[str], attributes: Mapping[str, Field]
) -> Iterable[tuple[str, Callable[[Any], Any]]]:
    declared = rules_of(collection).shown
    for name in shown:
        if name in declared:
            yield name, declared[name]
        elif name in _NUMBERED and attributes[name].type.kind == "integer":
            yield name, as_number


def _ref_of_label(attribute: str) -> str:
    """The reference whose name an attribute repeats: `cached_skill_name` repeats that of `skill_id`."""
    stem = attribute.removeprefix("cached_")
    return next((f"{stem.removesuffix(end)}_id" for end in ("_name", "_title") if stem.endswith(end)), "")


def _include(field: Field) -> str | None:
    """The association with which a field comes; for a polymorphic reference its parts name it."""
    if field.include is None and field.type.kind == "fields":
        return next((part.include for part in field.type.fields if part.include), None)
    return field.include


def _restricted(payload: dict[str, Any], switches: Switches) -> dict[str, Any]:
    for name in switches.withheld_attributes:
        collection, _, attribute = name.partition(".")
        for shown in payload.get(collection, {}).values():
            shown.pop(attribute, None)
    return numbered(payload) if switches.integer_ids else payload


def numbered(value: Any, name: str = "") -> Any:
    """The same answer with numeric ids as numbers; keys of maps stay strings."""
    if isinstance(value, dict):
        return {key: numbered(part, key) for key, part in value.items()}
    if isinstance(value, list):
        return [numbered(part, name) for part in value]
    if isinstance(value, str) and value.isdigit() and (name == "id" or name.endswith(("_id", "_ids"))):
        return int(value)
    return value


def as_number(identity: str | None) -> int | None:
    """An id as a JSON number; None for one that is not numeric."""
    return int(identity) if identity and identity.isdigit() else None
