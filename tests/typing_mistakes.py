"""Mistakes, one a line: never run, only read by the type checkers, both of which must refuse every marked line."""

from __future__ import annotations

import datetime as dt

from kantata_async import KantataSession, Money, columns, normalize, path
from kantata_async.entities import Participation, User
from kantata_async.provision import Groups, People, Roster, plan


async def includes(kantata: KantataSession) -> None:
    """What cannot be included, and in what form."""
    await kantata.participations.get(42, include=["usr"])  # refused
    await kantata.participations.get(42, include=["user.manager"])  # refused
    await kantata.participations.get(42, include="user")  # refused
    await kantata.participations.get(42, include=[path])  # refused
    await kantata.participations.list(workspace_id=7, include=["user", "assignees"])  # refused
    await kantata.participations.get_many([1], workspace_id=7, include=["usr"])  # refused
    await kantata.participations.create(workspace_id=7, role="maven", include=["usr"])  # refused
    await kantata.participations.update(42, include=["usr"])  # refused
    await kantata.participations.create_many([], include=["usr"])  # refused
    await kantata.participations.update_many([], include=["usr"])  # refused
    kantata.participations.create_stream([], include=["usr"])  # refused
    await kantata.access_group_memberships.create_many([], optional_fields=["usr"])  # refused
    await kantata.timesheet_submissions.create_many([], optional_fields=["usr"])  # refused


async def files(kantata: KantataSession) -> None:
    """What has no file, goes nowhere, or is not a kind of attachment."""
    user = await kantata.users.me()
    await kantata.attachments.download(user, "inbox")  # refused
    await kantata.users.download_photo(await kantata.roles.get(1), "photos")  # refused
    await kantata.download("/invoices/7.pdf", 7)  # refused
    await kantata.attachments.upload("a.pdf", type="recipt")  # refused
    await kantata.exports.run("users.csv")  # refused
    await kantata.exports.run("users.csv", export_definition={"users": {}})  # refused


async def filters(kantata: KantataSession) -> None:
    """What is no filter, or no value of one."""
    await kantata.participations.list(workspace_id=7, by_usr=9)  # refused
    await kantata.participations.list()  # refused
    await kantata.participations.list(7)  # refused
    await kantata.participations.list(workspace_id=[7])  # refused
    await kantata.participations.list(workspace_id=None)  # refused
    await kantata.participations.list(workspace_id=7.0)  # refused
    await kantata.participations.list(workspace_id=7, mavens_only="yes")  # refused
    await kantata.participations.list(workspace_id=7, mavens_only=1)  # refused
    await kantata.participations.list(workspace_id=7, created_after="2026-01-05")  # refused
    await kantata.participations.list(workspace_id=7, created_after=dt.date(2026, 1, 5))  # refused
    await kantata.participations.list(workspace_id=7, only=5)  # refused
    await kantata.participations.list(workspace_id=7, per_page="200")  # refused
    await kantata.participations.list(workspace_id=7, page=2)  # refused
    await kantata.participations.list(workspace_id=7, search="x")  # refused
    await kantata.participations.get(42, workspace_id=7)  # refused
    await kantata.users.get_many([1], order="alphabetical")  # refused
    await kantata.users.get_many([1], show_disabled="yes")  # refused
    await kantata.users.list(everything="yes")  # refused
    await kantata.currencies.list(everything=True)  # refused
    await kantata.users.list().limit("10")  # refused
    await kantata.users.list().one(42)  # refused


async def values(kantata: KantataSession) -> None:
    """What is none of the values that there are."""
    await kantata.participations.create(workspace_id=7, role="mavn")  # refused
    await kantata.workspaces.invite(7, invitee_role="owner")  # refused
    await kantata.workspaces.list(archived="yes")  # refused
    await kantata.workspaces.list(archived=True)  # refused
    await kantata.custom_fields.list(subject_type="users")  # refused
    await kantata.custom_field_values.list(subject_type="user")  # refused
    await kantata.stories.list(priority=["critcal"])  # refused
    await kantata.stories.create(workspace_id=7, title="Plan", story_type="taks")  # refused
    await kantata.client_invoice_defaults.create(time_rollup_type=3)  # refused
    await kantata.participations.update(42, permissions=[1])  # refused
    await kantata.participations.update(42, permissions=7)  # refused


async def rows(kantata: KantataSession) -> None:
    """What is no row, or no field of one."""
    await kantata.participations.create_many([{"workspace_id": 7, "role": "maven", "usr_id": 9}])  # refused
    await kantata.participations.create_many([{"workspace_id": 7, "role": "mavn"}])  # refused
    await kantata.participations.create_many([{"workspace_id": 7}])  # refused
    await kantata.participations.create_many({"workspace_id": 7, "role": "maven", "id": i} for i in "12")  # refused
    await kantata.participations.update_many([{"team_lead": True}])  # refused
    await kantata.participations.update_many([{"id": 42, "role": "maven"}])  # refused
    kantata.participations.create_stream([{"workspace_id": 7, "role": "maven", "usr_id": 9}])  # refused
    await kantata.participations.delete_many([{"id": 42}])  # refused


