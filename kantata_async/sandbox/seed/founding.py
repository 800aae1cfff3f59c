"""A believable company of any size, the same for the same seed."""

from __future__ import annotations

import random
from base64 import b64decode
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any, Final

import attrs

from kantata_async.catalogue import load

from ..backend import (
    BASE_TIME,
    ME,
    Clock,
    Company,
    References,
    SavedRecords,
    Store,
    UploadedFile,
    blanks,
    keep_file,
    page_of,
)
from . import names
from .custom_fields import define_fields, give_values
from .filling import fill

BASE_DATE: Final = BASE_TIME.date()
PHOTO: Final = b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNoAAAAggCBd81ytgAAAABJRU5ErkJggg==")
"""The photo of everybody: one grey pixel."""

TEAM_SIZE: Final = 6
STAFFED_SHARE: Final = 4


def found(company: Company, *, seed: int, people: int, projects: int) -> None:
    """Fill a store. The first user is the administrator, who has the token; most people are on no project yet."""
    store = company.store
    store.take_up(_records(seed, max(1, people), max(0, projects)))
    for identity in store.records("attachments"):
        brief = UploadedFile(f"brief-{identity}.pdf", page_of([f"Brief {identity}"]), "application/pdf")
        keep_file(store, company.files, identity, brief)
    for identity in store.records("users"):
        company.files.put("photos", identity, f"{identity}.png", PHOTO, "image/png")
    store.clock.founding = False


@lru_cache(maxsize=4)
def _records(seed: int, people: int, projects: int) -> SavedRecords:
    """The records of a new company, as a store saves them: tests found the same one again and again."""
    catalogue = load()
    store = Store(blanks(catalogue), Clock())
    founder = _Founder(store, random.Random(seed), people, projects)  # noqa: S311 - a likeness
    founder.account()
    founder.roles_and_skills()
    founder.everyone()
    founder.clients()
    founder.work()
    founder.outside_the_envelope()
    define_fields(store)
    fill(store, catalogue, References(catalogue), seed=seed)
    give_values(store, seed)
    return store.saved()


