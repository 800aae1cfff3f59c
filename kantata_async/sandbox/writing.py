"""Creating, changing and deleting: what each kind of object does besides taking its attributes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from .answers import invalid, missing
from .forms import UploadedFile
from .references import ME, refer
from .store import Record, Store
from .words import class_of_collection, titled

Values = dict[str, Any]

_OWNED: Final = frozenset(
    {
        "expense_report_submissions",
        "expenses",
        "exports",
        "external_payments",
        "invoices",
        "participations",
        "posts",
        "project_templates",
        "time_entries",
        "timesheet_submissions",
    }
)


def create(store: Store, collection: str, values: Values) -> str:
    """Put one object in with everything that comes with it, and give its id."""
    given = dict(values)
    for name in ("creator_id", "setter_id"):
        given.setdefault(name, ME)
    if collection in _OWNED:
        given["user_id"] = given.get("user_id") or ME
    identity = store.add(collection, _attributes(store, collection, given))
    _follow(store, collection, identity, given)
    if collection in _AFTER_CREATE:
        _AFTER_CREATE[collection](store, identity, given)
    return identity


def update(store: Store, collection: str, identity: str, values: Values) -> None:
    """Change one object, and what goes with it."""
    store.update(collection, identity, _attributes(store, collection, values))
    _follow(store, collection, identity, values)


def destroy(store: Store, collection: str, identity: str) -> None:
    """Delete one object with what belongs to it; some are only marked. Raises Refusal 422 where the API refuses."""
    record = store.records(collection).get(identity)
    if record is None or record.get("deleted_at"):
        raise missing(collection)
    if (reason := _refused(store, collection, record)) is not None:
        raise invalid(reason)
    if collection in _MARKED or (collection == "roles" and _role_in_use(store, identity)):
        store.update(collection, identity, {_MARKED.get(collection, "deleted_at"): _mark(store, collection)})
        return
    for child, attribute in _BELONGING.get(collection, ()):
        for found in store.referring(child, attribute, identity):
            destroy_quietly(store, child, found)
    store.delete(collection, identity)


def destroy_quietly(store: Store, collection: str, identity: str) -> None:
    """Take an object and what belongs to it out, whatever the rules for deleting it alone are."""
    for child, attribute in _BELONGING.get(collection, ()):
        for found in store.referring(child, attribute, identity):
            destroy_quietly(store, child, found)
    if identity in store.records(collection):
        store.delete(collection, identity)


def destroy_all(store: Store, collection: str, ids: Iterable[str]) -> None:
    """Delete all, or none when one cannot be. Raises Refusal."""
    wanted = list(ids)
    records = store.records(collection)
    for identity in wanted:
        if identity not in records:
            raise missing(f"{collection} {identity}")
        if (reason := _refused(store, collection, records[identity])) is not None:
            raise invalid(reason)
    for identity in wanted:
        destroy(store, collection, identity)


def participation_taken(store: Store, values: Mapping[str, Any]) -> bool:
    """Whether the user of a new participation is on the workspace already."""
    user, workspace = str(values.get("user_id") or ME), str(values.get("workspace_id"))
    participations = store.records("participations")
    return any(
        participations[found]["user_id"] == user
        for found in store.referring("participations", "workspace_id", workspace)
    )


def _mark(store: Store, collection: str) -> Any:
    return False if collection == "assignments" else store.clock.tick()


_MARKED: Final = {"stories": "deleted_at", "expense_categories": "deleted_at", "assignments": "current"}

_BELONGING: Final[Mapping[str, tuple[tuple[str, str], ...]]] = {
    "custom_fields": (("custom_field_values", "custom_field_id"), ("custom_field_choices", "custom_field_id")),
    "estimate_scenario_resources": (("estimate_scenario_resource_allocations", "resource_id"),),
    "estimate_scenarios": (("estimate_scenario_resources", "estimate_scenario_id"),),
    "estimates": (("estimate_scenarios", "estimate_id"),),
    "holiday_calendars": (("holiday_calendar_memberships", "holiday_calendar_id"),),
    "participations": (("workspace_resources", "participation_id"),),
    "rate_card_sets": (("rate_cards", "rate_card_set_id"), ("rate_card_set_versions", "rate_card_set_id")),
    "rate_card_versions": (("rate_card_roles", "rate_card_version_id"),),
    "rate_cards": (("rate_card_versions", "rate_card_id"),),
    "skills": (("skill_memberships", "skill_id"),),
    "task_status_sets": (("custom_task_statuses", "status_set_id"),),
    "workspace_resources": (("assignments", "resource_id"), ("workspace_allocations", "workspace_resource_id")),
    "workspaces": (
        ("participations", "workspace_id"),
        ("stories", "workspace_id"),
        ("posts", "workspace_id"),
        ("time_entries", "workspace_id"),
        ("expenses", "workspace_id"),
        ("workspace_resources", "workspace_id"),
    ),
}


def _role_in_use(store: Store, identity: str) -> bool:
    used = (
        ("account_memberships", "default_role_id"),
        ("workspace_resources", "role_id"),
        ("rate_card_roles", "role_id"),
    )
    return any(store.referring(collection, attribute, identity) for collection, attribute in used)


def _refused(store: Store, collection: str, record: Record) -> str | None:
    rule = _REFUSED.get(collection)
    return rule[1] if rule is not None and rule[0](store, record) else None


_REFUSED: Final[Mapping[str, tuple[Callable[[Store, Record], Any], str]]] = {
    "account_memberships": (lambda _, r: r["is_owner"], "The account owner cannot be removed"),
    "billing_milestones": (lambda _, r: r["invoice_id"], "The milestone has been invoiced"),
    "expense_budgets": (
        lambda store, r: store.referring("expenses", "expense_budget_id", r["id"]),
        "Expenses are logged against the budget",
    ),
    "invoices": (lambda _, r: not r["draft"], "Only a draft can be deleted; cancel the invoice instead"),
    "rate_card_sets": (lambda _, r: r["account_default"], "The account's default rate card set cannot be deleted"),
    "rate_cards": (
        lambda store, r: store.referring("workspaces", "rate_card_id", r["id"]),
        "A project uses the rate card",
    ),
    "task_status_sets": (
        lambda store, r: store.referring("workspaces", "task_status_set_id", r["id"]),
        "The task status set is in use",
    ),
    "time_entries": (lambda _, r: r["is_invoiced"], "The time entry has been invoiced"),
}


def _attributes(store: Store, collection: str, values: Values) -> Values:
    """The attributes that the fields of a body mean."""
    renamed = _RENAMED.get(collection, {})
    attributes = {renamed.get(name, name): value for name, value in values.items() if name not in _FOLLOWED}
    if values.get("subject_type") and values.get("subject_id") is not None:
        attributes["subject_ref"] = refer(values)
    if collection in _MEANT:
        attributes |= _MEANT[collection](store, values)
    return attributes


_RENAMED: Final[Mapping[str, Mapping[str, str]]] = {
    "expenses": {"billable": "is_billable"},
    "participations": {"team_lead": "is_team_lead"},
    "project_snapshots": {"replace_baseline": "is_baseline"},
    "workspace_allocations": {"resource_id": "workspace_resource_id"},
    "workspaces": {"change_orders": "change_orders_enabled"},
}

_FOLLOWED: Final = frozenset(
    {
        "add_workspace_ids",
        "additional_items",
        "allocation_attributes",
        "checklist",
        "choices",
        "custom_fields",
        "estimate_scenario",
        "external_reference",
        "fixed_fee_items",
        "holiday_calendar_ids",
        "line_item_ids",
        "organizations",
        "participations",
        "remove_workspace_ids",
        "tag_list",
    }
)


def _meant_story(store: Store, values: Values) -> Values:
    parent = store.records("stories").get(str(values.get("parent_id")))
    meant: Values = {"ancestry_depth": parent["ancestry_depth"] + 1} if parent else {}
    if "state" in values:
        meant["status"] = values["state"]
    if values.get("state") == "completed":
        meant["percentage_complete"] = 100
    return meant


def _meant_workspace(store: Store, values: Values) -> Values:
    meant: Values = {}
    if values.get("status_key") is not None:
        meant["status"] = {"color": "green", "key": str(values["status_key"]), "message": "Active"}
    if values.get("price") is not None:
        meant |= {"price": str(values["price"]), "price_in_cents": int(values["price"]) * 100}
    if values.get("primary_workspace_group_id") is not None and not values.get("workspace_group_ids"):
        meant["workspace_group_ids"] = [values["primary_workspace_group_id"]]
    del store
    return meant


def _meant_participation(store: Store, values: Values) -> Values:
    if values.get("user_id") is None:
        return {}
    memberships = store.records("account_memberships")
    found = store.referring("account_memberships", "user_id", str(values["user_id"]))
    role = next((memberships[identity]["default_role_id"] for identity in found), None)
    return {"primary_role_id": role, "workspace_role_id": role}


def _meant_user(store: Store, values: Values) -> Values:
    del store
    photo = values.get("profile_photo_attachment_file")
    return {"photo_path": f"https://photos.example/{photo.filename}"} if isinstance(photo, UploadedFile) else {}


def _meant_post(store: Store, values: Values) -> Values:
    del store
    message = values.get("message")
    meant: Values = {"parsed_message": message, "formatted_message": f"<p>{message}</p>"} if message else {}
    if values.get("subject_type") == "Post":
        meant |= {"parent_post_id": values.get("subject_id"), "reply": True}
    return meant


def _meant_export(store: Store, values: Values) -> Values:
    del store
    if values.get("canceled"):
        return {"status": "canceled"}
    if "export_definition" not in values:
        return {}
    described = {
        name: {
            **asked,
            "key": name,
            "display_name": titled(name),
            "columns": [_column(key) for key in asked["columns"]],
        }
        for name, asked in values["export_definition"].items()
    }
    return {"export_definition": described, "status": "success"}


def _column(key: str) -> Values:
    return {"key": key, "display_name": titled(key), "description": titled(key), "type": "string"}


def _meant_field_value(store: Store, values: Values) -> Values:
    value = values.get("value")
    meant: Values = {"display_value": ", ".join(map(str, value)) if isinstance(value, list) else str(value)}
    field = store.records("custom_fields").get(str(values.get("custom_field_id")))
    if field:
        meant |= {"custom_field_name": field["name"], "type": field["value_type"]}
    if isinstance(value, list):
        meant["selected_choice_ids"] = [str(v) for v in value if str(v) in store.records("custom_field_choices")]
    return meant


_MEANT: Final[Mapping[str, Callable[[Store, Values], Values]]] = {
    "attachments": lambda _, v: (
        {"filename": v["data"].filename, "filesize": len(v["data"].content)}
        if isinstance(v.get("data"), UploadedFile)
        else {}
    ),
    "custom_field_values": _meant_field_value,
    "custom_task_statuses": lambda _, v: {"task_status_set_id": v["status_set_id"]} if "status_set_id" in v else {},
    "invoices": lambda _, v: {"workspace_ids": [v["workspace_id"]]} if v.get("workspace_id") else {},
    "exports": _meant_export,
    "participations": _meant_participation,
    "posts": _meant_post,
    "stories": _meant_story,
    "story_tasks": lambda store, v: (
        {"completed_at": store.clock.tick(), "completed_by_id": ME} if v.get("completed") else {}
    ),
    "users": _meant_user,
    "workspace_status_changes": lambda _, v: {"to_status_key": str(v["to_status_key"])},
    "workspaces": _meant_workspace,
}


def _follow(store: Store, collection: str, identity: str, values: Values) -> None:
    """Carry out the parts of a body that make or change other objects."""
    for name in values.keys() & _FOLLOWERS.keys():
        if values[name] is not None:
            _FOLLOWERS[name](store, collection, identity, values[name])


def _external_reference(store: Store, collection: str, identity: str, value: Any) -> None:
    store.add("external_references", {**value, **_subject(collection, identity), "last_synced_at": store.clock.tick()})


def _subject(collection: str, identity: str) -> Values:
    reference = {"key": collection, "id": identity}
    return {"subject_type": class_of_collection(collection), "subject_id": identity, "subject_ref": reference}


def _custom_fields(store: Store, collection: str, identity: str, value: Any) -> None:
    for entry in value:
        create(store, "custom_field_values", {**entry, **_subject(collection, identity)})


def _choices(store: Store, collection: str, identity: str, value: Any) -> None:
    if collection == "custom_fields":
        for position, choice in enumerate(value):
            if choice.get("id") is None:
                chosen = {"label": choice.get("label"), "custom_field_id": identity, "position": position}
                store.add("custom_field_choices", chosen)
    else:
        made = [store.add("survey_question_choices", choice) for choice in value]
        store.update(collection, identity, {"choice_ids": made})


def _line_items(store: Store, collection: str, identity: str, value: Any) -> None:
    items = "expenses" if collection == "expense_report_submissions" else "time_entries"
    for item in value:
        store.update(items, str(item), {"active_submission_id": identity, "recent_submission_id": identity})


def _checklist(store: Store, _: str, identity: str, value: Any) -> None:
    for position, name in enumerate(value):
        store.add("story_tasks", {"story_id": identity, "name": name, "position": position})


def _tags(store: Store, collection: str, identity: str, value: Any) -> None:
    known = {tag["name"]: tag["id"] for tag in store.records("tags").values()}
    names = [name.strip() for name in value.split(",") if name.strip()]
    tags = [known.get(name) or store.add("tags", {"name": name}) for name in names]
    store.update(collection, identity, {"tag_ids": tags})


def _first_scenario(store: Store, _: str, identity: str, value: Any) -> None:
    store.add("estimate_scenarios", {**value, "estimate_id": identity})


def _allocation(store: Store, collection: str, identity: str, value: Any) -> None:
    made = store.add("estimate_scenario_resource_allocations", {**value, "resource_id": identity})
    store.update(collection, identity, {"allocation_id": made})


def _items(collection: str) -> Callable[[Store, str, str, Any], None]:
    def follow(store: Store, _: str, identity: str, value: Any) -> None:
        for item in value:
            store.add(collection, {**item, "amount_in_cents": item.get("amount"), "invoice_id": identity})

    return follow


def _add_workspaces(store: Store, _: str, identity: str, value: Any) -> None:
    for workspace in map(str, value):
        groups = store.records("workspaces")[workspace]["workspace_group_ids"]
        if identity not in groups:
            store.update("workspaces", workspace, {"workspace_group_ids": [*groups, identity]})


def _remove_workspaces(store: Store, _: str, identity: str, value: Any) -> None:
    for workspace in map(str, value):
        groups = store.records("workspaces")[workspace]["workspace_group_ids"]
        store.update("workspaces", workspace, {"workspace_group_ids": [group for group in groups if group != identity]})


def _calendars(store: Store, _: str, identity: str, value: Any) -> None:
    for association in store.referring("holiday_calendar_associations", "holiday_id", identity):
        store.delete("holiday_calendar_associations", association)
    for calendar in value:
        store.add("holiday_calendar_associations", {"holiday_id": identity, "holiday_calendar_id": calendar})


def _team(store: Store, _: str, identity: str, value: Any) -> None:
    for member in value:
        made = {"workspace_id": identity, "user_id": member.get("user_id"), "access_level": member.get("access")}
        create(store, "participations", {**made, "role": "maven"})


def _organizations(store: Store, _: str, identity: str, value: Any) -> None:
    for membership in value:
        store.add("organization_memberships", {**membership, "member_id": identity, "member_type": "workspace"})


_FOLLOWERS: Final[Mapping[str, Callable[[Store, str, str, Any], None]]] = {
    "add_workspace_ids": _add_workspaces,
    "additional_items": _items("additional_items"),
    "allocation_attributes": _allocation,
    "checklist": _checklist,
    "choices": _choices,
    "custom_fields": _custom_fields,
    "estimate_scenario": _first_scenario,
    "external_reference": _external_reference,
    "fixed_fee_items": _items("fixed_fee_items"),
    "holiday_calendar_ids": _calendars,
    "line_item_ids": _line_items,
    "organizations": _organizations,
    "participations": _team,
    "remove_workspace_ids": _remove_workspaces,
    "tag_list": _tags,
}


def _join_own_workspace(store: Store, identity: str, _: Values) -> None:
    store.update("workspaces", identity, {"primary_maven_id": ME})
    create(
        store,
        "participations",
        {"workspace_id": identity, "user_id": ME, "role": "maven", "is_team_lead": True, "access_level": "admin"},
    )


def _become_resource(store: Store, identity: str, values: Values) -> None:
    participation = store.records("participations")[identity]
    shared = {name: participation[name] for name in ("workspace_id", "user_id")}
    role = participation["primary_role_id"]
    store.add("workspace_resources", {**shared, "participation_id": identity, "role_id": role})
    del values


def _version_every_card(store: Store, identity: str, values: Values) -> None:
    for card in store.referring("rate_cards", "rate_card_set_id", str(values["rate_card_set_id"])):
        store.add("rate_card_versions", {"rate_card_id": card, "rate_card_set_version_id": identity})


def _version_card(store: Store, identity: str, values: Values) -> None:
    for version in store.referring("rate_card_set_versions", "rate_card_set_id", str(values["rate_card_set_id"])):
        store.add("rate_card_versions", {"rate_card_id": identity, "rate_card_set_version_id": version})


def _change_status(store: Store, _: str, values: Values) -> None:
    status = {"color": "green", "key": str(values["to_status_key"]), "message": "Changed"}
    store.update("workspaces", str(values["workspace_id"]), {"status": status})


_AFTER_CREATE: Final[Mapping[str, Callable[[Store, str, Values], None]]] = {
    "participations": _become_resource,
    "rate_card_set_versions": _version_every_card,
    "rate_cards": _version_card,
    "workspace_status_changes": _change_status,
    "workspaces": _join_own_workspace,
}
