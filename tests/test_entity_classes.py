"""Every definition and every association that the catalogue publishes, through `normalize`."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any, Final

import published
import pytest
from envelopes import Json, envelope

from kantata_async import Entity, NotLoadedError, Ref, entities, normalize
from kantata_async.model.association import Many, One

DEFINITIONS: Final = sorted(published.definitions())
DEFINED_BY_CORRECTION: Final = sorted(published.corrections()["added_definitions"])
NAMED: Final = [*DEFINITIONS, *DEFINED_BY_CORRECTION]
WITH_INCLUDES: Final = sorted(
    route
    for route, operation in published.operations().items()
    if operation.get("response") and published.includes_of(operation)
)
UNREFERENCED: Final = {
    "GET /exports/{id}/download_url": {"user"},
    "GET /users/{id}/capacity": {"external_references"},
    "GET /workspaces/{id}/permissions": {"external_references"},
    "POST /workspace_resources/allocations_matching_scheduled_hours": {"external_references"},
    "POST /workspace_resources/{id}/allocations_matching_scheduled_hours": {"external_references"},
    "PUT /rate_card_set_versions/{id}/publish": {"rate_card_set", "rate_card_versions"},
}
"""What the description lists as included without saying by which attribute."""

_SAMPLES: Final[dict[str, Any]] = {
    "string": "some text",
    "integer": 7,
    "number": 1.5,
    "boolean": True,
    "date": "2026-01-05",
    "date-time": "2026-01-05T10:20:30-08:00",
    "object": {"any": [1, None]},
    "any": ["one", 2],
}


def entity_class(definition: str) -> type[Entity]:
    """The class of a definition, as a user imports it."""
    found = getattr(entities, published.class_name(definition))
    assert issubclass(found, Entity)
    return found


def sample(name: str, description: Any) -> Any:
    """A value as the server would send it for an attribute of this type."""
    if isinstance(description, dict):
        return sample_of_parts(name, description)
    if name.endswith(("_id", "_ids")):
        return "42" if name.endswith("_id") else ["42", "42:percent_complete"]
    kind = published.type_of(name, description)
    if kind.startswith("array<"):
        return [_SAMPLES.get(kind[len("array<") : -1], {"message": "no"})]
    return _SAMPLES[kind]


def sample_of_parts(name: str, description: Json) -> Any:
    """An object, a list of objects or a map of objects."""
    if set(description) == {"[]"}:
        return [sample(name, description["[]"])]
    if set(description) == {"{}"}:
        return {"EUR": sample(name, description["{}"])}
    return {part.rstrip("!"): sample(part, line) for part, line in description.items()}


def full(definition: str) -> Json:
    """An object with every attribute of a definition."""
    return {"id": "1", **{name: sample(name, line) for name, line in published.definitions()[definition].items()}}


def at_every_timestamp(definition: str, data: Json, text: str) -> Json:
    """The same object with another spelling of every point in time that it holds."""
    lines = published.definitions()[definition]
    return {
        name: text if published.type_of(name, lines.get(name, "string")) == "date-time" else value
        for name, value in data.items()
    }


def spelled_alike(definition: str, data: Json) -> str:
    """The object as JSON, every point in time in one spelling; JSON tells True from 1 and 1.0 from 1."""
    lines = published.definitions()[definition]
    return json.dumps(
        {
            name: datetime.fromisoformat(value).isoformat()
            if isinstance(value, str) and published.type_of(name, lines.get(name, "string")) == "date-time"
            else value
            for name, value in data.items()
        },
        sort_keys=True,
    )


def test_the_catalogue_is_all_there() -> None:
    """129 definitions and 419 operations, and what includes no reference is what is known to."""
    assert len(DEFINITIONS) == 129
    assert len(published.operations()) == 419
    unreferenced = {
        route: {name for name, description in operation["include"].items() if description["ref"] is None}
        for route, operation in published.operations().items()
        if any(description["ref"] is None for description in operation.get("include", {}).values())
    }
    assert unreferenced == UNREFERENCED


@pytest.mark.parametrize("route", WITH_INCLUDES)
def test_every_association_links_to_its_class(route: str) -> None:
    """By the catalogue's ref and key, whatever the association is called."""
    operation = published.operations()[route]
    collection, definition = next(iter(operation["response"].items()))
    check_associations(collection, definition, published.includes_of(operation))