@attrs.define
class _Founder:
    """Founds one company, part by part; each part relies on those before it."""

    store: Store
    chance: random.Random
    people: int
    projects: int
    roles: list[str] = attrs.field(factory=list)
    users: list[str] = attrs.field(factory=list)
    groups: list[str] = attrs.field(factory=list)

    def _dated(self, collection: str, attributes: dict[str, Any], day: int | None = None) -> str:
        """Add a record that was made some days ago and changed since."""
        made = self._moment(self.chance.randint(30, 400) if day is None else day)
        changed = min(BASE_TIME, made + timedelta(hours=self.chance.randint(0, 600)))
        return self.store.add(
            collection, {"created_at": made.isoformat(), "updated_at": changed.isoformat(), **attributes}
        )

    def _moment(self, days_ago: int) -> datetime:
        return BASE_TIME - timedelta(days=days_ago, minutes=self.chance.randint(0, 500))

    def _day(self, earliest: int, latest: int) -> str:
        return (BASE_DATE + timedelta(days=self.chance.randint(earliest, latest))).isoformat()

    def account(self) -> None:
        """What the account has as a whole: colors, task statuses, expense categories, a workweek, exchange tables."""
        for number, color in enumerate(("Red", "Green", "Blue", "Gray")):
            shown = {"name": color, "hex": f"#{0x223344 * (number + 1):06X}", "enabled": color != "Gray"}
            self._dated("account_colors", {**shown, "default_color": number == 0})
        statuses = self._dated("task_status_sets", {"name": "Standard", "account_default": True})
        for position, (status, category) in enumerate(
            (("Not started", "not started"), ("Started", "started"), ("Blocked", "needs info"), ("Done", "completed"))
        ):
            option = {"status": status, "category": category, "position": position}
            self._dated("custom_task_statuses", {**option, "status_set_id": statuses, "task_status_set_id": statuses})
        for category in ("Travel", "Lodging", "Meals", "Software"):
            self.store.add("expense_categories", {"name": category})
        retired = {"name": "Telegrams", "deleted_at": self._moment(200).isoformat()}
        self.store.add("expense_categories", retired)
        week = {f"{day}_minutes": 480 for day in ("monday", "tuesday", "wednesday", "thursday", "friday")}
        self._dated("workweeks", {**week, "sunday_minutes": 0, "saturday_minutes": 0, "start_date": "2020-01-01"})

    def roles_and_skills(self) -> None:
        """Roles, skill categories and skills."""
        self.roles = [self._dated("roles", {"name": name}) for name in names.ROLES]
        self._dated("roles", {"name": "Typesetter", "deleted_at": self._moment(100).isoformat()})
        for category, skills in names.SKILLS.items():
            held = self.store.add("skill_categories", {"name": category})
            for skill in skills:
                described = {"name": skill, "description": f"{skill} on client projects", "max_level": "5"}
                self._dated("skills", {**described, "skill_category_id": held})

    def everyone(self) -> None:
        """The people, with their account memberships, managers and skills; one in forty has been disabled."""
        called = self._full_names()
        leads = max(1, self.people // 12)
        for number, full_name in enumerate(called):
            role = self.chance.randrange(len(self.roles))
            city, state, country = self.chance.choice(names.CITIES)
            address = full_name.lower().replace(" ", ".")
            user = self.store.add(
                "users",
                {
                    "full_name": full_name,
                    "headline": "Head of Delivery" if number == 0 else names.ROLES[role],
                    "email_address": f"{address}@{names.DOMAIN}",
                    "photo_path": f"/files/photos/{number + 1}/{number + 1}.png",
                    "city": city,
                    "state": state,
                    "country": country,
                    "bio": f"{names.ROLES[role]} from {city}",
                    "last_site_activity": self._moment(self.chance.randint(0, 20)).isoformat(),
                },
            )
            self.users.append(user)
            self._membership(user, number, leads, self.roles[role])
            self._skills(user)

    def _full_names(self) -> list[str]:
        """Names without repetition; once every combination is used, they are numbered."""
        most = len(names.FIRST_NAMES) * len(names.LAST_NAMES)
        drawn = self.chance.sample(range(most), min(self.people, most))
        spread = [drawn[number % most] for number in range(self.people)]
        return [
            f"{names.FIRST_NAMES[pick % len(names.FIRST_NAMES)]} {names.LAST_NAMES[pick // len(names.FIRST_NAMES)]}"
            + (f" {number // most + 1}" if number >= most else "")
            for number, pick in enumerate(spread)
        ]

    def _membership(self, user: str, number: int, leads: int, role: str) -> None:
        lead = number <= leads
        disabled = number > leads and number % 40 == 39
        permission = "administrator" if number == 0 else "project_lead" if lead else "collaborator"
        self._dated(
            "account_memberships",
            {
                "user_id": user,
                "permission": permission,
                "is_administrator": number == 0,
                "is_owner": number == 0,
                "is_project_lead": lead,
                "can_create_workspace": lead,
                "can_view_reports": lead,
                "default_role_id": role,
                "manager_id": None if number == 0 else ME if lead else self.users[1 + number % leads],
                "bill_rate_in_cents": self.chance.randrange(9000, 30000, 500),
                "cost_rate_in_cents": self.chance.randrange(4000, 9000, 500),
                "billability_target": self.chance.choice((60, 70, 75, 80)),
                "disabled_at": self._moment(50).isoformat() if disabled else None,
                "can_log_in": not disabled,
            },
        )

    def _skills(self, user: str) -> None:
        for skill in self.chance.sample(list(self.store.records("skills").values()), self.chance.randint(1, 3)):
            held = {"skill_id": skill["id"], "cached_skill_name": skill["name"], "max_level": 5, "creator_id": ME}
            self._dated("skill_memberships", {**held, "user_id": user, "level": self.chance.randint(1, 5)})

    def clients(self) -> None:
        """The clients, as workspace groups."""
        needed = min(len(names.CLIENTS), max(1, self.projects))
        for client in self.chance.sample(names.CLIENTS, needed):
            self.groups.append(self._dated("workspace_groups", {"name": client, "company": True}))

    def work(self) -> None:
        """The projects. One in four has a team already, and one in ten is archived."""
        for number in range(self.projects):
            group = self.groups[number % len(self.groups)]
            client = self.store.records("workspace_groups")[group]["name"]
            price = self.chance.randrange(20_000, 400_000, 5_000)
            lead = self.users[self.chance.randrange(min(len(self.users), 6))]
            workspace = self._dated(
                "workspaces",
                {
                    "title": f"{client}: {names.ENGAGEMENTS[number % len(names.ENGAGEMENTS)]}"
                    + (f" {number // len(names.ENGAGEMENTS) + 1}" if number >= len(names.ENGAGEMENTS) else ""),
                    "description": f"Work for {client}",
                    "archived": number % 10 == 9,
                    "budgeted": True,
                    "price": str(price),
                    "price_in_cents": price * 100,
                    "start_date": self._day(-200, -10),
                    "due_date": self._day(10, 300),
                    "creator_id": ME,
                    "primary_maven_id": lead,
                    "approver_id": lead,
                    "approver_ids": [lead],
                    "account_color_id": str(number % 3 + 1),
                    "primary_workspace_group_id": group,
                    "workspace_group_ids": [group],
                    "task_status_set_id": "1",
                    "task_status_set_name": "Standard",
                    "task_statuses": ["Not started", "Started", "Blocked", "Done"],
                    "can_invite": True,
                    "currency": self.chance.choice(("USD", "USD", "EUR")),
                },
            )
            if number % STAFFED_SHARE == 0 or number % 10 == 9:
                self._team(workspace, lead)

    def _team(self, workspace: str, lead: str) -> None:
        others = [user for user in self.users[: max(TEAM_SIZE, self.people // 3)] if user != lead]
        team = [lead, *self.chance.sample(others, min(len(others), TEAM_SIZE - 1))]
        resources = {user: self._participation(workspace, user, user == lead) for user in team}
        for position, phase in enumerate(names.PHASES[: self.chance.randint(3, len(names.PHASES))]):
            parent = self._story(workspace, phase, position, None, resources)
            for task in range(self.chance.randint(1, 3)):
                self._story(workspace, self.chance.choice(names.TASKS), task, parent, resources)
        for _ in range(self.chance.randint(1, 3)):
            self._post(workspace, self.chance.choice(team))

    def _participation(self, workspace: str, user: str, lead: bool) -> str:
        membership = self.store.records("account_memberships")[user]
        role = membership["default_role_id"]
        participation = self._dated(
            "participations",
            {
                "workspace_id": workspace,
                "user_id": user,
                "role": "maven",
                "is_team_lead": lead,
                "access_level": "admin" if lead else "edit_tasks",
                "primary_role_id": role,
                "workspace_role_id": role,
                "rate_in_cents": membership["bill_rate_in_cents"],
                "cost_in_cents": membership["cost_rate_in_cents"],
            },
        )
        shared = {"workspace_id": workspace, "user_id": user, "role_id": role}
        return self._dated("workspace_resources", {**shared, "participation_id": participation})

    def _story(self, workspace: str, title: str, position: int, parent: str | None, resources: dict[str, str]) -> str:
        state = self.chance.choice(("not started", "started", "completed"))
        story = self._dated(
            "stories",
            {
                "workspace_id": workspace,
                "title": title,
                "description": f"{title} together with the client",
                "position": position,
                "parent_id": parent,
                "ancestry_depth": 0 if parent is None else 1,
                "creator_id": ME,
                "state": state,
                "status": state,
                "percentage_complete": 100 if state == "completed" else 0,
                "priority": self.chance.choice(("low", "normal", "normal", "high", "critical")),
                "start_date": self._day(-60, 0),
                "due_date": self._day(1, 90),
                "time_estimate_in_minutes": self.chance.randrange(240, 4800, 60),
                "billable": True,
                "time_trackable": True,
                "project_plan": True,
                "archived": self.chance.random() < 0.05,
            },
        )
        for user in self.chance.sample(sorted(resources), min(len(resources), self.chance.randint(1, 2))):
            assigned = {"story_id": story, "assignee_id": user, "resource_id": resources[user], "current": True}
            self._dated("assignments", {**assigned, "estimated_minutes": 480, "allocated_minutes": 240})
            self._time(workspace, story, user)
        return story

    def _time(self, workspace: str, story: str, user: str) -> None:
        membership = self.store.records("account_memberships")[user]
        for _ in range(self.chance.randint(1, 3)):
            ago = self.chance.randint(1, 40)
            self._dated(
                "time_entries",
                {
                    "workspace_id": workspace,
                    "story_id": story,
                    "user_id": user,
                    "role_id": membership["default_role_id"],
                    "date_performed": (BASE_DATE - timedelta(days=ago)).isoformat(),
                    "time_in_minutes": self.chance.randrange(30, 510, 30),
                    "notes": self.chance.choice(names.NOTES),
                    "billable": self.chance.random() < 0.8,
                    "rate_in_cents": membership["bill_rate_in_cents"],
                    "cost_rate_in_cents": membership["cost_rate_in_cents"],
                },
                ago,
            )

    def _post(self, workspace: str, user: str) -> None:
        message = self.chance.choice(names.POSTS)
        said = {"message": message, "formatted_message": f"<p>{message}</p>", "parsed_message": message}
        about = {
            "subject_type": "Workspace",
            "subject_id": workspace,
            "subject_ref": {"key": "workspaces", "id": workspace},
        }
        self._dated("posts", {**said, **about, "workspace_id": workspace, "user_id": user})

    def outside_the_envelope(self) -> None:
        """What has no definition: exchange tables and rates, reports, scheduled exports, recognition methods."""
        now = BASE_TIME.isoformat()
        table = {"name": "Group rates", "account_default": True, "insights_account_default": True}
        tables = [self.store.add("exchange_tables", table)]
        for currency, rate in (("EUR", "1.0921"), ("GBP", "1.2744"), ("CAD", "0.7312")):
            effective = {"effective_date": date(BASE_DATE.year, 1, 1).isoformat(), "rate": rate}
            pair = {"source_currency": currency, "target_currency": "USD"}
            self.store.add("exchange_rates", {"exchange_table_id": tables[0], **pair, **effective})
        for title in ("Utilization by Role", "Project Margin"):
            identifier = f"/gdc/md/{title.lower().replace(' ', '-')}"
            self.store.add(
                "insights_reports", {"identifier": identifier, "title": title, "created_at": now, "updated_at": now}
            )
        self.store.add(
            "insights_report_exports",
            {
                "title": "Nightly margin",
                "description": "For the finance team",
                "external_report_object_identifier": "/gdc/md/project-margin",
                "recurrence": {"cadence": "daily", "start_time": now},
                "created_at": now,
            },
        )
        for name, kind in (("% Complete (Hours)", "percent_complete"), ("Time & Materials", "time_and_materials")):
            self.store.add(
                "revenue_recognition_methods",
                {
                    "id": f"1:{kind}",
                    "name": name,
                    "revenue_to_date_formula": "budget * percent_complete",
                    "revenue_in_period_formula": "revenue_to_date - previous_revenue",
                    "created_at": now,
                    "updated_at": now,
                    "active": True,
                    "type": kind,
                    "percent_complete_formula": "hours_to_date / hours_eac",
                },
            )
