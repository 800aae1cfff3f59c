"""Typical uses, as users write them: never run, only read by the type checkers, which must accept every line."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from decimal import Decimal
from pathlib import Path as FilePath
from typing import Any, assert_type

from kantata_async import (
    OMITTED,
    AmbiguousWriteError,
    APIError,
    BulkError,
    BulkResult,
    DownloadedFile,
    Entity,
    FieldsResult,
    FieldValue,
    Found,
    KantataSession,
    ListQuery,
    Money,
    NotFoundError,
    NotLoadedError,
    NotOneError,
    Outcome,
    Page,
    RateLimit,
    RetryPolicy,
    by_custom_field,
    normalize,
    path,
)
from kantata_async.api.exports import ExportsCreateExportDefinition
from kantata_async.api.participations import ParticipationsRow, ParticipationsUpdateRow
from kantata_async.entities import (
    AccountDataExportResult,
    Attachment,
    Participation,
    Role,
    Story,
    TimesheetSubmission,
    User,
    Workspace,
)
from kantata_async.provision import CLEAR, Applied, Groups, People, Plan, Roster, export_teams, plan


async def current_token() -> str:
    """A token from wherever the program keeps it."""
    return "token"


async def sessions() -> None:
    """Opened with a token of any form, or with none."""
    async with KantataSession() as kantata:
        me = await kantata.users.me()
        assert_type(me, User)
    async with KantataSession(token="token", base_url="https://api.example.com/api/v1", timeout=30, concurrency=5):
        pass
    async with KantataSession(token=current_token, rate_limit=RateLimit(10), retry=RetryPolicy()) as kantata:
        await kantata.request("GET", "/users/me")
        await kantata.request("POST", "/users", params={"page": 1}, json={"user": {"full_name": "Ada"}})
    session = KantataSession()
    await session.open()
    await session.close()


async def single_objects(kantata: KantataSession) -> None:
    """Got with their associations; attributes are of their types, without a check for None each time."""
    p = await kantata.participations.get(42, include=["user", "workspace_role"], optional_fields=["access_level"])
    assert_type(p, Participation)
    full_name: str = p.user.full_name
    user_id: str = p.user_id
    created_at: dt.datetime = p.created_at
    rate: int = p.rate_in_cents
    lead: bool = p.is_team_lead
    roles: tuple[Role, ...] = p.active_roles
    role_ids: tuple[str, ...] = p.active_role_ids
    level: str = p.access_level
    print(full_name.upper(), user_id, created_at.tzinfo, rate + 1, lead, roles, role_ids, level)
    print([role.name for role in p.active_roles], p.workspace.title, p.user.manager.manager.full_name)
    if p.user is None or p.user.full_name is None:
        print("hidden")
    story = await kantata.stories.get("42")
    due: dt.date = story.due_date
    parent: Story = story.parent
    print(due.year, parent.title, story.sub_stories[0].title, story.extra.get("brand_new"), story.to_dict()["id"])
    post = await kantata.posts.get(1, include=["subject"])
    if isinstance(post.subject, Workspace):
        print(post.subject.title)
    print(post.subject_ref.key, post.subject_ref.id)


async def lists(kantata: KantataSession) -> None:
    """Filtered, sorted and paged; nothing is sent until one is awaited or iterated."""
    team = kantata.participations.list(
        workspace_id=7, include=[path("user.account_membership"), "workspace"], order="updated_at:desc"
    )
    assert_type(team, ListQuery[Participation])
    async for p in team:
        assert_type(p, Participation)
    async with aclosing(aiter(team)) as one_by_one:
        assert_type([p.user.full_name async for p in one_by_one], list[str | Any])
    everyone = await team
    assert_type(everyone, list[Participation])
    assert_type(await team.collect(), list[Participation])
    assert_type(await team.count(), int)
    first = await team.first()
    if first is not None:
        print(first.user.full_name)
    third = await team.page(3)
    assert_type(third, Page[Participation])
    async for page in team.pages():
        print(page.items[0].role, page.count, page.graph.get(User, "9"), page.meta.page_count)
    people = kantata.users.list(search="ada", only=[1, "2"], optional_fields=["bio"], per_page=200, on_my_account=True)
    print([person.full_name for person in await people])
    day, moment = dt.date(2026, 1, 5), dt.datetime(2026, 1, 5, tzinfo=dt.UTC)
    await kantata.timesheet_submissions.list(start_date=day, updated_after=moment, user_ids=[1, "2"])
    await kantata.workspaces.list(order=by_custom_field(42, descending=True), except_=[1, 2])
    await kantata.stories.list(order="position")
    assert_type(await kantata.users.list(by_email_address="ada@example.com").one(), User)
    assert_type(kantata.users.list().limit(10), ListQuery[User])
    assert_type(await kantata.users.list(everything=True).limit(10), list[User])
    await kantata.workspaces.list(archived="include", stage="project")
    await kantata.stories.list(priority=["critical", "high"], story_type="task", by_status="in review")
    await kantata.custom_fields.list(subject_type="User")


async def pages(kantata: KantataSession) -> None:
    """A page iterates, counts and indexes."""
    page = await kantata.users.list().page(1)
    assert_type(page[0], User)
    assert_type(page[:2], Sequence[User])
    assert_type(len(page), int)
    for person in page:
        assert_type(person, User)


async def left_out(kantata: KantataSession, text: str | None) -> None:
    """A parameter that is given only sometimes."""
    await kantata.users.list(search=text or OMITTED)
    await kantata.participations.update(42, access_level="a_level_of_its_own", permissions="edit")


async def by_id(kantata: KantataSession, ids: AsyncIterator[str]) -> None:
    """Many at once, and associations after the fact."""
    people = await kantata.users.get_many([3, 1, "2"], include=["role"], optional_fields=["bio"])
    assert_type(people, Found[User])
    print(people[0].full_name, people.missing)
    await kantata.users.get_many({int(id) async for id in ids}, everything=True)
    await kantata.participations.get_many([1], workspace_id=7)
    await kantata.load(people, "manager.role")
    await kantata.load(people[0], "manager", "role")


async def writes(kantata: KantataSession) -> None:
    """One at a time; None clears a field."""
    p = await kantata.participations.create(workspace_id=7, user_id=9, role="maven", include=["user"])
    assert_type(p, Participation)
    await kantata.participations.create(
        workspace_id="7",
        role="maven",
        permissions=["edit", "can_invite", "one_of_its_own"],
        external_reference={"service_name": "crm", "service_model": "deal", "service_model_ref": "1"},
    )
    updated = await kantata.participations.update(p.id, team_lead=True, cost_in_cents=None)
    assert_type(updated, Participation)
    await kantata.participations.delete(p.id)
    approved = await kantata.timesheet_submissions.approve(5)
    assert_type(approved, TimesheetSubmission)
    await kantata.stories.create(
        workspace_id=7, title="Plan", story_type="task", due_date=dt.date(2026, 1, 5), assignee_ids=[1, "2"]
    )
    await kantata.estimates.list(created_after=dt.datetime.now(dt.UTC))
    await kantata.attachments.create(data=FilePath("plan.pdf"), type="post_attachment")
    await kantata.attachments.create(data=("plan.pdf", b"content"), type="post_attachment")


async def files(kantata: KantataSession) -> None:
    """Down to a path or a writer, up from a path or a reader; exports with a destination and without."""
    post = await kantata.posts.get(1, include=["attachments"])
    for attachment in post.attachments:
        saved = await kantata.attachments.download(attachment, FilePath("inbox"), max_bytes=10_000_000)
        assert_type(saved, DownloadedFile)
        await kantata.attachments.download(attachment, io.BytesIO(), on_progress=print)
    assert_type(await kantata.attachments.upload("taxi.pdf", type="receipt"), Attachment)
    await kantata.attachments.upload(io.BytesIO(b"%PDF-1.7"), filename="taxi.pdf")
    await kantata.users.download_photo(await kantata.users.me(), "photos")
    await kantata.download("/invoices/7.pdf", "invoice.pdf", overwrite=True)
    users: dict[str, ExportsCreateExportDefinition] = {"users": {"columns": ["id"]}}
    assert_type(await kantata.exports.run("users.csv", export_definition=users), DownloadedFile)
    export = await kantata.exports.run(export_definition={"users": {"columns": ["id"]}}, on_state=print)
    assert_type(export, AccountDataExportResult)
    assert_type(await kantata.insights_report_exports.wait(3, after=dt.datetime.now(dt.UTC)), dt.datetime)


async def rows_from_elsewhere() -> AsyncIterator[ParticipationsRow]:
    """Rows as they come."""
    yield {"workspace_id": 7, "user_id": 9, "role": "maven"}


async def bulk(kantata: KantataSession) -> None:
    """Any iterable of mappings, any length; one outcome a row."""
    rows: list[ParticipationsRow] = [{"workspace_id": 7, "user_id": user, "role": "maven"} for user in range(250)]
    result = await kantata.participations.create_many(rows, include=["user"])
    assert_type(result, BulkResult[Participation])
    for outcome in result:
        assert_type(outcome, Outcome[Participation])
        print(outcome.index, outcome.item["user_id"], outcome.status, outcome.errors)
        if outcome.entity is not None:
            print(outcome.entity.user.full_name)
    print(len(result), len(result.created), len(result.existing), len(result.rejected), len(result.unknown), result[0])
    result.raise_for_errors()
    await kantata.participations.create_many(rows_from_elsewhere())
    await kantata.participations.create_many(row for row in rows)
    await kantata.participations.create_many([{"workspace_id": 7, "role": "buyer"}], include=[path("user.role")])
    assert_type(result.entities, list[Participation])
    changes: list[ParticipationsUpdateRow] = [{"id": one.id, "team_lead": True} for one in result.entities]
    assert_type(await kantata.participations.update_many(changes, include=["user"]), BulkResult[Participation])
    await kantata.participations.delete_many(one.id for one in result.entities)
    async for made in kantata.participations.create_stream(rows, optional_fields=["access_level"], if_exists="skip"):
        assert_type(made, Outcome[Participation])


async def errors(kantata: KantataSession) -> None:
    """Caught by class, with what each tells."""
    try:
        await kantata.participations.get(42)
    except NotFoundError as error:
        print(error.status, error.request_id, [detail.message for detail in error.errors])
    except AmbiguousWriteError as error:
        print(error.method, error.path)
    except BulkError as error:
        print(error.result)
    except NotLoadedError as error:
        print(error.name)
    except NotOneError as error:
        print(error.count)
    except APIError as error:
        print(error)


async def custom_fields(kantata: KantataSession, project: Workspace, people: list[User]) -> None:
    """Values by the names of their fields: keys are what was given."""
    values = await kantata.custom_fields.of([project])
    assert_type(values, dict[Workspace, dict[str, FieldValue | None]])
    assert_type(await kantata.custom_fields.of(kantata.users.list()), dict[User, dict[str, FieldValue | None]])
    assert_type(await kantata.custom_fields.of("Workspace", [7, 9]), dict[int, dict[str, FieldValue | None]])
    result = await kantata.custom_fields.set({project: {"Region": "EMEA", "Go-live": dt.date(2026, 9, 1)}})
    assert_type(result, FieldsResult)
    await kantata.custom_fields.set(values)
    await kantata.custom_fields.set({one: {"Languages": ["English"], "Hired on": None} for one in people})
    await kantata.custom_fields.set("User", {"7": {"Training budget": Money.of("10.50", "EUR")}})
    for outcome in result:
        print(outcome.object, outcome.field, outcome.status, outcome.before)


def pure(payload: bytes, decoded: dict[str, object]) -> Sequence[Entity]:
    """No session is needed to read an answer."""
    page = normalize(payload, include=["user"])
    assert_type(page.graph.get(User, "9"), User | None)
    assert_type(page.graph.get(User, 9), User | None)
    assert_type(page.graph.all(User), list[User])
    print(page.count, page.graph.unresolved, page.graph.notes, len(page.graph))
    for one in normalize(decoded).items:
        print(one.id, one.collection, one.to_dict())
        if isinstance(one, User):
            print(one.full_name, one.manager.full_name)
    copied = User.from_dict({"id": 9, "full_name": "Ada"})
    assert_type(copied, User)
    by_name = {copied: copied.full_name, User.from_dict({"id": 10}): "x"}
    print(by_name, Decimal("1.5"))
    return page.items


async def sheets(kantata: KantataSession) -> None:
    """Teams, people and groups from files and objects; what is cleared, and what became of it."""
    for sheet in (
        Roster.read("roster.xlsx", ignore_columns=["Comment"]),
        People.from_rows([{"person": 2, "headline": CLEAR, "bill_rate": Decimal("120.50")}]),
        Groups.from_jsonl(FilePath("groups.jsonl")),
    ):
        made = await plan(kantata, sheet)
        assert_type(made, Plan)
        report = await made.apply(progress=lambda one: print(one.entry.name, one.status))
        assert_type(report.applied, tuple[Applied, ...])
        print(report.ok, str(report.tally), [problem.line for problem in report.problems])
    print((await export_teams(kantata, ["Juniper Hotels: Data Platform"])).text)