@pytest.mark.parametrize("definition", sorted(published.corrections()["associations"]))
def test_associations_of_definitions_that_no_operation_returns_link_too(definition: str) -> None:
    """The corrections add them."""
    added = published.corrections()["associations"][definition]
    check_associations(published.collection_of(definition), definition, added)


def check_associations(collection: str, definition: str, includes: dict[str, Json]) -> None:
    """Read an answer with all of these associations, each to two objects of its own where it may be to several."""
    owner: Json = {"id": "1"}
    others: dict[str, list[Json]] = {}
    expected: dict[str, list[tuple[type[Entity], str]]] = {}
    for number, (name, description) in enumerate(includes.items(), start=1):
        keys = (
            polymorphic_keys(description)
            if description["entity"] == "polymorphic"
            else [(description["key"], description["entity"])]
        )
        many = description["ref"].endswith(("_ids", "_refs"))
        targets = [
            (key, f"{number}{position}", entity)
            for position, (key, entity) in enumerate(keys * 2 if many else keys[:1])
        ]
        for key, id, _ in targets:
            others.setdefault(key, []).append({"id": id})
        owner[description["ref"]] = referring(description, targets, many=many)
        expected[name] = [(entity_class(entity), id) for _, id, entity in targets]
    others.setdefault(collection, []).append(owner)
    page = normalize(envelope([(collection, "1")], **others), include=list(includes))
    item = page.items[0]
    assert type(item) is entity_class(definition)
    for name, wanted in expected.items():
        linked = getattr(item, name)
        found = linked if isinstance(linked, tuple) else (linked,)
        assert [(type(one), one.id) for one in found] == wanted, name
    assert page.graph.unresolved == []
    assert page.graph.notes == []


def polymorphic_keys(description: Json) -> list[tuple[str, str]]:
    """Collections, with their definitions, that a polymorphic reference may name."""
    asked = description["key"] if isinstance(description["key"], list) else ["workspaces", "users", "stories"]
    defined = {published.collection_of(name): name for name in NAMED if name not in published.corrections()["variants"]}
    return [(key, defined[key]) for key in asked]


def referring(description: Json, targets: list[tuple[str, str, str]], *, many: bool) -> Any:
    """The value of the attribute that refers to these targets."""
    values = [{"key": key, "id": id} if description["entity"] == "polymorphic" else id for key, id, _ in targets]
    return values if many else values[0]


@pytest.mark.parametrize(
    ("owner", "name"),
    [
        (owner, name)
        for owner in DEFINITIONS
        for name, description in published.associations_of(owner).items()
        if description["entity"] == "polymorphic"
    ],
)
@pytest.mark.parametrize("target", [name for name in NAMED if name not in published.corrections()["variants"]])
def test_a_polymorphic_reference_may_name_any_collection(owner: str, name: str, target: str) -> None:
    """Its class is the collection's."""
    description = published.associations_of(owner)[name]
    key = published.collection_of(target)
    data = {"id": "1", description["ref"]: {"key": key, "id": "2"}}
    own = published.collection_of(owner)
    objects = {own: [data, {"id": "2"}]} if key == own else {own: [data], key: [{"id": "2"}]}
    item = normalize(envelope([(own, "1")], **objects)).items[0]
    assert type(getattr(item, name)) is entity_class(target)
    assert getattr(item, description["ref"]) == Ref(key, "2")


@pytest.mark.parametrize("definition", NAMED)
def test_a_class_has_every_attribute_and_association(definition: str) -> None:
    """And no other; the marks of an attribute are what its error asks for."""
    cls = entity_class(definition)
    lines = published.definitions().get(definition, {})
    assert set(cls.attributes) == {"id", *lines}
    assert cls.collection == published.collection_of(definition)
    for name, line in lines.items():
        optional, include = published.marks_of(line)
        assert cls.attributes[name].optional == optional, name
        if include is not None:
            assert cls.attributes[name].include == include, name
    associations = published.associations_of(definition)
    assert set(cls.associations) == set(associations)
    for name, description in associations.items():
        kind = Many if description["ref"].endswith(("_ids", "_refs")) else One
        assert type(cls.associations[name]) is kind
        assert description["ref"] in cls.attributes, (
            f"{name} refers by {description['ref']}, which the definition lacks"
        )


