"""Answers are read the same whether what came before them taught the reader how they are laid out, or not."""

from __future__ import annotations

import json
import pickle
from typing import Any, Final

import pytest
from envelopes import envelope
from hypothesis import given
from hypothesis import strategies as st

from kantata_async import Entity, InvalidResponseError, NotLoadedError, Page
from kantata_async.api import entity_class
from kantata_async.decoding.envelope import Envelope
from kantata_async.decoding.reader import Reader
from kantata_async.entities import CustomFieldValue
from kantata_async.model.graph import Graph

KINDS: Final = ("users", "stories", "participations", "attachments", "custom_field_values", "user_file_associations")
IDS: Final = ("1", "2", "3")

TEXTS: Final = (
    "2026-01-05",
    "2026-01-05T10:20:30Z",
    "2026-01-05T10:20:30.123456+02:00",
    "2026-01-05t10:20:30z",
    "2026-01-05T10:20:30",
    "20260105T102030Z",
    "2026-01-05T10:20:30.1234567Z",
    "2026-12-31T23:59:59.999999999-08:00",
    "9999-12-31T23:59:59.9999999Z",
    "2026-01-05T24:00:00Z",
    "0000-00-00",
    "20016-01-01",
    "soon",
    "9",
    "\u0000",
)
leaves = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.sampled_from([2**64, -(2**63) - 1, 10**30, 9])
    | st.floats(-1e9, 1e9)
    | st.sampled_from(TEXTS)
)
values = leaves | st.lists(leaves, max_size=3) | st.dictionaries(st.sampled_from(["key", "id"]), leaves, max_size=2)
ids = st.sampled_from((*IDS, "9"))
references = st.fixed_dictionaries({"key": st.sampled_from((*KINDS, "gadgets")), "id": ids})


@st.composite
def collections(draw: st.DrawFn, key: str) -> dict[str, dict[str, Any]]:
    """Objects of a class that resemble each other: mostly the same attributes, mostly read as the catalogue says."""
    cls = entity_class(key)
    assert cls is not None
    by_ref = {association.ref: association for association in cls.associations.values()}
    likely = st.sampled_from([*by_ref, *sorted(cls.attributes.keys() - {"id"}), "brand_new", 'a"b', "class"])
    names = draw(st.lists(likely, max_size=6, unique=True))
    objects: dict[str, dict[str, Any]] = {}
    for id in draw(st.lists(st.sampled_from(IDS), unique=True, max_size=3)):
        made: dict[str, Any] = {"id": id}
        for name in names:
            if draw(st.integers(0, 9)) == 0:
                continue
            one = references if name.endswith(("_ref", "_refs")) else ids
            linking = st.none() | (st.lists(one, max_size=3) if name.endswith(("_ids", "_refs")) else one)
            made[name] = draw(linking if name in by_ref and draw(st.integers(0, 9)) else values)
        objects[id] = made
    return objects


@st.composite
def answers(draw: st.DrawFn) -> bytes:
    """An answer whose objects name themselves."""
    held = {key: draw(collections(key)) for key in draw(st.lists(st.sampled_from(KINDS), unique=True, max_size=3))}
    there = [(key, id) for key, objects in held.items() for id in objects]
    matches = draw(st.lists(st.sampled_from(there), max_size=4)) if there else []
    others = {"note": leaves, "meta": st.just({"count": 3}), "count": st.just(7)}
    beside = draw(st.fixed_dictionaries({}, optional=others))
    return json.dumps({"results": [{"key": key, "id": id} for key, id in matches], **held, **beside}).encode()


def contents(page: Page[Entity]) -> dict[str, Any]:
    """All that can be read of a page, as something to compare."""
    return {
        "items": [(one.collection, one.id) for one in page.items],
        "meta": page.meta,
        "extra": page.extra,
        "objects": {(one.collection, one.id): _contents_of(one) for one in page.graph},
        "notes": sorted(map(repr, page.graph.notes)),
        "unresolved": sorted(map(repr, page.graph.unresolved)),
    }


