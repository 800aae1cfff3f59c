"""A call's arguments checked against its operation, and laid out for the request."""

from __future__ import annotations

import enum
import keyword
from datetime import UTC, date, datetime
from typing import Any, Final

import attrs
import published
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kantata_async import UsageError, by_custom_field, path
from kantata_async.api import exports, participations, skills, stories, time_entries, timesheet_submissions, workspaces
from kantata_async.calls.operation import Call, Operation, check_call, check_row, fill_path
from kantata_async.calls.parameters import DAY, ID, IDS, INTEGER, TEXT, TEXTS, Array, Needed, Object

LISTING: Final[Operation[Any]] = Operation(
    method="GET",
    path="/things",
    filters={"workspace_id": Needed(ID), "ids": IDS, "due": DAY, "tags": TEXTS, "except": TEXT},
    includes=("user", "workspace"),
    optional_fields=("size", "weight"),
    orders=("title", "updated_at"),
    undirected_orders=("position",),
    paging=True,
    only=True,
    search=True,
    collection="things",
)
MAKING: Final[Operation[Any]] = Operation(
    method="POST",
    path="/things",
    includes=("user",),
    body_key="thing",
    body={"title": Needed(TEXT), "size": Object({"width": Needed(INTEGER)}), "user_ids": IDS},
    bulk_max=2,
    collection="things",
)
SORTING: Final[Operation[Any]] = Operation(
    method="PUT",
    path="/things/{id}/parts/{part_id}",
    body_key="parts",
    body=Array(Object({"title": Needed(TEXT)})),
)
BARE: Final[Operation[Any]] = Operation(method="GET", path="/things/{id}")


class Order(str, enum.Enum):  # noqa: UP042 - the older form, whose str() is not its value
    """Sort orders with names."""

    TITLE = "title:desc"


def query(operation: Operation[Any], **arguments: Any) -> dict[str, str]:
    """The query of a call."""
    return dict(check_call(operation, (), arguments).query)


# --- what is taken ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "wire"),
    [
        ({}, {}),
        ({"ids": [1, "2"]}, {"ids": "1,2"}),
        ({"due": date(2026, 1, 5)}, {"due": "2026-01-05"}),
        ({"tags": ["a", "b"]}, {"tags": "a,b"}),
        ({"except_": "x"}, {"except": "x"}),
        ({"include": ["user", path("workspace.creator")]}, {"include": "user,workspace"}),
        ({"include": []}, {}),
        ({"optional_fields": ["size", "weight", "size"]}, {"optional_fields": "size,weight"}),
        ({"optional_fields": ()}, {}),
        ({"order": "title"}, {"order": "title"}),
        ({"order": "title:asc"}, {"order": "title:asc"}),
        ({"order": Order.TITLE}, {"order": "title:desc"}),
        ({"order": "position"}, {"order": "position"}),
        ({"only": [3, "1"]}, {"only": "3,1"}),
        ({"only": range(1, 201)}, {"only": ",".join(map(str, range(1, 201)))}),
        ({"search": " x "}, {"search": " x "}),
        ({"per_page": 1}, {"per_page": "1"}),
        ({"per_page": 200}, {"per_page": "200"}),
    ],
)
def test_arguments_become_a_query(arguments: dict[str, Any], wire: dict[str, str]) -> None:
    """Comma-separated, without spaces; what is empty is left out."""
    assert query(LISTING, workspace_id="7", **arguments) == {"workspace_id": "7", **wire}


def test_a_call_is_laid_out() -> None:
    """Path, query, body and what to include."""
    call = check_call(
        MAKING, (), {"title": "x", "size": {"width": 3}, "user_ids": ["9"], "include": [path("user.role")]}
    )
    assert isinstance(call, Call)
    assert (call.method, call.path) == ("POST", "/things")
    assert call.query == {"include": "user"}
    assert call.body == {"thing": {"title": "x", "size": {"width": 3}, "user_ids": [9]}}
    assert call.inclusion.deeper == (("user", "role"),)


