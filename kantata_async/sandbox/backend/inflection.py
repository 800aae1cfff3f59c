"""English forms of the API's names: plurals, singulars, and class names of collections."""

from __future__ import annotations

import re

_CLASSES = {
    "resource": "workspace_resources",
    "submission": "timesheet_submissions",
    "location": "account_locations",
    "budget_change_order": "change_orders",
    "schedule_change_order": "change_orders",
    "workspace_status_set": "workspace_task_status_sets",
    "status_set": "task_status_sets",
    "status_set_option": "custom_task_statuses",
    "default_status_set": "task_status_sets",
}


def plural(word: str) -> str:
    """The plural of a singular name: `story` gives `stories`."""
    if word.endswith("y") and word[-2:-1] not in "aeo":
        return f"{word[:-1]}ies"
    return f"{word}es" if word.endswith(("s", "x", "ch")) else f"{word}s"


def singular(word: str) -> str:
    """The singular of a plural name: `workspaces` gives `workspace`."""
    if word.endswith("ies"):
        return f"{word[:-3]}y"
    return word[:-2] if word.endswith(("sses", "statuses", "xes", "ches")) else word.removesuffix("s")


def titled(name: str) -> str:
    """A name as people read it: `time_entries` gives `Time entries`."""
    return name.replace("_", " ").capitalize()


def class_of_collection(collection: str) -> str:
    """The `subject_type` of a collection's objects: `workspace_groups` gives `WorkspaceGroup`."""
    return "".join(part.title() for part in singular(collection).split("_"))


def collection_of_class(name: str) -> str:
    """The collection that a `subject_type` such as `WorkspaceGroup` means."""
    return _CLASSES.get(snake(name)) or plural(snake(name))


def snake(name: str) -> str:
    """A class name in snake case: `WorkspaceGroup` gives `workspace_group`."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()