def _contents_of(entity: Entity) -> dict[str, Any]:
    read: dict[str, Any] = {name: repr(getattr(entity, name, "absent")) for name in type(entity).attributes}
    for name in type(entity).associations:
        linked = getattr(entity, name, "not loaded")
        read[name] = [(one.collection, one.id) for one in linked] if isinstance(linked, tuple) else repr(linked)
    return {"class": type(entity), "extra": dict(entity.extra), **read}


def careful(answer: bytes) -> Page[Entity]:
    """The page as a reader makes it that has seen no other."""
    return Reader(entity_class).page(json.loads(answer))


@given(st.lists(answers(), min_size=1, max_size=4))
def test_what_was_learnt_changes_nothing(seen: list[bytes]) -> None:
    """Whatever came before, in whatever order, and when the same comes again."""
    reader = Reader(entity_class)
    for answer in seen * 3:
        assert contents(reader.page(reader.decode(answer))) == contents(careful(answer))


@given(answers(), answers())
def test_a_growing_graph_is_the_same_too(first: bytes, second: bytes) -> None:
    """Objects that come again take on what is new of them."""
    reader = Reader(entity_class)
    for answer in (first, second, first, second):
        reader.page(reader.decode(answer))
    quick, slow = Graph(), Graph()
    for answer in (first, second):
        page = reader.page(reader.decode(answer), graph=quick)
        assert contents(page) == contents(Reader(entity_class).page(json.loads(answer), graph=slow))


def encoded(payload: Any) -> bytes:
    """An answer as it comes over the wire."""
    return json.dumps(payload).encode()


ADA: Final = {"id": "9", "full_name": "Ada", "created_at": "2026-01-05T10:20:30Z"}
GRACE: Final = {"id": "8", "full_name": "Grace", "created_at": "2026-01-05T10:20:31Z"}


def answer_of(*users: dict[str, Any], **others: Any) -> bytes:
    """An answer with these users."""
    return encoded(envelope([("users", str(one["id"])) for one in users], users=list(users)) | others)


def taught(*answers: bytes) -> Reader:
    """A reader that has seen these answers, each as often as it takes to learn from it."""
    reader = Reader(entity_class)
    for answer in answers:
        for _ in range(2):
            reader.page(reader.decode(answer))
    return reader


@pytest.mark.parametrize(
    ("before", "answer"),
    [
        ([answer_of(ADA)], answer_of(GRACE)),
        ([answer_of(ADA)], answer_of()),
        ([answer_of(ADA), answer_of(ADA | {"hat": "L"})], answer_of(GRACE, ADA | {"hat": None})),
        ([answer_of(ADA), answer_of({"id": "9"})], answer_of({"id": "7"})),
        ([answer_of(ADA | {"created_at": "yesterday"})], answer_of(GRACE)),
        ([answer_of(ADA, note="hello")], answer_of(ADA)),
    ],
    ids=["others", "none", "an unknown attribute now and then", "less", "an odd value once", "nothing beside"],
)
def test_what_resembles_the_answers_before_is_read_the_quick_way(before: list[bytes], answer: bytes) -> None:
    """Taken apart by the decoder itself."""
    assert isinstance(taught(*before).decode(answer), Envelope)


@pytest.mark.parametrize(
    "answer",
    [
        answer_of(ADA | {"id": 9}),
        answer_of(ADA | {"full_name": "Ada", 'a"b': 1}),
        encoded({"results": [{"key": "gadgets", "id": "1"}], "gadgets": {"1": {"id": "1"}}}),
        answer_of(ADA, errors={"1": {"id": "1"}}),
        answer_of(ADA, note={"1": {"id": "1"}}),
        answer_of(ADA, **{'a"b': 1}),
    ],
    ids=[
        "a number for an id",
        "a name that no field can have",
        "of no known class",
        "errors as objects",
        "a new one",
        "no name",
    ],
)
def test_what_is_never_laid_out_as_others_is_still_read(answer: bytes) -> None:
    """As often as it comes, and without harm to what can be."""
    reader = taught(answer_of(ADA, note="hello"), answer, answer)
    assert contents(reader.page(reader.decode(answer))) == contents(careful(answer))


def test_an_odd_collection_does_not_slow_down_the_others() -> None:
    """Participations with numbers for ids leave users to be read the quick way."""
    odd = encoded(envelope([("participations", "1")], participations=[{"id": 1}]))
    assert isinstance(taught(answer_of(ADA), odd).decode(answer_of(GRACE)), Envelope)


