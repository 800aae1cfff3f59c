"""What holds of every answer, however odd: Hypothesis makes them."""

from __future__ import annotations

import json
from typing import Any, Final

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from kantata_async import Entity, InvalidResponseError, NotLoadedError, Page, Ref, normalize
from kantata_async.api import COLLECTIONS, entity_class
from kantata_async.decoding.reader import Reader
from kantata_async.model.graph import Graph

KNOWN: Final = (
    "users",
    "stories",
    "participations",
    "workspaces",
    "posts",
    "attachments",
    "expenses",
    "custom_field_values",
)
UNKNOWN: Final = ("gadgets", "", "a b", "_objects")
IDS: Final = ("1", "2", "3", "42:percent_complete", "0", "-1")

briefly: Final = settings(max_examples=50)
"""How fast a shared machine makes an answer is no property of `normalize`."""

# --- any JSON at all -------------------------------------------------------------------------------------------------

leaves = (
    st.none()
    | st.booleans()
    | st.integers(-3, 3)
    | st.integers()
    | st.sampled_from([2**63, 2**64, 10**60, -(10**60)])
    | st.floats()
    | st.sampled_from([*IDS, "2026-01-05", "2026-01-05T10:20:30Z", "users"])
    | st.text(max_size=5)
)
names = st.sampled_from(
    ["results", "count", "meta", "id", "key", "page_count", "users", "stories", "errors", "parent_id", "1"]
) | st.text(max_size=3)
json_values = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names, inner, max_size=5), max_leaves=20
)


def read_or_refused(payload: Any) -> Page[Entity] | str:
    """The page, or why it was refused, in the one way there is."""
    try:
        return normalize(payload)
    except InvalidResponseError as error:
        return str(error)


def check(payload: Any) -> None:
    """A payload is read, or refused with a reason that can be read."""
    refusal = read_or_refused(payload)
    if isinstance(refusal, str):
        assert 0 < len(refusal) < 1000


@briefly
@given(json_values)
@example({"results": [], "x": {"1.0": {"id": 1.0}}})
@example({"results": [{"key": "users", "id": 10**60}], "users": {}})
def test_any_json_is_read_or_refused(payload: Any) -> None:
    """With InvalidResponseError and nothing else."""
    check(payload)


@briefly
@given(st.dictionaries(names, json_values, max_size=4), json_values)
def test_anything_beside_no_matches_is_read_or_refused(rest: dict[str, Any], users: Any) -> None:
    """Empty results let the rest through to where the objects are read."""
    check({**rest, "users": users, "results": []})


@briefly
@given(st.binary(max_size=60) | st.text(max_size=60))
def test_any_bytes_are_read_or_refused(payload: bytes | str) -> None:
    """Few of them are JSON."""
    check(payload)


@briefly
@given(st.data())
def test_a_truncated_answer_is_refused(data: st.DataObject) -> None:
    """Wherever it stops."""
    text = json.dumps({"results": [{"key": "users", "id": "9"}], "users": {"9": {"id": "9", "full_name": "Ada é"}}})
    stop = data.draw(st.integers(0, len(text) - 1))
    with pytest.raises(InvalidResponseError, match="not JSON"):
        normalize(text[:stop])


# --- envelopes that hold together, with attributes that need not ------------------------------------------------------

ids = st.sampled_from(IDS)
keys = st.sampled_from([*KNOWN, *UNKNOWN])
references = st.fixed_dictionaries({"key": keys, "id": ids | st.integers(1, 3)})


@st.composite
def objects(draw: st.DrawFn, key: str, id: str) -> dict[str, Any]:
    """An object with some attributes of its class, right or hostile, and some that nobody knows."""
    cls = entity_class(key)
    attributes = sorted(set(cls.attributes) - {"id"}) if cls is not None else []
    data: dict[str, Any] = {"id": id} if draw(st.booleans()) else {}
    for association in sorted(cls.associations.values(), key=lambda one: one.ref) if cls is not None else ():
        if draw(st.booleans()):
            many = association.ref.endswith(("_ids", "_refs"))
            one = references if association.ref.endswith(("_ref", "_refs")) else ids
            data[association.ref] = draw(st.none() | (st.lists(one, max_size=3) if many else one))
    if attributes:
        data |= draw(st.dictionaries(st.sampled_from(attributes), json_values, max_size=3))
    return data | draw(
        st.dictionaries(st.sampled_from(["brand_new", "user", "_graph", "to_dict"]), json_values, max_size=2)
    )


