"""Tasks (stories): their tree, assignees, followers, checklists, dependencies and tags."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final

from ..account import ME
from ..associations import inverse, through
from ..predicates import (
    FilterRule,
    Predicate,
    absent,
    among,
    between,
    beyond,
    chosen,
    equal,
    everything,
    flag,
    joined,
    overlapping,
    present,
    texts,
    where,
)
from ..rules import CollectionRules, Hidden, Values, declare, nested_field
from ..store import Record, Store
from ..writing import deleted_now
from .projects import is_archived, of_account

_PRIORITIES: Final = {"critical": 4, "high": 3, "normal": 2, "low": 1}


def is_archived_story(store: Store, identity: str | None) -> bool:
    """Whether a task is archived."""
    story = store.records("stories").get(identity or "")
    return story is not None and bool(story["archived"])


def story_of(store: Store, record: Record) -> Record:
    """The task that a record belongs to, where there is one."""
    return store.records("stories").get(record.get("story_id") or record.get("source_id") or "", {})


def _visible_stories(store: Store, given: Values) -> Predicate:
    archived = given.get("show_archived") or given.get("only_archived") or "archived" in given
    elsewhere = given.get("show_from_archived_workspaces")
    todos = given.get("show_todos") or given.get("only_todos")
    deleted = given.get("show_deleted") or given.get("only_deleted")
    return lambda record: (
        (archived or not record["archived"])
        and (deleted or not record["deleted_at"])
        and (todos or record["project_plan"])
        and (elsewhere or not is_archived(store, record["workspace_id"]))
    )


def _visible_with_their_story(store: Store, given: Values) -> Predicate:
    archived, deleted = given.get("show_archived"), given.get("show_deleted")
    elsewhere = given.get("show_from_archived_workspaces")

    def keep(record: Record) -> bool:
        story = story_of(store, record)
        return (
            (archived or not story.get("archived"))
            and (deleted or not story.get("deleted_at"))
            and (elsewhere or not is_archived(store, story.get("workspace_id")))
        )

    return keep


_WITH_THEIR_STORY: Final = Hidden(
    _visible_with_their_story, ("show_archived", "show_deleted", "show_from_archived_workspaces")
)


def _ancestors(store: Store, record: Record) -> list[str]:
    stories, found = store.records("stories"), list[str]()
    parent = stories.get(record.get("parent_id") or "")
    while parent is not None and parent["id"] not in found:
        found.insert(0, parent["id"])
        parent = stories.get(parent.get("parent_id") or "")
    return found


def _descendants(store: Store, record: Record) -> list[str]:
    found, waiting = list[str](), [record["id"]]
    while waiting:
        children = store.referring("stories", "parent_id", waiting.pop())
        fresh = [child for child in children if child not in found]
        found += fresh
        waiting += fresh
    return found


def _root(store: Store, record: Record) -> str | None:
    return next(iter(_ancestors(store, record)), record["id"])


def _assigned_to_current_user(store: Store, record: Record) -> bool:
    assignments = store.records("assignments")
    found = store.referring("assignments", "story_id", record["id"])
    return any(assignments[link]["assignee_id"] == ME for link in found)


def _tagged(combine: Callable[[Iterable[bool]], bool]) -> FilterRule:
    """Tasks with any, or all, of some tags."""

    def rule(store: Store, value: Any) -> Predicate:
        wanted = [name.strip() for name in texts(value)]
        named = {tag["id"]: tag["name"] for tag in store.records("tags").values()}

        def keep(record: Record) -> bool:
            own = {named.get(tag) for tag in record.get("tag_ids") or ()}
            return combine(name in own for name in wanted)

        return keep

    return rule


def _with_subtasks(store: Store, value: Any) -> Predicate:
    return lambda record: len(store.referring("stories", "parent_id", record["id"])) == value


def _time_trackable_on(_: Store, value: Any) -> Predicate:
    return lambda record: record["workspace_id"] == str(value) and bool(record["time_trackable"])


def _starting_or_due(store: Store, value: Any) -> Predicate:
    """Tasks that start or are due on a day, or within ``from:to``."""
    span = str(value) if ":" in str(value) else f"{value}:{value}"
    starting, due = between("start_date")(store, span), between("due_date")(store, span)
    return lambda record: bool(record["start_date"] and starting(record)) or bool(record["due_date"] and due(record))


def _without_past_completed(store: Store, value: Any) -> Predicate:
    """Tasks other than those that are completed and were due before today."""
    today = store.clock.now().date().isoformat()
    return lambda record: not (value and record["state"] == "completed" and str(record["due_date"] or today) < today)


def _read_by_the_search(_: Store, __: Any) -> Predicate:
    return everything


def _searched(store: Store, record: Record, given: Values) -> str:
    """The title of a task's project, which a search looks through too unless a filter excludes it."""
    if given.get("exclude_workspace_title_from_search"):
        return ""
    return str(store.records("workspaces").get(record["workspace_id"] or "", {}).get("title") or "")