@pytest.mark.parametrize(
    ("broken", "says"),
    [
        ({"users": {"9": ADA, "8": ADA}}, "users 8 says that its id is '9'"),
        ({"results": [{"key": "users", "id": "7"}]}, "results names users 7"),
        ({"results": None}, "results should be a list"),
        ({"meta": {"count": "many"}}, "meta.count should be a whole number"),
    ],
    ids=["two ids", "a match that is not there", "no results", "no number"],
)
def test_what_is_malformed_is_told_all_the_same(broken: dict[str, Any], says: str) -> None:
    """Also by a reader that was taught what a good one looks like."""
    good = json.loads(answer_of(ADA))
    reader = taught(encoded(good))
    with pytest.raises(InvalidResponseError, match=says):
        reader.page(reader.decode(encoded({**good, "count": None} | broken)))
    assert isinstance(reader.decode(answer_of(GRACE)), Envelope)


class Stranger:
    """Something that no JSON says."""


@pytest.mark.parametrize(
    "odd",
    [
        {5: {}},
        {"users": {"9": ADA | {5: 1}}},
        {"users": {"9": ADA | {"full_name": Stranger(), "created_at": Stranger()}}},
        {"count": 10**400},
        {"count": True},
        {"meta": Stranger()},
        {"users": Stranger()},
        {"users": {"9": Stranger()}},
    ],
    ids=[
        "a number for a name",
        "one in an object",
        "values",
        "huge",
        "no number",
        "meta",
        "users",
        "a user",
    ],
)
def test_what_a_program_made_up_is_read_or_refused(odd: dict[Any, Any]) -> None:
    """The same way by a reader that was taught, as often as it comes, as by one that was not."""
    good = json.loads(answer_of(ADA))

    def read(reader: Reader) -> str:
        try:
            return repr(contents(reader.page(good | odd)))
        except InvalidResponseError as error:
            return str(error)

    reader = taught(answer_of(ADA))
    assert {read(Reader(entity_class))} == {read(reader) for _ in range(3)}


def test_a_thousand_names_are_not_learnt() -> None:
    """A server that makes up names makes no decoder grow without end."""
    made_up = [{f"made_up_{number}": 1 for number in range(start, start + 100)} for start in range(0, 1000, 100)]
    reader = taught(*(answer_of(ADA | names) for names in made_up))
    last = answer_of(ADA | {"made_up_1000": 1})
    assert contents(reader.page(reader.decode(last))) == contents(careful(last))
    assert not isinstance(reader.decode(last), Envelope)


def read_over_and_over(*answers: bytes) -> set[str]:
    """All that can be read of the last of these answers, each time that they come again in turn."""
    reader = Reader(entity_class)

    def read(answer: bytes) -> str:
        try:
            return repr(contents(reader.page(reader.decode(answer))))
        except (ValueError, InvalidResponseError) as error:
            return repr(error)

    return {[read(answer) for answer in answers][-1] for _ in range(4)}


@pytest.mark.parametrize(
    "value",
    [
        "18446744073709551616",
        "-123456789012345678901234567890",
        "1e400",
        "-1e400",
        "1e-400",
        "9" * 5000,
        '"2026-01-05T10:20:30.1234567Z"',
        '"2026-01-05T10:20:30.9999999Z"',
        '"2026-01-05t10:20:30.9999995z"',
        '"\\ud800"',
        "[" * 600 + "]" * 600,
        "[" * 5000 + "]" * 5000,
        "9",
        "true",
        "9.0",
    ],
    ids=range(15),
)
@pytest.mark.parametrize("name", ["full_name", "created_at", "manager_id", "shoe", "role_id"])
def test_a_value_reads_alike_on_every_way(name: str, value: str) -> None:
    """The first time, when it is known, and when what was known was plainer; or is refused alike."""
    plain = answer_of(ADA | {name: "1"})
    odd = plain.replace(f'"{name}": "1"'.encode(), f'"{name}": {value}'.encode())
    assert odd != plain
    (alone,) = read_over_and_over(odd)
    assert read_over_and_over(plain, odd) == {alone}


