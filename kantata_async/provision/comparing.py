"""Wanted and current teams compared: what to add, change, remove and keep. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, Literal

import attrs

from .wanting import Terms, Wanted

Action = Literal["add", "change", "remove", "keep", "blocked"]

Value = str | int | bool | None

NOT_SHOWN: Final = "not shown"
"""The value of what an answer does not carry, for want of a permission."""

SETTABLE: Final = ("access_level", "permissions", "team_lead", "bill_rate", "cost_rate", "project_role")
"""What an update can change, in the order in which it is told; the role of a participation it cannot."""


@attrs.frozen(kw_only=True)
class Member:
    """Somebody who is on a project now.

    Attributes:
        participation: the id of the participation.
        person: the id of the person.
        name: their name.
        values: what the answer shows, by the names of `Terms` (but the permissions).
        lacks: the permissions that the answer shows as not given.
    """

    participation: str
    person: str
    name: str
    values: Mapping[str, Value]
    lacks: frozenset[str] = frozenset()


@attrs.frozen
class Change:
    """One value that changes: the name of its column, what it is, and what it should be."""

    field: str
    before: Value
    after: Value


@attrs.frozen(kw_only=True)
class Entry:
    """What a plan says of one person on one project.

    Attributes:
        action: ``add``, ``change``, ``remove``, ``keep``, or ``blocked`` for what cannot be done.
        project: the id of the project.
        person: the id of the person.
        name: their name.
        lines: the numbers of the roster's lines; none for somebody who is not in the roster.
        participation: the id of the participation, where there is one.
        changes: what changes; of somebody to add, all that is told of them.
        note: what else there is to say.
    """

    action: Action
    project: str
    person: str
    name: str
    lines: tuple[int, ...] = ()
    participation: str | None = None
    changes: tuple[Change, ...] = ()
    note: str | None = None


@attrs.frozen(kw_only=True)
class Rules:
    """What becomes of people who are not in the roster.

    Attributes:
        remove_others: whether they are removed from the projects of the roster.
        caller: the id of the token's own user, who is never removed: without them on the project, the rest of it
            could not be seen any more, by this run or the next.
        held: the projects from which nobody is removed, with the reason: a line that cannot be done may mean somebody
            who is there, and a removal deletes their data on the project.
    """

    remove_others: bool = False
    caller: str | None = None
    held: Mapping[str, str] = attrs.field(factory=dict)


def compare(wanted: Iterable[Wanted], teams: Mapping[str, Sequence[Member]], rules: Rules) -> list[Entry]:
    """What to do so that the teams are as wanted, project by project; doing it and comparing again gives only keeps."""
    by_project: dict[str, list[Wanted]] = {project: [] for project in teams}
    for one in wanted:
        by_project[one.project].append(one)
    return [
        entry for project, ones in by_project.items() for entry in _compare_team(project, ones, teams[project], rules)
    ]


def _compare_team(project: str, wanted: Sequence[Wanted], team: Sequence[Member], rules: Rules) -> Iterable[Entry]:
    members: dict[str, list[Member]] = defaultdict(list)
    for member in sorted(team, key=_age):
        members[member.person].append(member)
    for one in wanted:
        found = members.pop(one.person, [])
        yield _compare_one(one, found, told=not rules.remove_others)
        if rules.remove_others:
            yield from (_leave(project, other, rules, "there more than once") for other in found[1:])
    if rules.remove_others:
        yield from (_leave(project, other, rules, "not in the roster") for held in members.values() for other in held)


def _age(member: Member) -> tuple[int, str]:
    return len(member.participation), member.participation


def _compare_one(wanted: Wanted, found: Sequence[Member], *, told: bool) -> Entry:
    """What to do about one person; who is there more than once is looked after once, which is `told`."""
    member = found[0] if found else None

    def entry(action: Action, changes: tuple[Change, ...] = (), note: str | None = None) -> Entry:
        return Entry(
            action=action,
            project=wanted.project,
            person=wanted.person,
            name=wanted.name,
            lines=wanted.lines,
            participation=None if member is None else member.participation,
            changes=changes,
            note=note,
        )

    if member is None:
        return entry("add", additions(wanted.terms))
    role = member.values.get("role", NOT_SHOWN)
    if wanted.terms.role not in (None, role):
        return entry("blocked", note=f"is on the project as {role}, and the API changes no role: remove them first")
    changes = differences(wanted.terms, member)
    note = f"there {len(found)} times, and only the first is looked after" if told and len(found) > 1 else None
    return entry("change" if changes else "keep", changes, note)


def _leave(project: str, member: Member, rules: Rules, why: str) -> Entry:
    """What becomes of somebody who should not be there."""
    spared = rules.held.get(project)
    if member.person == rules.caller:
        spared = "the token is theirs"
    return Entry(
        action="remove" if spared is None else "keep",
        project=project,
        person=member.person,
        name=member.name,
        participation=member.participation,
        note=why if spared is None else f"{why}, but not removed: {spared}",
    )


def additions(terms: Terms) -> tuple[Change, ...]:
    """All that is told of somebody who is not on the project yet."""
    role = Change("role", None, terms.role or "maven")
    told = ((field, _plain(getattr(terms, field))) for field in SETTABLE)
    return (role, *(Change(field, None, value) for field, value in told if value is not None))


def differences(terms: Terms, member: Member) -> tuple[Change, ...]:
    """What of a member is not as the terms say."""
    found = []
    for field in SETTABLE:
        value = getattr(terms, field)
        if value is None:
            continue
        before = _lacking(value, member) if field == "permissions" else member.values.get(field, NOT_SHOWN)
        after = _plain(value)
        if before != after:
            found.append(Change(field, before, after))
    return tuple(found)


def _lacking(permissions: Sequence[str], member: Member) -> Value:
    """The permissions as they are: as wanted, or without those that are not given."""
    lacking = sorted(member.lacks.intersection(permissions))
    return f"without {' '.join(lacking)}" if lacking else _plain(permissions)


def _plain(value: Sequence[str] | Value) -> Value:
    return value if isinstance(value, str | int | None) else " ".join(value)


def drift(planned: Sequence[Entry], fresh: Sequence[Entry]) -> list[str]:
    """What happened to the teams since a plan was made, other than what the plan itself does.

    `fresh` is what a plan made now would say. What was planned and is done already, wholly or in part, is no drift: a
    plan that was interrupted can be applied again.
    """
    before = {identity(entry): entry for entry in planned}
    after = {identity(entry): entry for entry in fresh}
    reasons = []
    for key, now in after.items():
        then = before.get(key)
        if then is None:
            reasons.append(f"{now.name} ({now.action}) is new on project {now.project}")
        elif not _follows(then, now):
            reasons.append(f"{now.name} on project {now.project}: the plan says {then.action}, now it is {_told(now)}")
    for key, then in before.items():
        if key not in after and then.action != "remove":
            reasons.append(f"{then.name} is not on project {then.project} any more")
    return reasons


def identity(entry: Entry) -> tuple[str, str, str | None]:
    """Lines speak of people, whoever is removed is a participation: somebody may be there twice."""
    return entry.project, entry.person, None if entry.lines else entry.participation


def _follows(then: Entry, now: Entry) -> bool:
    """Whether what is to be done now is what was planned, or what is left of it."""
    match then.action, now.action:
        case "add", "add" | "change" | "keep":
            return True
        case ("change", "change" | "keep") | ("keep", "keep"):
            return set(now.changes) <= set(then.changes)
        case _:
            return then.action == now.action


def _told(entry: Entry) -> str:
    changes = ", ".join(f"{change.field} is {change.before}" for change in entry.changes if entry.action == "change")
    return f"{entry.action} ({changes})" if changes else entry.action
