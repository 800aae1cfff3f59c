"""Every operation of the catalogue, called through its typed method against the sandbox.

What should arrive is laid out here from the published YAML, read with nothing but a YAML parser: neither the package's
reading of the catalogue nor its generated tables can hide a mistake of theirs.
"""

from __future__ import annotations

import asyncio
import re
from datetime import UTC, date, datetime
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import pytest
import yaml
from waiting import until
from wire import Server, hang

from kantata_async import APIError, KantataSession, ListQuery, may_be_carried_out
from kantata_async.api import Resources
from kantata_async.sandbox import LoggedRequest, Sandbox

pytestmark = pytest.mark.company(people=30, projects=4)

CATALOGUE = Path(__file__).parents[1] / "kantata_async" / "catalogue"
MOMENT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
UPLOADED = ("rows.csv", b"a,b\n1,2\n")


def read(path: Path) -> Any:
    """What a file of YAML says; by the parser in C, which takes a tenth of the time, where there is one."""
    return yaml.load(path.read_text(encoding="utf-8"), getattr(yaml, "CSafeLoader", yaml.SafeLoader))


@cache
def corrections() -> dict[str, Any]:
    """What was decided where the description contradicts itself."""
    corrections: dict[str, Any] = read(CATALOGUE / "corrections.yaml")
    return corrections


@cache
def published() -> dict[tuple[str, str], dict[str, Any]]:
    """Every operation as published, with the corrections laid over it."""
    operations = {}
    for file in sorted((CATALOGUE / "operations").glob("*.yaml")):
        for operation in read(file)["operations"]:
            correction = corrections()["operations"].get(f"{operation['method']} {operation['path']}", {})
            body = operation.get("body") or {}
            corrected = {**operation, **correction.get("set", {})}
            if "body_from" in correction:
                corrected["body"] = body[correction["body_from"]]
            operations[operation["method"], operation["path"]] = corrected
    return operations


@cache
def methods() -> dict[tuple[str, str], tuple[str, str]]:
    """The resource and the method of each operation, found by looking at the resources themselves."""
    found = {}
    session = Resources(connection=None)  # type: ignore[arg-type]  # nothing is called
    for attribute, member in vars(Resources).items():
        if isinstance(member, cached_property):
            for name, operation in getattr(session, attribute).operations.items():
                found[operation.method, operation.path] = attribute, name
    return found


def example(line: str | dict[str, Any]) -> Any:
    """A value of a type of the catalogue, as a user would give it."""
    match line:
        case str():
            return scalar(line)
        case {"[]": item}:
            return [example(item)]
        case {"{}": item}:
            return {"any": example(item)}
        case _:
            return {name.removesuffix("!"): example(part) for name, part in line.items()}


def scalar(line: str) -> Any:
    """A value of a type that one line tells."""
    values = re.search(r"values\(([^)]*)\)", line)
    kind = re.match(r"enum<([^>]*)>|[a-z-]+(<\w+>)?", line)
    assert kind is not None, line
    if kind[1]:
        return kind[1].split("|")[0]
    if values and values[1] == "true|false":
        return True
    plain: dict[str, Any] = {
        "integer": int(values[1].split("|")[0]) if values and values[1][0].isdigit() else 1,
        "string": values[1].split("|")[0] if values else "1",
        "number": 1.5,
        "boolean": True,
        "date": MOMENT.date(),
        "date-time": MOMENT,
        "array<integer>": [1],
        "array<string>": ["1"],
    }
    return plain[kind[0]]


def in_query(value: Any) -> str:
    """A value as it should stand in a query."""
    if isinstance(value, list):
        return ",".join(map(in_query, value))
    if isinstance(value, date):
        return value.isoformat()
    return str(value).lower() if isinstance(value, bool) else str(value)


def in_body(value: Any) -> Any:
    """A value as it should stand in a JSON body."""
    match value:
        case dict():
            return {name: in_body(part) for name, part in value.items()}
        case list():
            return [in_body(part) for part in value]
        case date():
            return value.isoformat()
        case _:
            return value


