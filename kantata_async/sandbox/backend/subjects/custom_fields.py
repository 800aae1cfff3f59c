"""Custom fields: sets, fields, choices and values."""

from __future__ import annotations

from typing import Any, Final

from ..answer import Answer
from ..associations import inverse
from ..company import Company, ParsedRequest
from ..inflection import collection_of_class, singular
from ..predicates import Predicate, about, among, beyond, equal, matching
from ..refusals import Refusal, invalid_field
from ..routes import route
from ..rules import CollectionRules, Values, declare, nested_field
from ..standard_handlers import existing
from ..store import Record, Store
from ..switches import Switches
from ..writing import create, subject, update
from .field_kinds import KINDS, OF_CHOICES

_ACCOUNT_LEVEL: Final = frozenset({"User", "WorkspaceGroup"})


_NO_CHOICES: Final = invalid_field("choices belong to fields of type single and multi only", "choices")


def _default_set(store: Store) -> str | None:
    sets = store.records("custom_field_sets").values()
    return next((one["id"] for one in sets if one["subject_type"] == "Workspace"), None)


def _labels(store: Store, field: Record) -> dict[str, str]:
    """The labels of a field's choices by their ids, in the order in which they are shown."""
    records = store.records("custom_field_choices")
    choices = [records[found] for found in store.referring("custom_field_choices", "custom_field_id", field["id"])]
    return {choice["id"]: choice["label"] for choice in sorted(choices, key=lambda choice: choice["position"] or 0)}


def _subject_type(store: Store, field: Record) -> str | None:
    held = store.records("custom_field_sets").get(field["custom_field_set_id"] or "")
    return held["subject_type"] if held else None


def _held(store: Store, field_id: str, reference: Values) -> list[str]:
    """The values of a field that an object has: one, or none."""
    values = store.records("custom_field_values")
    found = store.referring("custom_field_values", "subject_ref", (reference["key"], reference["id"]))
    return [identity for identity in found if values[identity]["custom_field_id"] == field_id]


def _problem(store: Store, field: Record, value: Any, reference: Values) -> Values | None:
    """What is wrong with an object's value of a field, as a validation error."""
    kind = KINDS[field["value_type"]]
    if not kind.takes(value, _labels(store, field)):
        return invalid_field(f"value must be {kind.must_be}", "value")
    if field["unique_constraint"]:
        values = store.records("custom_field_values")
        for found in store.referring("custom_field_values", "custom_field_id", field["id"]):
            if values[found]["value"] == value and values[found]["subject_ref"] != reference:
                return invalid_field("value has already been taken", "value")
    return None


def _meant_by_value(store: Store, values: Values) -> Values:
    field = store.records("custom_fields").get(str(values.get("custom_field_id")))
    return _attributes(store, field, values["value"]) if field else {}


def _attributes(store: Store, field: Record, value: Any) -> Values:
    labels = _labels(store, field)
    chosen = [str(one) for one in value] if field["value_type"] in OF_CHOICES else []
    return {
        "value": [int(one) for one in chosen] or value,
        "display_value": KINDS[field["value_type"]].shows(value, labels),
        "selected_choice_ids": chosen,
        "custom_field_name": field["name"],
        "type": field["value_type"],
        "can_edit": True,
    }


def _wrong_with_value(store: Store, _: Switches, values: Values, earlier: list[Values]) -> list[Values]:
    field = store.records("custom_fields")[str(values["custom_field_id"])]
    wanted = _subject_type(store, field)
    if wanted is None or collection_of_class(wanted) != collection_of_class(values["subject_type"]):
        return [invalid_field(f"custom_field_id names a field of a {wanted}", "custom_field_id")]
    reference = {"key": collection_of_class(values["subject_type"]), "id": str(values["subject_id"])}
    problem = _problem(store, field, values["value"], reference)
    beside = [other for other in earlier if str(other["custom_field_id"]) == field["id"]]
    if any(str(other["subject_id"]) == reference["id"] for other in beside):
        problem = invalid_field("the object is given two values of the field", "custom_field_id")
    elif field["unique_constraint"] and any(other["value"] == values["value"] for other in beside):
        problem = invalid_field("value has already been taken", "value")
    return [] if problem is None else [problem]


def _replace(store: Store, identity: str, _: Values) -> None:
    """Put a new value in the place of the one that its object had."""
    made = store.records("custom_field_values")[identity]
    for held in _held(store, made["custom_field_id"], made["subject_ref"]):
        if held != identity:
            store.delete("custom_field_values", held)


def _as_seen(subject_type: str | None) -> str | None:
    """The type of a value's subject as answers spell it, unlike requests: ``workspace_group``."""
    return subject_type and singular(collection_of_class(subject_type))


def _first_of_each_field(store: Store, value: int) -> Predicate:
    fields = store.records("custom_fields")
    kept = {choice for field in fields.values() for choice in list(_labels(store, field))[:value]}
    return lambda record: record["id"] in kept


declare(
    "custom_field_sets",
    CollectionRules(
        associations={"custom_field_ids": inverse("custom_fields", "custom_field_set_id")},
        belongings=(("custom_fields", "custom_field_set_id"),),
    ),
)


def _defaults(store: Store, values: Values) -> Values:
    held = values.get("custom_field_set_id") or _default_set(store)
    found = store.records("custom_field_sets").get(str(held))
    account_level = found is not None and found["subject_type"] in _ACCOUNT_LEVEL
    access = "account_admin" if account_level else "project_collaboration"
    return {"custom_field_set_id": held, "value_type": "string", "read_access": access, "write_access": access}