def test_a_body_may_be_a_list() -> None:
    """Under the key that the operation names."""
    call = check_call(SORTING, (1, "2"), {"parts": [{"title": "a"}]})
    assert (call.path, call.body) == ("/things/1/parts/2", {"parts": [{"title": "a"}]})
    with pytest.raises(UsageError, match=r"PUT /things/\{id\}/parts/\{part_id\} needs parts"):
        check_call(SORTING, (1, 2), {})
    with pytest.raises(UsageError, match=r"parts\[1\] needs title"):
        check_call(SORTING, (1, 2), {"parts": [{"title": "a"}, {}]})


# --- what is refused -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"workspce_id": 7}, "GET /things takes no 'workspce_id'; did you mean 'workspace_id'"),
        ({"page": 2}, "takes no 'page'"),
        ({"limit": 2}, "takes no 'limit'"),
        ({"except": "x"}, "takes no 'except'; did you mean 'except_'"),
        ({"title": "x"}, "takes no 'title'"),
        ({"tags": None}, "tags takes text"),
        ({"tags": []}, "tags takes at least one value"),
        ({"ids": []}, "ids takes at least one value"),
        ({"ids": set()}, "ids takes at least one value"),
        ({"ids": "1,2"}, "ids takes a list"),
        ({"due": datetime(2026, 1, 5, tzinfo=UTC)}, r"due takes a date.*\.date\(\)"),
        ({"include": "user"}, r"include takes a list: include=\['user'\]"),
        ({"include": ["usr"]}, "'usr' cannot be included here; did you mean 'user'"),
        ({"optional_fields": "size"}, "optional_fields takes a list, not 'size'"),
        ({"optional_fields": {"size"}}, "optional_fields takes a list"),
        ({"optional_fields": ["siz"]}, "'siz' is not an optional field here; did you mean 'size'"),
        ({"optional_fields": [["size"]]}, "is not an optional field here"),
        ({"optional_fields": [None]}, "None is not an optional field here"),
        ({"order": "titel"}, "order does not take 'titel'; did you mean 'title'"),
        ({"order": "title:down"}, "order does not take 'title:down'; did you mean"),
        ({"order": "title:DESC"}, "order does not take 'title:DESC'"),
        ({"order": "title,updated_at"}, "order does not take"),
        ({"order": "position:asc"}, "order does not take 'position:asc'; did you mean 'position'"),
        ({"order": ""}, "order does not take ''"),
        ({"order": None}, "order does not take None"),
        ({"order": ["title"]}, "order does not take"),
        ({"order": by_custom_field(42)}, "order does not take 'custom_field:42:asc'"),
        ({"only": []}, "only takes 1 to 200 ids, not 0"),
        ({"only": range(201)}, "only takes 1 to 200 ids, not 201; get_many takes any number"),
        ({"only": "1,2"}, "only takes a list of ids, not '1,2'"),
        ({"only": 7}, "only takes a list of ids, not 7"),
        ({"only": ["1,2"]}, "only takes an id such as"),
        ({"only": [True]}, "only takes an id such as"),
        ({"search": ""}, "search takes some text, not ''"),
        ({"search": " "}, "search takes some text"),
        ({"search": None}, "search takes some text"),
        ({"search": 7}, "search takes some text, not 7"),
        ({"per_page": 0}, "per_page takes 1 to 200, not 0"),
        ({"per_page": 201}, "per_page takes 1 to 200, not 201"),
        ({"per_page": True}, "per_page takes 1 to 200, not True"),
        ({"per_page": "20"}, "per_page takes 1 to 200, not '20'"),
        ({"per_page": 20.0}, "per_page takes 1 to 200, not 20.0"),
    ],
)
def test_wrong_arguments_are_refused(arguments: dict[str, Any], says: str) -> None:
    """The server would ignore them in silence."""
    with pytest.raises(UsageError, match=says):
        check_call(LISTING, (), {"workspace_id": 7, **arguments})


@pytest.mark.parametrize("name", ["include", "optional_fields", "order", "only", "search", "per_page"])
def test_what_an_operation_does_not_take_is_unknown_to_it(name: str) -> None:
    """Whatever the value."""
    for value in ([], None, "x", 1):
        with pytest.raises(UsageError, match=rf"GET /things/\{{id\}} takes no '{name}'"):
            check_call(BARE, (1,), {name: value})