def test_ids_that_come_as_numbers_are_texts_on_every_way() -> None:
    """Some as numbers and some as texts, linked and not, alone and in lists."""
    values = [
        {"id": "1", "subject_id": 8885842, "account_id": 4500212, "custom_field_id": 7},
        {"id": "2", "subject_id": "8885842", "account_id": None, "custom_field_id": "7"},
    ]
    answer = encoded(
        envelope(
            [("custom_field_values", "1"), ("custom_field_values", "2")],
            custom_field_values=values,
            custom_fields=[{"id": "7", "name": "Region"}],
        )
    )
    reader = Reader(entity_class)
    for _ in range(4):
        first, second = reader.page(reader.decode(answer)).items
        assert isinstance(first, CustomFieldValue)
        assert isinstance(second, CustomFieldValue)
        assert (first.subject_id, first.account_id, second.subject_id) == ("8885842", "4500212", "8885842")
        assert first.custom_field is second.custom_field
    assert isinstance(reader.decode(answer), Envelope)


@pytest.mark.parametrize(
    "errors",
    [[{"message": "slow"}], {"title": ["is taken"]}, {"base": {"message": "no"}}, "slow", None, {}],
    ids=["a list", "by field", "objects", "a text", "null", "none"],
)
def test_errors_of_a_success_are_kept_beside_its_objects(errors: Any) -> None:
    """Whatever shape they come in, as often as they come."""
    reader = Reader(entity_class)
    for _ in range(4):
        page = reader.page(reader.decode(answer_of(ADA, errors=errors)))
        assert page.extra == {"errors": errors}
        assert [one.id for one in page.items] == ["9"]


hostile: Final = st.text(st.characters(codec="utf-8"), min_size=1, max_size=200) | st.sampled_from(
    ["\x1b[31mred", "a\nb", "x" * 5000, "\u202eright to left", "\x00"]
)


@given(hostile, hostile, st.sampled_from(["object", "id", "match", "collection", "result"]))
def test_an_error_shows_little_of_an_answer_and_no_control_character(key: str, id: str, wrong: str) -> None:
    """Not of its keys, its ids or its values."""
    broken: dict[str, dict[str, Any]] = {
        "object": {"results": [{"key": key, "id": id}], key: {id: None}},
        "id": {"results": [{"key": key, "id": id}], key: {id: {"id": f"not {id}"}}},
        "match": {"results": [{"key": key, "id": id}]},
        "collection": {"results": [{"key": key, "id": id}], key: [id]},
        "result": {"results": [{"key": key, "id": [id]}]},
    }
    with pytest.raises(InvalidResponseError) as caught:
        Reader(entity_class).page(broken[wrong])
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize("before", ["", "x" * 40, "x" * 55, "x" * 59, "x" * 300])
@pytest.mark.parametrize("place", ["key", "id", "value"])
def test_an_error_shows_no_part_of_a_secret(place: str, before: str) -> None:
    """Wherever it is cut: what is quoted is redacted first."""
    secret = "5ecretT0kenOfSomebody"
    quoted = before + secret
    broken: dict[str, Any] = {
        "key": {"results": [], quoted: {"1": {"id": "2"}}},
        "id": {"results": [{"key": "users", "id": quoted}]},
        "value": {"results": [quoted]},
    }
    with pytest.raises(InvalidResponseError) as caught:
        Reader(entity_class).page(broken[place], redact=lambda text: text.replace(secret, "[hidden]"))
    assert secret[:5] not in str(caught.value)


@pytest.mark.parametrize("graph_lives", [True, False])
def test_what_is_not_there_of_many_is_named(graph_lives: bool) -> None:
    """Not the first of them, which was sent: also when the page is gone, and when the entity was carried elsewhere."""
    answer = envelope([("stories", "1")], stories=[{"id": "1", "assignee_ids": ["9", "8", "7"]}], users=[ADA, GRACE])
    page = Reader(entity_class).page(answer, includes=["parent"])
    (story,) = page.items
    if not graph_lives:
        del page
    for one in (story, pickle.loads(pickle.dumps(story))):
        with pytest.raises(NotLoadedError, match="only that it is users 7"):
            _ = one.assignees