def _parent_and_position(_: Store, record: Record) -> tuple[int, int]:
    return (int(record["parent_id"] or 0), record["position"] or 0)


def _meant_by_story(store: Store, values: Values) -> Values:
    parent = store.records("stories").get(str(values.get("parent_id")))
    meant: Values = {"ancestry_depth": parent["ancestry_depth"] + 1} if parent else {}
    if "state" in values:
        meant["status"] = values["state"]
    if values.get("state") == "completed":
        meant["percentage_complete"] = 100
    return meant


declare(
    "stories",
    CollectionRules(
        filters={
            "active_between": overlapping("start_date", "due_date"),
            "all_on_account": flag(of_account),
            "archived": chosen("archived"),
            "assigned_to_current_user": flag(_assigned_to_current_user),
            "by_any_tag": _tagged(any),
            "by_status": among("status"),
            "by_subtask_count": _with_subtasks,
            "by_tag_name": _tagged(all),
            "by_workspace_group": beyond("workspaces", "workspace_id", among("workspace_group_ids")),
            "completed": flag(where("state", "completed")),
            "completed_between": between("completed_at"),
            "creators": among("creator_id"),
            "due_on": equal("due_date"),
            "not_assigned_to_resource": joined("assignments", "resource_id", "story_id", negated=True),
            "not_assigned_to_user": joined("assignments", "assignee_id", "story_id", negated=True),
            "only_archived": flag(present("archived")),
            "only_deleted": flag(present("deleted_at")),
            "only_todos": flag(absent("project_plan")),
            "parents_only": flag(absent("parent_id")),
            "exclude_workspace_title_from_search": _read_by_the_search,
            "starting_between": between("start_date"),
            "story_types": among("story_type"),
            "time_trackable_on_workspace_id": _time_trackable_on,
            "uncompleted": flag(lambda _, record: record["state"] != "completed"),
            "with_ancestry_depth": equal("ancestry_depth"),
            "with_assignees": joined("assignments", "assignee_id", "story_id"),
            "with_followers": joined("story_follows", "follower_id", "story_id"),
            "with_projects": among("workspace_id"),
            "with_start_or_due_date": _starting_or_due,
            "without_past_completed": _without_past_completed,
        },
        hidden=Hidden(
            _visible_stories, ("show_archived", "show_deleted", "show_from_archived_workspaces", "show_todos")
        ),
        sort_keys={
            "importance": lambda _, record: -_PRIORITIES.get(record["priority"], 0),
            "parent_and_position": _parent_and_position,
            "priority_level": lambda _, record: _PRIORITIES.get(record["priority"], 0),
        },
        associations={
            "ancestor_ids": _ancestors,
            "assignee_ids": through("assignments", "story_id", "assignee_id", keep=lambda link: link["current"]),
            "current_assignment_ids": through("assignments", "story_id", "id", keep=lambda link: link["current"]),
            "descendant_ids": _descendants,
            "follower_ids": through("story_follows", "story_id", "follower_id"),
            "potential_workspace_resource_ids": through(
                "workspace_resources", "workspace_id", "id", own="workspace_id", keep=lambda link: link["user_id"]
            ),
            "potential_workspace_resources_with_unnamed_ids": inverse(
                "workspace_resources", "workspace_id", "workspace_id"
            ),
            "root_id": _root,
            "source_dependency_ids": inverse("story_dependencies", "source_id"),
            "sub_story_ids": inverse("stories", "parent_id"),
            "target_dependency_ids": inverse("story_dependencies", "target_id"),
            "workspace_resource_ids": through("assignments", "story_id", "resource_id"),
            "workspace_resources_with_unnamed_ids": through("assignments", "story_id", "resource_id"),
        },
        searched=_searched,
        meaning=_meant_by_story,
        marked=deleted_now,
    ),
)

declare(
    "story_dependencies",
    CollectionRules(
        filters={"workspace_id": beyond("stories", "source_id", equal("workspace_id"))},
        hidden=_WITH_THEIR_STORY,
    ),
)


def _completed_now(store: Store, values: Values) -> Values:
    return {"completed_at": store.clock.tick(), "completed_by_id": ME} if values.get("completed") else {}


declare("story_tasks", CollectionRules(hidden=_WITH_THEIR_STORY, meaning=_completed_now))


@nested_field("checklist")
def _checklist(store: Store, _: str, identity: str, value: list[str]) -> None:
    for position, name in enumerate(value):
        store.add("story_tasks", {"story_id": identity, "name": name, "position": position})


@nested_field("tag_list")
def _tags(store: Store, collection: str, identity: str, value: str) -> None:
    known = {tag["name"]: tag["id"] for tag in store.records("tags").values()}
    names = [name.strip() for name in value.split(",") if name.strip()]
    tags = [known.get(name) or store.add("tags", {"name": name}) for name in names]
    store.update(collection, identity, {"tag_ids": tags})
