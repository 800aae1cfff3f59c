"""Project templates."""

from __future__ import annotations

from ..account import ME
from ..answer import Answer
from ..company import Company, ParsedRequest
from ..predicates import flag, where
from ..refusals import invalid
from ..routes import route
from ..rules import CollectionRules, declare
from ..sort_keys import name_beyond
from ..standard_handlers import existing
from ..writing import create

declare(
    "project_templates",
    CollectionRules(
        filters={"mine": flag(where("user_id", ME))},
        sort_keys={"full_name": name_beyond("users", "user_id")},
        has_owner=True,
    ),
)


@route("PUT", "/workspaces/{id}/apply_template")
def apply_template(company: Company, call: ParsedRequest) -> Answer:
    """Add the tasks of a template to a project."""
    store = company.store
    existing(company, "workspaces", call.id)
    values = company.checked(call, "workspaces")
    template = store.records("project_templates").get(str(values.get("project_tracker_template_id")))
    if template is None:
        raise invalid("project_tracker_template_id can't be blank", "project_tracker_template_id")
    for number in range(1, template["item_count"] + 1):
        task = {"workspace_id": call.id, "title": f"{template['title']} {number}", "position": number}
        create(store, "stories", task)
    store.update("workspaces", call.id, {})
    return company.changed(call, call.id)