def test_what_is_needed_is_asked_for() -> None:
    """A filter, a field, and a field of a field."""
    with pytest.raises(UsageError, match="GET /things needs workspace_id"):
        check_call(LISTING, (), {})
    with pytest.raises(UsageError, match="workspace_id takes an id such as 42 or '42', not None"):
        check_call(LISTING, (), {"workspace_id": None})
    with pytest.raises(UsageError, match="needs title"):
        check_call(MAKING, (), {})
    with pytest.raises(UsageError, match=r"size needs width"):
        check_call(MAKING, (), {"title": "x", "size": {}})


@pytest.mark.parametrize(
    "id", ["", "../users/1", "1/2", "1?x=1", "1#", "1\r\n", "%2e%2e", ".", "\u0664", None, True, -1, 1.5]
)
def test_an_id_cannot_leave_its_place(id: Any) -> None:
    """The message names the part of the path."""
    with pytest.raises(UsageError, match=r"^id takes an id"):
        check_call(BARE, (id,), {})
    with pytest.raises(UsageError, match=r"^part_id takes an id"):
        fill_path(SORTING.path, (1, id))


argument_names = st.sampled_from(["workspace_id", "ids", "order", "only", "search", "include", "per_page", "zzz"])
argument_values = st.none() | st.integers() | st.text() | st.lists(st.text() | st.integers(), max_size=3)


@given(st.dictionaries(argument_names | st.text(max_size=3), argument_values))
def test_any_arguments_are_taken_or_refused(arguments: dict[str, Any]) -> None:
    """With UsageError and nothing else; what is taken is text."""
    try:
        call = check_call(LISTING, (), arguments)
    except UsageError:
        return
    assert all(type(value) is str for value in call.query.values())
    assert "workspace_id" in call.query


# --- rows ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ({}, "^row 3 needs title"),
        ({"title": 7}, r"^row 3\.title takes text, not 7"),
        ({"titel": "x"}, r"^row 3\.titel is not a field here; did you mean 'title'"),
        ({"title": "x", "include": ["user"]}, r"^row 3\.include is not a field here"),
        ({"title": "x", "size": {}}, r"^row 3\.size needs width"),
        ({"title": "x", "user_ids": [1, ""]}, r"^row 3\.user_ids\[1\] takes an id"),
        (None, "^row 3 must be a mapping, not None"),
        ("title", "^row 3 must be a mapping"),
        ([("title", "x")], "^row 3 must be a mapping"),
    ],
)
def test_a_wrong_row_is_refused_by_its_position(row: Any, says: str) -> None:
    """Before any is sent."""
    with pytest.raises(UsageError, match=says):
        check_row(MAKING, row, 3)


def test_a_row_is_checked_into_json() -> None:
    """As it goes on the wire; the caller's own stays as it is."""
    row = {"title": "x", "user_ids": ("9", 8), "size": None}
    assert check_row(MAKING, row, 0) == {"title": "x", "user_ids": [9, 8], "size": None}
    assert row["user_ids"] == ("9", 8)
    with pytest.raises(UsageError, match="GET /things creates nothing"):
        check_row(LISTING, {}, 0)


@pytest.mark.parametrize("ids", [[1], ("1",), {1}, frozenset({"1"}), range(1, 2)])
def test_only_takes_what_holds_ids(ids: Any) -> None:
    """Any collection but a text."""
    assert check_call(LISTING, (), {"workspace_id": 7, "only": ids}).query["only"] == "1"


def test_an_error_names_no_method_that_is_not_there() -> None:
    """What comes outside the envelope has no `get_many`."""
    outside = attrs.evolve(LISTING, collection=None)
    with pytest.raises(UsageError, match=r"not 201$"):
        check_call(outside, (), {"workspace_id": 7, "only": range(201)})


# --- operations as they are ------------------------------------------------------------------------------------------