def _wrong_with_field(_: Store, __: Switches, values: Values, ___: list[Values]) -> list[Values]:
    kind = values.get("value_type") or "string"
    if kind not in KINDS:
        return [invalid_field(f"value_type is not one of {', '.join(KINDS)}", "value_type")]
    if values.get("choices") and kind not in OF_CHOICES:
        return [_NO_CHOICES]
    return []


declare(
    "custom_fields",
    CollectionRules(
        filters={"subject_type": beyond("custom_field_sets", "custom_field_set_id", equal("subject_type"))},
        associations={"choice_ids": inverse("custom_field_choices", "custom_field_id")},
        defaults=_defaults,
        check_new=_wrong_with_field,
        belongings=(("custom_field_values", "custom_field_id"), ("custom_field_choices", "custom_field_id")),
    ),
)
declare(
    "custom_field_choices",
    CollectionRules(
        filters={
            "active": matching(lambda store, record: record["custom_field_id"] in store.records("custom_fields")),
            "for_choice_ids": among("id"),
            "for_custom_fields": among("custom_field_id"),
            "per_custom_field": _first_of_each_field,
        },
    ),
)
declare(
    "custom_field_values",
    CollectionRules(
        filters={
            "subject_type": about("key"),
            "with_custom_field_id": among("custom_field_id"),
            "with_setter_id": among("setter_id"),
            "with_subject_id": among("subject_id"),
        },
        meaning=_meant_by_value,
        check_new=_wrong_with_value,
        created=_replace,
        shown={"subject_type": _as_seen},
    ),
)


@route("PUT", "/custom_fields/{id}")
def change_field(company: Company, call: ParsedRequest) -> Answer:
    """Change a field; its choices are overwritten as a whole."""
    field = existing(company, "custom_fields", call.id)
    values = company.checked(call, "custom_fields")
    if values.get("choices") and field["value_type"] not in OF_CHOICES:
        raise Refusal(422, [_NO_CHOICES])
    update(company.store, "custom_fields", call.id, values)
    return company.changed(call, call.id)


@route("PUT", "/custom_field_values/{id}")
def change_value(company: Company, call: ParsedRequest) -> Answer:
    """Give a custom field of an object another value."""
    store = company.store
    held = existing(company, "custom_field_values", call.id)
    value = company.checked(call, "custom_field_values")["value"]
    field = store.records("custom_fields")[held["custom_field_id"]]
    if (problem := _problem(store, field, value, held["subject_ref"])) is not None:
        raise Refusal(422, [problem])
    store.update("custom_field_values", call.id, _attributes(store, field, value))
    return company.changed(call, call.id)


def _wrong_with_values(store: Store, collection: str, value: list[Values]) -> list[Values]:
    """What is wrong with the custom fields in the body of an object that may not exist yet."""
    errors = []
    for entry in value:
        field = store.records("custom_fields").get(str(entry.get("custom_field_id")))
        if field is None or collection_of_class(str(_subject_type(store, field))) != _holder(collection):
            errors.append(invalid_field("custom_field_id names no field of this kind of object", "custom_fields"))
        elif not _is_blank(entry.get("value")) and (
            problem := _problem(store, field, entry["value"], {"key": _holder(collection), "id": None})
        ):
            errors.append({**problem, "field": "custom_fields"})
    return errors


def _is_blank(value: Any) -> bool:
    return value in (None, "", [])


def _holder(collection: str) -> str:
    """The collection whose custom fields an object's body may set: a resource request sets those of its resource."""
    return "workspace_resources" if collection == "resource_requests" else collection


@nested_field("custom_fields", check=_wrong_with_values)
def _set_values(store: Store, collection: str, identity: str, value: list[Values]) -> None:
    about = subject(collection, identity)
    for entry in value:
        if _is_blank(entry.get("value")):
            for held in _held(store, str(entry["custom_field_id"]), about["subject_ref"]):
                store.delete("custom_field_values", held)
        else:
            create(store, "custom_field_values", {**entry, **about})


@nested_field("choices")
def _choices(store: Store, collection: str, identity: str, value: list[Values]) -> None:
    if collection == "custom_fields":
        _overwrite_choices(store, identity, value)
    else:
        made = [store.add("survey_question_choices", choice) for choice in value]
        store.update(collection, identity, {"choice_ids": made})


def _overwrite_choices(store: Store, field: str, value: list[Values]) -> None:
    there = set(store.referring("custom_field_choices", "custom_field_id", field))
    kept = {str(choice["id"]) for choice in value if choice.get("id") is not None}
    for gone in there - kept:
        _unselect(store, gone)
        store.delete("custom_field_choices", gone)
    for position, choice in enumerate(value):
        changes = {"label": choice.get("label"), "position": position}
        if choice.get("id") is None:
            store.add("custom_field_choices", {**changes, "custom_field_id": field})
        elif str(choice["id"]) in there:
            store.update("custom_field_choices", str(choice["id"]), changes)
    for held in store.referring("custom_field_values", "custom_field_id", field):
        record = store.records("custom_field_values")[held]
        shown = KINDS[record["type"]].shows(record["value"], _labels(store, store.records("custom_fields")[field]))
        if shown != record["display_value"]:
            store.update("custom_field_values", held, {"display_value": shown})


def _unselect(store: Store, choice: str) -> None:
    for held in store.referring("custom_field_values", "selected_choice_ids", choice):
        left = [one for one in store.records("custom_field_values")[held]["selected_choice_ids"] if one != choice]
        if left:
            store.update("custom_field_values", held, {"selected_choice_ids": left, "value": list(map(int, left))})
        else:
            store.delete("custom_field_values", held)