async def orders_and_optional_fields(kantata: KantataSession) -> None:
    """What a list cannot be sorted by, and what is no optional field."""
    await kantata.participations.list(workspace_id=7, order="updated")  # refused
    await kantata.participations.list(workspace_id=7, order="updated_at:down")  # refused
    await kantata.stories.list(order="position:asc")  # refused
    await kantata.workspaces.list(order="custom_field:42")  # refused
    await kantata.participations.get(42, optional_fields=["role"])  # refused
    await kantata.participations.get(42, optional_fields="access_level")  # refused


async def fields(kantata: KantataSession) -> None:
    """What is no field of a write, or no value of one."""
    await kantata.participations.create(workspace_id=7)  # refused
    await kantata.participations.create(workspace_id=7, role=None)  # refused
    await kantata.participations.create(workspace_id=7, role="maven", usr_id=9)  # refused
    await kantata.participations.create(workspace_id=7, role="maven", team_lead=True)  # refused
    await kantata.participations.create(workspace_id=7, role="maven", can_invite="yes")  # refused
    await kantata.participations.create(workspace_id=7, role="maven", external_reference={"service": "x"})  # refused
    await kantata.participations.update(42, cost_in_cents="7")  # refused
    await kantata.participations.update(42, cost_in_cents=7.5)  # refused
    await kantata.participations.update(42, role="maven")  # refused
    await kantata.stories.update(42, due_date="2026-01-05")  # refused
    await kantata.participations.create_many([1, 2])  # refused
    await kantata.participations.create_many({"workspace_id": 7})  # refused


async def ids_and_names(kantata: KantataSession) -> None:
    """What is no id, no resource, no method."""
    await kantata.participations.get()  # refused
    await kantata.participations.get([42])  # refused
    await kantata.participations.get(None)  # refused
    await kantata.participations.get(42.0)  # refused
    await kantata.participations.get(42, 43)  # refused
    await kantata.users.get_many(3)  # refused
    await kantata.participants.get(42)  # refused
    await kantata.participations.fetch(42)  # refused
    await kantata.timesheet_submissions.aprove(5)  # refused
    await kantata.load("user")  # refused
    KantataSession("token")  # refused
    KantataSession(tokn="token")  # refused
    KantataSession(concurrency="10")  # refused


def attributes(p: Participation, user: User) -> None:
    """What an entity does not have, does not hold, or does not let change."""
    print(p.usr)  # refused
    print(p.user.ful_name)  # refused
    print(p.user_id.name)  # refused
    print(p.created_at.timezone)  # refused
    print(p.active_roles.name)  # refused
    print(p.workspace.title.upcase)  # refused
    p.role = "buyer"  # refused
    p.user = user  # refused
    p.id = "43"  # refused
    rate: str = p.rate_in_cents  # refused
    name: int = p.user.full_name  # refused
    manager: Participation = user.manager  # refused
    print(rate, name, manager)


async def fields_by_name(kantata: KantataSession, p: Participation) -> None:
    """What values of custom fields are not."""
    await kantata.custom_fields.of("Workspaces", [7])  # refused
    await kantata.custom_fields.of([7])  # refused
    await kantata.custom_fields.set({p: {"Region": 1.5}})  # refused
    await kantata.custom_fields.set("Workspace", [7])  # refused


async def tables_and_sheets(kantata: KantataSession, user: User) -> None:
    """What is no entity, no amount, no sheet and no option of a plan."""
    columns([1, 2], "id")  # refused
    columns([user], ["id"])  # refused
    Money.of(1.5, "EUR")  # refused
    await plan(kantata, "roster.csv")  # refused
    await plan(kantata, Roster.read("roster.csv"), remove_other=True)  # refused
    await plan(kantata, [{"project": 7, "person": 9}])  # refused
    People.from_rows({"person": 2})  # refused
    Groups.read("groups.csv", ignore_columns=3)  # refused
    await (await plan(kantata, People.read("people.csv"))).apply(replan="yes")  # refused


async def results(kantata: KantataSession, payload: bytes) -> None:
    """What an answer does not have."""
    page = normalize(payload)
    print(page.entities)  # refused
    print(page["9"])  # refused
    print(page.graph.get("users", "9"))  # refused
    print(page.graph.get(User))  # refused
    print(page.graph.all("users"))  # refused
    normalize(7)  # refused
    for outcome in await kantata.participations.create_many([]):
        print(outcome.row)  # refused
        print(outcome.status.created)  # refused
        print(outcome.entity.role)  # refused
    print((await kantata.participations.create_many([])).entities.role)  # refused
    async for p in kantata.participations.list(workspace_id=7):
        print(p.usr)  # refused
    for q in kantata.participations.list(workspace_id=7):  # refused
        print(q)