@st.composite
def envelopes(draw: st.DrawFn) -> dict[str, Any]:
    """An answer whose results name objects that it has; everything else is open."""
    collections: dict[str, dict[str, Any]] = {}
    for key in draw(st.lists(keys, unique=True, max_size=4)):
        collections[key] = {id: draw(objects(key, id)) for id in draw(st.lists(ids, unique=True, max_size=4))}
    there = [(key, id) for key, held in collections.items() for id in held]
    matches = draw(st.lists(st.sampled_from(there), max_size=8)) if there else []
    rest = draw(st.dictionaries(st.sampled_from(["extra", "note", "errors_too"]), leaves, max_size=2))
    meta = draw(st.fixed_dictionaries({}, optional={"meta": st.none() | st.just({"count": 3, "page_count": 1})}))
    return {"results": [{"key": key, "id": id} for key, id in matches], **collections, **rest, **meta}


@briefly
@given(envelopes(), st.none() | st.lists(st.sampled_from(["user", "parent", "subject", "attachments", "nonsense"])))
def test_no_match_is_dropped_and_none_is_moved(payload: dict[str, Any], include: list[str] | None) -> None:
    """The matches are those of `results`, in that order, as often as they are there."""
    page = normalize(payload, include=include)
    assert [(one.collection, one.id) for one in page.items] == [(one["key"], one["id"]) for one in payload["results"]]
    for one in page.items:
        assert isinstance(one, entity_class(one.collection) or Entity)


@briefly
@given(envelopes())
def test_every_object_is_in_the_graph_once(payload: dict[str, Any]) -> None:
    """Of every collection, known or not, and nothing else is."""
    graph = normalize(payload).graph
    sent = {(key, id) for key, held in payload.items() if isinstance(held, dict) and key != "meta" for id in held}
    assert sorted((one.collection, one.id) for one in graph) == sorted(sent)
    for key, id in sent:
        found = graph.find(Ref(key, id))
        assert found is not None
        assert found in graph.collection(key)
        if key in COLLECTIONS:
            assert graph.get(type(found), id) is found


@briefly
@given(envelopes())
def test_links_lead_to_the_one_object_of_that_key_and_id(payload: dict[str, Any]) -> None:
    """Through every association of every object; what is not there is None, left out, or says so."""
    graph = normalize(payload).graph
    for one in graph:
        for association in one.associations.values():
            try:
                linked = getattr(one, association.name)
                targets = association.targets(one)
            except NotLoadedError:
                continue
            found = [graph.find(target) for target in targets]
            if isinstance(linked, tuple):
                assert all(a is b for a, b in zip(linked, (f for f in found if f is not None), strict=True))
            else:
                assert linked is (found[0] if found else None)
    for reference in graph.unresolved:
        assert graph.find(reference.target) is None


@briefly
@given(envelopes())
def test_plain_data_comes_back(payload: dict[str, Any]) -> None:
    """`to_dict` is what `from_dict` reads: a second trip changes nothing more, and names stay as they were sent."""
    for one in normalize(payload).graph:
        plain = one.to_dict()
        assert set(plain) == {"id", *payload[one.collection][one.id]}
        again = type(one).from_dict(plain)
        assert repr(again.to_dict()) == repr(plain)
        assert again.id == one.id


@briefly
@given(envelopes(), envelopes())
def test_a_growing_graph_keeps_identities(first: dict[str, Any], second: dict[str, Any]) -> None:
    """What came before is the same object afterwards, with every attribute that any answer sent."""
    graph = Graph()
    Reader(entity_class).page(first, graph=graph)
    before = {(one.collection, one.id): one for one in graph}
    Reader(entity_class).page(second, graph=graph)
    for (key, id), one in before.items():
        assert graph.find(Ref(key, id)) is one
        assert set(one.to_dict()) == {"id", *first[key][id], *second.get(key, {}).get(id, {})}
    assert len(graph) == len({(one.collection, one.id) for one in graph})


@briefly
@given(envelopes())
def test_the_order_of_collections_does_not_matter(payload: dict[str, Any]) -> None:
    """Nor that of the objects in them."""
    turned = {
        key: dict(reversed(value.items())) if isinstance(value, dict) else value
        for key, value in reversed(payload.items())
    }
    one, other = normalize(payload), normalize(turned)
    assert list(one.items) == list(other.items)
    assert [repr(item.to_dict()) for item in one.items] == [
        repr({name: item.to_dict()[name] for name in before.to_dict()})
        for before, item in zip(one.items, other.items, strict=True)
    ]