@pytest.mark.parametrize("definition", DEFINITIONS)
def test_a_full_object_comes_back_as_it_was_sent(definition: str) -> None:
    """Nothing is lost, renamed or changed, in an answer and alone."""
    sent = full(definition)
    unlinked = entity_class(definition).from_dict(sent)
    assert spelled_alike(definition, unlinked.to_dict()) == spelled_alike(definition, sent)
    collection = published.collection_of(definition)
    page = normalize(json.dumps(envelope([(collection, "1")], **{collection: [sent]})))
    got = page.items[0].to_dict()
    assert spelled_alike(definition, got) == spelled_alike(definition, sent)
    assert json.loads(json.dumps(got)) == got, "plain data, of lists and not of tuples"
    assert page.graph.notes == []
    assert page.items[0].extra == {}


@pytest.mark.parametrize("text", ["2026-01-05T10:20:30Z", "2026-01-05T10:20:30.250+05:30"])
@pytest.mark.parametrize("definition", DEFINITIONS)
def test_a_timestamp_comes_back_in_some_spelling(definition: str, text: str) -> None:
    """The same point in time, however the server writes it."""
    sent = at_every_timestamp(definition, full(definition), text)
    got = entity_class(definition).from_dict(sent).to_dict()
    assert spelled_alike(definition, got) == spelled_alike(definition, sent)


@pytest.mark.parametrize("start", [0, 1])
@pytest.mark.parametrize("definition", DEFINITIONS)
def test_a_sparse_object_comes_back_as_it_was_sent(definition: str, start: int) -> None:
    """What was not sent stays away, and reading it says what to ask for."""
    lines = published.definitions()[definition]
    names = list(lines)
    kept = set(names[start::2])
    sent = {name: value for name, value in full(definition).items() if name == "id" or name in kept}
    one = entity_class(definition).from_dict(sent)
    assert spelled_alike(definition, one.to_dict()) == spelled_alike(definition, sent)
    for name in set(names) - kept:
        with pytest.raises(NotLoadedError) as caught:
            getattr(one, name)
        optional, include = published.marks_of(lines[name])
        assert f"{type(one).__name__}.{name} was not sent" in str(caught.value)
        if optional:
            assert f"optional_fields=['{name}']" in str(caught.value)
        elif include is not None:
            assert f"include=['{include}']" in str(caught.value)


@pytest.mark.parametrize("definition", DEFINITIONS)
def test_nulls_come_back_as_nulls(definition: str) -> None:
    """Null is a value of every attribute, and not the absence of one."""
    sent: Json = {"id": "1", **dict.fromkeys(published.definitions()[definition])}
    one = entity_class(definition).from_dict(sent)
    assert one.to_dict() == sent
    assert all(getattr(one, name) is None for name in published.definitions()[definition])


@pytest.mark.parametrize("definition", NAMED)
def test_an_unknown_attribute_is_kept(definition: str) -> None:
    """In `extra`, and in `to_dict`."""
    sent = {"id": "1", "brand_new_attribute": {"deep": [1, None, "x"]}}
    one = entity_class(definition).from_dict(sent)
    assert one.to_dict() == sent
    assert one.extra == {"brand_new_attribute": {"deep": [1, None, "x"]}}


def test_every_class_is_importable_by_name() -> None:
    """All of the 129, those that the corrections add, and the two bases."""
    assert {published.class_name(definition) for definition in NAMED} <= set(entities.__all__)
    assert len(entities.__all__) == len(set(entities.__all__)) == len(NAMED) + 2
    assert {getattr(entities, name).__name__ for name in entities.__all__} == set(entities.__all__)


def test_variants_are_told_by_the_association_that_names_them() -> None:
    """A receipt of an expense is a ReceiptAttachment, though the collection holds attachments of every kind."""
    expense = {"id": "1", "receipt_id": "5"}
    page = normalize(envelope([("expenses", "1")], expenses=[expense], attachments=[{"id": "5"}, {"id": "6"}]))
    receipt, other = page.graph.all(entities.Attachment)
    assert (type(receipt), type(other)) == (entities.ReceiptAttachment, entities.Attachment)
    assert page.items[0].receipt is receipt
    assert page.graph.get(entities.ReceiptAttachment, 5) is receipt
    assert page.graph.get(entities.ReceiptAttachment, 6) is None
    assert page.graph.get(entities.Attachment, 5) is receipt