def test_orders_by_a_custom_field() -> None:
    """Where the list takes it, with the id of the field and a direction."""
    assert query(workspaces.LIST, order=by_custom_field(42)) == {"order": "custom_field:42:asc"}
    assert query(workspaces.LIST, order=by_custom_field("42", descending=True)) == {"order": "custom_field:42:desc"}
    assert query(workspaces.LIST, order="custom_field:42") == {"order": "custom_field:42"}


@pytest.mark.parametrize(
    "order",
    [
        "custom_field",
        "custom_field:",
        "custom_field:x",
        "custom_field:<custom_field_id>",
        "custom_field:42:up",
        "custom_field:<custom_field_id>:asc",
        "custom_field:٤٢",
        "custom_field:42:asc\n",
        "custom_field:4 2",
    ],
)
def test_what_is_no_order_by_a_custom_field(order: str) -> None:
    """The placeholder of the description is none, nor are digits of other scripts."""
    with pytest.raises(UsageError, match="order does not take") as caught:
        check_call(workspaces.LIST, (), {"order": order})
    assert "did you mean 'custom_field:<" not in str(caught.value)


def test_a_custom_field_has_an_id() -> None:
    """One that could leave its place is refused when the order is made."""
    with pytest.raises(UsageError, match="takes an id"):
        by_custom_field("42:asc,title")


def test_sort_fields_without_direction_take_none() -> None:
    """Sent with one, the server would fall back to its default order."""
    for field in ("importance", "parent_and_position", "position"):
        assert query(stories.LIST, order=field) == {"order": field}
        with pytest.raises(UsageError, match=f"did you mean '{field}'"):
            check_call(stories.LIST, (), {"order": f"{field}:asc"})


@pytest.mark.parametrize("operation", [workspaces.LIST, stories.LIST, time_entries.LIST], ids=str)
def test_everything_stands_for_the_filters_that_lift_others(operation: Operation[Any]) -> None:
    """As the corrections of the catalogue list them; one that is given beside it is kept."""
    lifted = {name: str(value).lower() for name, value in operation.reveal.items()}
    assert lifted
    assert query(operation, everything=True) == lifted
    assert query(operation, everything=False) == {}
    name = next(iter(lifted))
    assert query(operation, everything=True, **{name: False})[name] == "false"
    for wrong in ("yes", 1, None):
        with pytest.raises(UsageError, match="everything takes True or False"):
            check_call(operation, (), {"everything": wrong})


def test_everything_is_unknown_where_nothing_is_left_out() -> None:
    """So that nobody relies on it there."""
    with pytest.raises(UsageError, match="takes no 'everything'"):
        check_call(participations.LIST, (), {"workspace_id": 7, "everything": True})


def test_a_word_of_the_language_gets_an_underscore() -> None:
    """And keeps its name on the wire; `except` is the only one."""
    assert query(skills.LIST, except_="7")["except"] == "7"
    words = {
        name
        for operation in published.operations().values()
        for arguments in (operation.get("filters", {}), operation.get("body", {}))
        for name in arguments
        if keyword.iskeyword(name.rstrip("!"))
    }
    assert words == {"except"}


def test_typical_calls() -> None:
    """As the design shows them."""
    create = check_call(
        participations.CREATE, (), {"workspace_id": 7, "user_id": "9", "role": "maven", "include": ["user"]}
    )
    assert create.body == {"participation": {"workspace_id": 7, "user_id": 9, "role": "maven"}}
    assert create.query == {"include": "user"}
    update = check_call(participations.UPDATE, ("42",), {"team_lead": True})
    assert (update.path, update.body) == ("/participations/42", {"participation": {"team_lead": True}})
    approve = check_call(timesheet_submissions.APPROVE, (5,), {"description": "fine"})
    assert (approve.method, approve.path) == ("PUT", "/timesheet_submissions/5/approve")
    assert approve.body == {"resolution": {"description": "fine"}}
    export = {"users": {"columns": ["id"], "filters": {"start_date": date(2026, 1, 5)}}}
    assert check_call(exports.CREATE, (), {"export_definition": export}).body == {
        "export": {"export_definition": {"users": {"columns": ["id"], "filters": {"start_date": "2026-01-05"}}}}
    }