def standard(operation: dict[str, Any]) -> dict[str, Any]:
    """Every standard parameter that an operation takes, but those that would hide what the test looks for."""
    takes = operation.get("standard_params") or []
    arguments: dict[str, Any] = {}
    if "include" in takes:
        arguments["include"] = list(operation["include"])
    if "optional_fields" in takes:
        arguments["optional_fields"] = operation["optional_fields"]
    if "only" in takes:
        arguments["only"] = [1, "2"]
    if "order" in takes:
        bare = corrections()["undirected_orders"].get(operation["path"], {"fields": []})["fields"]
        arguments["order"] = next(f"{field}:desc" for field in operation["order"]["fields"] if field not in bare)
    if "search" in takes:
        arguments["search"] = "a b"
    return arguments


def fields(operation: dict[str, Any], *, all_of_them: bool) -> tuple[dict[str, Any], dict[str, Any]]:
    """The filters and the body of a call: all that there are, or only what must be given."""
    filters = {
        name: example(line)
        for name, line in (operation.get("filters") or {}).items()
        if all_of_them or re.match(r"[^ ]*!", line)
    }
    body = operation.get("body") or {}
    if set(body) == {"[]"}:
        return filters, {operation["body_key"]: [example(body["[]"])]}
    return filters, {
        name.removesuffix("!"): UPLOADED if name == operation.get("upload") else example(line)
        for name, line in body.items()
        if all_of_them or name.endswith("!") or (isinstance(line, str) and re.match(r"[^ ]*!", line))
    }


SUITABLE: dict[tuple[str, str], dict[str, Any]] = {
    # What the domain asks for beyond the types: a file with the right columns, a currency that the rates know …
    ("POST", "/foreign_exchange/exchange_tables/{id}/rates"): {
        "exchange_rates": [{"source_currency": "USD", "target_currency": "EUR", "exchange_rate": "0.9"}]
    },
    ("POST", "/project_accounting_records/import_csv"): {
        "file": ("rows.csv", b"Project ID,Period Start Date,Period End Date,Currency\n1,2026-01-01,2026-01-31,USD\n")
    },
    ("POST", "/attachments"): {"data": UPLOADED},
    ("POST", "/exports"): {"export_definition": {"users": {"columns": ["id", "full_name"]}}},
    ("POST", "/custom_field_values"): {"subject_type": "Workspace"},
    ("PUT", "/rate_card_set_versions/{rate_card_set_version_id}/rate_card_table_rows/{role_id}"): {
        "rates": [{"currency": "USD", "rate": 25000}]
    },
    ("PUT", "/workspaces/{id}/apply_template"): {"project_tracker_template_id": 1},
}


def suitable(sandbox: Sandbox, route: tuple[str, str]) -> dict[str, Any]:
    """The arguments of a call for which the types alone do not make sense."""
    if route == ("PUT", "/workspace_allocations/split"):
        month = {"start_date": "2026-09-01", "end_date": "2026-09-30"}
        allocation = sandbox.store.add(
            "workspace_allocations", {**sandbox.store.all("workspace_allocations")[0], **month}
        )
        return {"workspace_allocation_id": allocation, "split_date": date(2026, 9, 15)}
    return SUITABLE.get(route, {})


def target_of(sandbox: Sandbox, route: tuple[str, str]) -> int:
    """The id that a call is made for; of a delete a new one, as Kantata keeps what is in use."""
    method, path = route
    if route == ("PUT", "/exports/{id}"):
        return int(sandbox.store.add("exports", {"status": "pending"}))
    if method == "DELETE" and path.endswith("/{id}"):
        return int(sandbox.store.add(path.split("/")[1], {}))
    return 1


async def call(kantata: KantataSession, route: tuple[str, str], arguments: dict[str, Any], *, id: int = 1) -> Any:
    """Call an operation through its typed method; a list is asked for its first page."""
    attribute, name = methods()[route]
    ids = [id] * route[1].count("{")
    parameters = {f"{name}_" if name == "except" else name: value for name, value in arguments.items()}
    called = getattr(getattr(kantata, attribute), name)(*ids, **parameters)
    return await (called.page(1) if isinstance(called, ListQuery) else called)


ROUTES = [pytest.param(route, id=" ".join(route)) for route in published()]


def test_each_operation_has_a_method() -> None:
    """419 operations are 419 methods, and no method is of another operation."""
    assert len(published()) == 419
    assert methods().keys() == published().keys()
    assert len(set(methods().values())) == 419


