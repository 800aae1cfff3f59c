"""Custom fields: sets, fields, choices and values."""

from __future__ import annotations

from ..inflection import collection_of_class, singular
from ..predicates import among, beyond, equal
from ..rules import Values, declare, part
from ..store import Store
from ..writing import create, subject


def _as_seen(subject_type: str | None) -> str | None:
    """Answers spell the type of a value's subject otherwise than requests do: ``workspace_group``."""
    return subject_type and singular(collection_of_class(subject_type))


def _meant_by_value(store: Store, values: Values) -> Values:
    value = values.get("value")
    meant: Values = {"display_value": ", ".join(map(str, value)) if isinstance(value, list) else str(value)}
    field = store.records("custom_fields").get(str(values.get("custom_field_id")))
    if field:
        meant |= {"custom_field_name": field["name"], "type": field["value_type"]}
    if isinstance(value, list):
        meant["selected_choice_ids"] = [str(v) for v in value if str(v) in store.records("custom_field_choices")]
    return meant


declare(
    "custom_fields",
    filters={"subject_type": beyond("custom_field_sets", "custom_field_set_id", equal("subject_type"))},
    belongings=(("custom_field_values", "custom_field_id"), ("custom_field_choices", "custom_field_id")),
)
declare(
    "custom_field_choices",
    filters={
        "for_choice_ids": among("id"),
        "for_custom_fields": among("custom_field_id"),
        "per_custom_field": equal("custom_field_id"),
    },
)
declare(
    "custom_field_values",
    filters={
        "with_custom_field_id": among("custom_field_id"),
        "with_setter_id": among("setter_id"),
        "with_subject_id": among("subject_id"),
    },
    meaning=_meant_by_value,
    shown={"subject_type": _as_seen},
)


@part("custom_fields")
def _custom_fields(store: Store, collection: str, identity: str, value: list[Values]) -> None:
    for entry in value:
        create(store, "custom_field_values", {**entry, **subject(collection, identity)})


@part("choices")
def _choices(store: Store, collection: str, identity: str, value: list[Values]) -> None:
    if collection == "custom_fields":
        for position, choice in enumerate(value):
            if choice.get("id") is None:
                chosen = {"label": choice.get("label"), "custom_field_id": identity, "position": position}
                store.add("custom_field_choices", chosen)
    else:
        made = [store.add("survey_question_choices", choice) for choice in value]
        store.update(collection, identity, {"choice_ids": made})
