"""Every operation of the catalogue, asked for with the least that it takes, answers its status and its shape."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any

import aiohttp
import pytest

from kantata_async.catalogue import CatalogueOperation, Definition, Field, Type, load
from kantata_async.sandbox import Sandbox
from kantata_async.sandbox.backend.inflection import plural
from kantata_async.sandbox.backend.references import References

pytestmark = pytest.mark.company(people=20, projects=6)

CATALOGUE = load()
REFERENCES = References(CATALOGUE)
OPERATIONS = sorted(
    CATALOGUE.operations.values(), key=lambda o: (["GET", "POST", "PUT", "DELETE"].index(o.method), o.path)
)

NUMBERED = {"account_id", "rate_card_id", "subject_id", "workspace_invoice_preference_id"}
MOMENT = "2026-09-01T08:00:00-07:00"

CSV_FILES = {
    "/project_accounting_records/import_csv": (
        "Project ID,Period Start Date,Period End Date,Currency\n1,2026-01-01,2026-02-01,USD\n"
    ),
    "/foreign_exchange/exchange_tables/{id}/rates": (
        "Source Currency,Target Currency,Exchange Rate,Effective Date\nEUR,USD,1.1,2026-01-01\n"
    ),
}

VALUES: dict[tuple[str, str], Any] = {
    ("POST /account_rate_cards_activations", "rate_card_set_version_id"): 1,
    ("GET /recommendations/estimate_scenario_resource", "id"): 1,
    ("POST /custom_field_values", "subject_id"): 2,
    ("POST /exports", "export_definition"): {"users": {"columns": ["full_name"]}},
    ("POST /custom_field_values", "subject_type"): "Workspace",
    ("PUT /resource_requests/{id}", "request_resolution_status"): "approve",
    ("PUT /workspaces/{id}/apply_template", "project_tracker_template_id"): 1,
}


def resource(operation: CatalogueOperation) -> str:
    segments = operation.path.strip("/").split("/")
    known = {"foreign_exchange": "exchange_tables", "scheduled_jobs": "insights_report_exports"}
    return known.get(segments[0], segments[0])


def sample(field: Field, collection: str, sandbox: Sandbox) -> Any:
    """The least value of a field: an existing id, a value of the list, or something of its type."""
    if field.name.endswith("_id") and field.type.kind != "array":
        return some_id(collection, field.name, sandbox)
    if field.values:
        return "User" if "User" in field.values else field.values[0]
    return sample_of(field.type, field.name, collection, sandbox)


def sample_of(kind: Type, name: str, collection: str, sandbox: Sandbox) -> Any:
    if kind.kind in {"array", "map"} and kind.of is not None:
        numbered = name.endswith("_ids")
        one = some_id(collection, name, sandbox) if numbered else sample_of(kind.of, name, collection, sandbox)
        return [one] if kind.kind == "array" else {"users": one}
    if kind.kind == "fields":
        return {f.name: sample(f, collection, sandbox) for f in kind.fields if f.required}
    samples: dict[str, Any] = {"integer": 5, "number": 1.5, "boolean": True, "date": "2026-09-01", "date-time": MOMENT}
    return kind.values[0] if kind.kind == "enum" else samples.get(kind.kind, "EUR")


def some_id(collection: str, name: str, sandbox: Sandbox) -> int:
    key = REFERENCES.key(collection, name)
    return int(next(iter(sandbox.store.records(key)))) if key else 1


def minimal_body(operation: CatalogueOperation, sandbox: Sandbox) -> Any:
    route = f"{operation.method} {operation.path}"
    collection = operation.collection or resource(operation)
    if isinstance(operation.body, Type):
        assert operation.body.of is not None
        row = {f.name: sample(f, collection, sandbox) for f in operation.body.of.fields if f.required}
        return {operation.body_key: [row]}
    fields = [f for f in operation.body if f.required] or list(operation.body[:1])
    fields += [f for f in operation.body if (route, f.name) in VALUES and f not in fields]
    body = {f.name: VALUES.get((route, f.name), sample(f, collection, sandbox)) for f in fields}
    return {operation.body_key: body} if operation.body_key else body


def form_of(operation: CatalogueOperation, sandbox: Sandbox) -> aiohttp.FormData:
    form = aiohttp.FormData()
    prefix, suffix = (f"{operation.body_key}[", "]") if operation.body_key else ("", "")
    assert isinstance(operation.body, tuple)
    for field in operation.body:
        if field.name == operation.upload:
            content = CSV_FILES.get(operation.path, "picture").encode()
            form.add_field(f"{prefix}{field.name}{suffix}", content, filename="file.bin", content_type="image/png")
        elif field.required:
            form.add_field(f"{prefix}{field.name}{suffix}", str(sample(field, resource(operation), sandbox)))
    return form


def path_of(operation: CatalogueOperation, sandbox: Sandbox) -> str:
    path = operation.path
    collection = operation.collection if operation.path.endswith("/{id}") else None
    for param in operation.path_params:
        key = collection or resource(operation)
        if param.name != "id":
            key = REFERENCES.key("", param.name) or "insights_report_exports"
        identity = _usable(operation, sandbox, key)
        path = path.replace(f"{{{param.name}}}", identity)
    return path


def _usable(operation: CatalogueOperation, sandbox: Sandbox, key: str) -> str:
    """The first object, which no default filter hides; a fresh one where deleting or resolving uses it up."""
    records = sandbox.store.records(key)
    if operation.method == "GET":
        hidden = ("archived", "deleted_at")
        return next(i for i, r in records.items() if not any(r.get(name) for name in hidden))
    if operation.method == "PUT" and key == "exports":
        return sandbox.store.add(key, {"status": "pending"})
    if key in {"timesheet_submissions", "expense_report_submissions", "invoices"} or (
        operation.method == "DELETE" and operation.path.endswith("{id}")
    ):
        return sandbox.store.add(
            key, {} if key in CATALOGUE.collections else dict(next(iter(records.values())), id=None)
        )
    return next(iter(records))


SCALARS: dict[str, Callable[[Any], bool]] = {
    "string": lambda value: isinstance(value, str),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "number": lambda value: isinstance(value, (int, float)),
    "boolean": lambda value: isinstance(value, bool),
    "date": lambda value: isinstance(value, str) and bool(date.fromisoformat(value[:10])),
    "date-time": lambda value: isinstance(value, str) and bool(datetime.fromisoformat(value)),
}


def conforms(kind: Type, value: Any) -> bool:
    """Whether a value has a type of the catalogue; anything may be null."""
    if value is None:
        return True
    if kind.kind == "array" and kind.of is not None:
        return isinstance(value, list) and all(conforms(kind.of, entry) for entry in value)
    if kind.kind == "map" and kind.of is not None:
        return isinstance(value, dict) and all(conforms(kind.of, entry) for entry in value.values())
    if kind.kind == "fields":
        return isinstance(value, dict) and all(conforms(part.type, value.get(part.name)) for part in kind.fields)
    return SCALARS.get(kind.kind, lambda _: True)(value)


def assert_object(definition: Definition, shown: Mapping[str, Any]) -> None:
    refs = {association.ref for association in definition.associations}
    for name, value in shown.items():
        field = definition.attributes.get(name)
        assert field is not None or name == "id" or name in refs, f"{definition.name}.{name}"
        if name.endswith("_id") or name == "id":
            number = field is not None and name in NUMBERED and field.type.kind == "integer"
            assert value is None or type(value) is (int if number else str), f"{definition.name}.{name}={value!r}"
        elif field is not None:
            assert conforms(field.type, value), f"{definition.name}.{name}={value!r}"


def assert_envelope(operation: CatalogueOperation, payload: Any) -> None:
    assert {"count", "results", "meta", operation.collection} <= payload.keys()
    assert payload["count"] == payload["meta"]["count"] >= len(payload["results"])
    for result in payload["results"]:
        assert result["id"] in payload[result["key"]]
    for key, objects in payload.items():
        if key not in {"count", "results", "meta"}:
            for identity, shown in objects.items():
                assert shown["id"] == identity
                assert_object(CATALOGUE.collections[key], shown)


async def send(
    session: aiohttp.ClientSession, sandbox: Sandbox, operation: CatalogueOperation, **extra: str
) -> tuple[int, str, bytes]:
    route = f"{operation.method} {operation.path}"
    query = {
        f.name: VALUES.get((route, f.name), sample(f, operation.collection or "", sandbox))
        for f in operation.filters
        if f.required
    }
    if operation.method == "DELETE" and not operation.path_params:
        query["ids"] = sandbox.store.add(resource(operation))
    if operation.path == "/workspace_allocations/split":
        day = {"start_date": "2026-08-25", "end_date": "2026-09-25", "minutes": 600}
        sandbox.store.update("workspace_allocations", "1", day)
    if operation.path in {"/timesheet_rejections", "/timesheet_cancellations"}:
        sandbox.store.update("timesheet_submissions", "1", {"status": "pending"})
    body: dict[str, Any] = {}
    if operation.multipart:
        body["data"] = form_of(operation, sandbox)
    elif operation.body_key or operation.body:
        body["json"] = minimal_body(operation, sandbox)
    url = f"{sandbox.url}{path_of(operation, sandbox)}"
    params = {name: str(value) for name, value in {**query, **extra}.items()}
    headers = {"Authorization": f"Bearer {sandbox.token}"}
    async with session.request(operation.method, url, params=params, headers=headers, **body) as response:
        assert response.headers["x-request-id"]
        return response.status, response.content_type, await response.read()


async def test_every_operation_answers_its_status_and_shape(sandbox: Sandbox) -> None:
    """All 419, one after another on one company, each with its minimal request."""
    failures = []
    async with aiohttp.ClientSession() as session:
        for operation in OPERATIONS:
            route = f"{operation.method} {operation.path}"
            status, content_type, body = await send(session, sandbox, operation)
            try:
                assert status == operation.status, body.decode()[:300]
                if content_type == "text/csv":
                    assert operation.csv
                elif operation.collection:
                    assert_envelope(operation, json.loads(body))
                elif operation.response_other:
                    payload = json.loads(body)
                    assert payload is not None
                    assert conforms(operation.response_other, payload)
                else:
                    assert body == b""
            except AssertionError as error:
                failures.append(f"{route}: {error}")
    assert not failures, "\n".join(failures)
    assert len(OPERATIONS) == 419


async def test_every_list_answers_an_envelope_with_all_its_includes(sandbox: Sandbox) -> None:
    """No list is empty, and every association of every list can be included at once."""
    sandbox.store.update("users", "2", {"headline": "Architect"})  # an event, as the change feed begins with none
    async with aiohttp.ClientSession() as session:
        for operation in OPERATIONS:
            if operation.method == "GET" and not operation.path_params and operation.collection and not operation.csv:
                extra = {
                    "include": ",".join(a.name for a in operation.includes),
                    "optional_fields": ",".join(operation.optional_fields),
                }
                asked = {name: text for name, text in extra.items() if text}
                status, _, body = await send(session, sandbox, operation, **asked)
                payload = json.loads(body)
                assert status == 200, (operation.path, payload)
                assert payload["results"], operation.path
                assert_envelope(operation, payload)
                for association in operation.includes:
                    assert association.key is None or association.key in payload, (operation.path, association.name)


async def test_every_bulk_create_takes_an_array_and_refuses_one_too_many(sandbox: Sandbox) -> None:
    """The plural key holds at most `bulk_max` objects; more are a 422 and nothing is created."""
    headers = {"Authorization": f"Bearer {sandbox.token}"}
    async with aiohttp.ClientSession(headers=headers) as session:
        for operation in (o for o in OPERATIONS if o.bulk_max):
            body = minimal_body(operation, sandbox)[operation.body_key]
            url = sandbox.url + operation.path
            # An object has one value of a custom field: two rows have to be about two objects.
            other = {**body, "subject_id": 3} if operation.collection == "custom_field_values" else body
            async with session.post(url, json={plural(str(operation.body_key)): [body, other]}) as response:
                payload = await response.json()
                assert response.status == 200, (operation.path, payload)
                assert len(payload["results"]) == 2
            count = sandbox.store.count(str(operation.collection))
            too_many = [body] * ((operation.bulk_max or 0) + 1)
            async with session.post(url, json={plural(str(operation.body_key)): too_many}) as response:
                assert response.status == 422
            assert sandbox.store.count(str(operation.collection)) == count