def check_query(logged: LoggedRequest, expected: dict[str, str], *, paged: bool) -> None:
    """The query that arrived is what was meant, and what every page of a list asks for."""
    pages = {"page": "1", "per_page": "200"} if paged else {}
    assert logged.query == expected | pages


def check_body(logged: LoggedRequest, operation: dict[str, Any], body: dict[str, Any]) -> None:
    """The body that arrived is what was meant, under its key, as JSON or as a form with the file in it."""
    key = operation.get("body_key")
    if not body:
        assert logged.body is None
        assert not logged.form
    elif operation.get("upload") in body:
        assert logged.body is None
        assert logged.form is not None
        form = logged.form if key is None else logged.form[key]
        file = form[operation["upload"]]
        assert (file.filename, file.content) == UPLOADED
        assert form.keys() == body.keys()
    else:
        inner = in_body(body)
        listed = set(operation["body"]) == {"[]"}
        assert logged.body == (inner if key is None or listed else {key: inner})


@pytest.mark.parametrize("route", ROUTES)
async def test_everything_given_arrives(sandbox: Sandbox, kantata: KantataSession, route: tuple[str, str]) -> None:
    """Method, path, query and body of a call with all its parameters are those of the catalogue."""
    operation = published()[route]
    filters, body = fields(operation, all_of_them=True)
    arguments = standard(operation)
    refused = None
    try:
        await call(kantata, route, filters | body | arguments)
    except APIError as error:
        refused = error
    logged = sandbox.requests[-1]
    assert len(sandbox.requests) == 1
    # Everything at once may contradict itself; what the sandbox does not know at all, it answers with a 400.
    assert refused is None or refused.status in {404, 422}, refused
    assert (logged.method, logged.path) == (route[0], re.sub(r"{\w+}", "1", route[1]))
    paged = "per_page" in (operation.get("standard_params") or [])
    expected = {name: in_query(value) for name, value in filters.items()}
    check_query(logged, expected | {name: in_query(value) for name, value in arguments.items()}, paged=paged)
    check_body(logged, operation, body)


@pytest.mark.parametrize("route", ROUTES)
async def test_what_must_be_given_is_enough(sandbox: Sandbox, kantata: KantataSession, route: tuple[str, str]) -> None:
    """A call with what must be given, and nothing else, is answered, and the answer can be read."""
    operation = published()[route]
    filters, body = fields(operation, all_of_them=False)
    await call(kantata, route, filters | body | suitable(sandbox, route), id=target_of(sandbox, route))
    assert sandbox.requests[-1].status == (operation["status"] or 200)


def calls_with_enough() -> list[tuple[tuple[str, str], dict[str, Any]]]:
    """Every operation with what must be given."""
    calls = []
    for route, operation in published().items():
        filters, body = fields(operation, all_of_them=False)
        split = {"workspace_allocation_id": 1, "split_date": MOMENT.date()}
        needed = split if route == ("PUT", "/workspace_allocations/split") else SUITABLE.get(route, {})
        calls.append((route, filters | body | needed))
    return calls


async def ended(task: asyncio.Task[Any]) -> BaseException:
    """What a task ends with that is cancelled."""
    task.cancel()
    with pytest.raises(asyncio.CancelledError) as caught:
        await task
    return caught.value


async def test_an_interrupted_call_says_whether_it_may_have_been_carried_out() -> None:
    """Each write that was on its way may have been; no read was, and nothing that stood in line yet."""
    calls = calls_with_enough()
    async with (
        Server([hang] * (len(calls) + 1)) as server,
        KantataSession(token="t", base_url=server.url, rate_limit=None, concurrency=1) as kantata,
    ):
        for number, (route, arguments) in enumerate(calls, 1):
            task = asyncio.create_task(call(kantata, route, arguments))
            await until(lambda number=number: len(server.received) == number)  # type: ignore[misc]
            assert may_be_carried_out(await ended(task)) is (route[0] != "GET"), route
        first = asyncio.create_task(kantata.users.me())
        await until(lambda: len(server.received) == len(calls) + 1)
        waiting = [(route, asyncio.create_task(call(kantata, route, arguments))) for route, arguments in calls]
        for _ in range(20):
            await asyncio.sleep(0)
        for route, task in waiting:
            assert may_be_carried_out(await ended(task)) is False, route
        await ended(first)
        assert len(server.received) == len(calls) + 1
