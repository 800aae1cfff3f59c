"""What an account has once: colors, locations, access groups, invitations, task status sets."""

from __future__ import annotations

from ..answer import Answer, json_answer
from ..associations import inverse
from ..company import Company, ParsedRequest
from ..predicates import chosen, flag, joined, present
from ..routes import route
from ..rules import CollectionRules, Guard, Values, declare
from ..sort_keys import of_attribute
from ..standard_handlers import existing
from ..store import Store
from ..writing import destroy
from .setting import setting

declare("account_colors", CollectionRules(filters={"enabled_only": flag(present("enabled"))}))
declare(
    "account_locations",
    CollectionRules(
        filters={
            "archived": chosen("archived"),
            "workspace_id": joined("time_entries", "workspace_id", "location_id"),
        },
    ),
)
declare(
    "account_invitations",
    CollectionRules(
        filters={"only_pending": flag(present("pending"))},
        sort_keys={"bill_rate": of_attribute("bill_rate_in_cents"), "cost_rate": of_attribute("cost_rate_in_cents")},
    ),
)


def _set_of_status(_: Store, values: Values) -> Values:
    return {"task_status_set_id": values["status_set_id"]} if "status_set_id" in values else {}


declare("custom_task_statuses", CollectionRules(meaning=_set_of_status))
declare(
    "task_status_sets",
    CollectionRules(
        associations={"custom_task_status_ids": inverse("custom_task_statuses", "status_set_id")},
        belongings=(("custom_task_statuses", "status_set_id"),),
        guard=Guard(
            lambda store, record: store.referring("workspaces", "task_status_set_id", record["id"]),
            "The task status set is in use",
        ),
    ),
)

route("PUT", "/account_invitations/{id}/resend")(setting())


@route("DELETE", "/access_group_memberships/{id}")
def delete_access_group_membership(company: Company, call: ParsedRequest) -> Answer:
    """Take a person out of an access group; the documentation promises both a message and no content."""
    destroy(company.store, "access_group_memberships", call.id)
    if not company.switches.access_group_message:
        return Answer(204)
    return json_answer({"success": "The access group membership was removed"})


@route("PUT", "/task_status_sets/{id}/update_account_default")
def make_default_status_set(company: Company, call: ParsedRequest) -> Answer:
    """Make a task status set the one for new projects."""
    existing(company, "task_status_sets", call.id)
    for other in company.store.all("task_status_sets"):
        company.store.update("task_status_sets", other["id"], {"account_default": other["id"] == call.id})
    return company.changed(call, call.id)
