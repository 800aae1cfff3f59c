"""Wanted and current compared: what to add, change, remove and keep. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, Literal, TypeAlias

import attrs

from ..bulk import order_of_making
from .wanting import Terms, Value, Wanted

Action = Literal["add", "invite", "change", "remove", "keep", "wait", "blocked"]

NOT_SHOWN: Final = "not shown"
"""Stands for a value that an answer does not carry, as the caller lacks a permission."""

Several: TypeAlias = frozenset[str]

Places: TypeAlias = Mapping[str | None, Sequence["Existing"]]
"""What is there, by project; what belongs to no project is under None."""

Labels: TypeAlias = Mapping[str, Mapping[str, str]]
"""What ids are called, by column."""


@attrs.frozen(kw_only=True)
class Existing:
    """Somebody or something that is there now.

    Attributes:
        id: the id of what is written: a participation, an account membership, a group.
        subject: the id of the person or group.
        name: what it is called.
        values: what the answer shows, by columns; of columns that hold several, all of them.
    """

    id: str
    subject: str
    name: str
    values: Mapping[str, Value | Several]


@attrs.frozen
class Change:
    """One value that changes: the name of its column, what it is, and what it should be."""

    field: str
    before: Value
    after: Value


@attrs.frozen(kw_only=True)
class Entry:
    """What a plan says about one person on one project, of one person, or of one group.

    Attributes:
        action: ``add``, ``invite``, ``change``, ``remove``, ``keep``, ``wait`` for somebody who was invited and has
            not joined yet, or ``blocked`` for what cannot be done.
        project: the id of the project, in the plan of a roster.
        subject: the id of the person or group; of one that has none yet, what it is known by.
        name: what it is called.
        lines: the numbers of the lines; none for somebody who is not in the roster.
        held: the id of what is there: a participation, an account membership, a group.
        changes: what changes; of somebody to add, every value that is to be set.
        note: a remark.
    """

    action: Action
    project: str | None = None
    subject: str
    name: str
    lines: tuple[int, ...] = ()
    held: str | None = None
    changes: tuple[Change, ...] = ()
    note: str | None = None

    @property
    def person(self) -> str:
        """The id of the person, in the plan of a roster or of people."""
        return self.subject

    @property
    def participation(self) -> str | None:
        """The id of the participation, in the plan of a roster, where there is one."""
        return self.held


@attrs.frozen(kw_only=True)
class Shape:
    """The columns of one kind of thing, as far as they can be set.

    Attributes:
        settable: the columns that an update can change, in the order in which they are shown.
        fixed: the columns that only a create sets, with their values where the sheet gives none.
    """

    settable: tuple[str, ...]
    fixed: Mapping[str, Value] = attrs.field(factory=dict)
    absent: str = "is not there any more"
    """The note on what should be there, is not, and cannot be added."""


@attrs.frozen(kw_only=True)
class Rules:
    """What becomes of people who are not in the roster.

    Attributes:
        remove_others: whether they are removed from the projects of the roster.
        caller: the id of the token's own user, who is never removed: without them on the project, this run and
            the next could not see the others on it any more.
        held: the projects from which nobody is removed, with the reason: a line that cannot be done may mean somebody
            who is there, and a removal deletes their data on the project.
    """

    remove_others: bool = False
    caller: str | None = None
    held: Mapping[str, str] = attrs.field(factory=dict)


@attrs.frozen(kw_only=True)
class AccountState:
    """What is there when wanted and current are compared.

    Attributes:
        places: who or what is there, by project.
        invited: the addresses with an invitation that is pending.
        joined: the addresses of people who have joined the account.
        labels: what the ids among the values are called, by column.
    """

    places: Places
    invited: frozenset[str] = frozenset()
    joined: frozenset[str] = frozenset()
    labels: Labels = attrs.field(factory=dict)


def compare(wanted: Iterable[Wanted], state: AccountState, shape: Shape, rules: Rules) -> list[Entry]:
    """What to do so that all is as wanted, project by project; doing it and comparing again gives only keeps."""
    by_project: dict[str | None, list[Wanted]] = {project: [] for project in state.places}
    for one in wanted:
        by_project.setdefault(one.project, []).append(one)
    return [
        entry
        for project, ones in by_project.items()
        for entry in _Comparison(state, shape, rules).entries(project, ones)
    ]


@attrs.frozen
class _Comparison:
    state: AccountState
    shape: Shape
    rules: Rules

    def entries(self, project: str | None, wanted: Sequence[Wanted]) -> Iterator[Entry]:
        """What to do about one project, or about what belongs to none."""
        found: dict[str, list[Existing]] = defaultdict(list)
        for held in sorted(self.state.places.get(project, ()), key=order_of_making):
            found[held.subject].append(held)
        for one in wanted:
            there = found.pop(one.subject, [])
            yield self._present(one, there) if there else self._absent(one)
            if self.rules.remove_others:
                yield from (self._leave(project, other, "there more than once") for other in there[1:])
        if self.rules.remove_others:
            yield from (self._leave(project, other, "not in the roster") for there in found.values() for other in there)

    def _absent(self, wanted: Wanted) -> Entry:
        match wanted.if_absent:
            case "add":
                return _entry(wanted, "add", changes=additions(wanted.terms, self.shape))
            case "block":
                return _entry(wanted, "blocked", note=self.shape.absent)
            case "invite" if wanted.subject in self.state.joined:
                return _entry(wanted, "blocked", note="has joined the account since: make a new plan")
            case "invite" if wanted.subject in self.state.invited:
                return _entry(wanted, "wait", note="invited, and not in the account yet")
            case _ if wanted.project is None:
                return _entry(wanted, "invite", changes=additions(wanted.terms, self.shape))
            case _:
                later = "on the project by a later plan, once they have joined"
                return _entry(wanted, "invite", note="; ".join(filter(None, (wanted.note, later))))

    def _present(self, wanted: Wanted, there: Sequence[Existing]) -> Entry:
        """What to do about somebody who is there; of several equal ones only the first is looked after."""
        held = there[0]
        for field in self.shape.fixed.keys() & wanted.terms.values.keys():
            now = held.values.get(field, NOT_SHOWN)
            if now not in (wanted.terms.values[field], NOT_SHOWN):
                why = f"is on the project as {now}, and the API cannot change {field}: remove them first"
                return _entry(wanted, "blocked", held, note=why)
        changes = differences(wanted.terms, held, self.shape)
        notes = [wanted.note]
        if len(there) > 1 and not self.rules.remove_others:
            notes.append(f"there {len(there)} times, and only the first is looked after")
        if unseen := [field for field in self.shape.fixed if _is_unseen(field, wanted, held)]:
            notes.append(f"{' and '.join(unseen)} not shown to the token's user")
        note = "; ".join(filter(None, notes)) or None
        return _entry(wanted, "change" if changes else "keep", held, changes, note)

    def _leave(self, project: str | None, held: Existing, why: str) -> Entry:
        """What becomes of somebody who should not be there."""
        spared = self.rules.held.get(project or "")
        if held.subject == self.rules.caller:
            spared = "the token belongs to them"
        return Entry(
            action="remove" if spared is None else "keep",
            project=project,
            subject=held.subject,
            name=held.name,
            held=held.id,
            note=why if spared is None else f"{why}, but not removed: {spared}",
        )


def _entry(
    wanted: Wanted,
    action: Action,
    held: Existing | None = None,
    changes: tuple[Change, ...] = (),
    note: str | None = None,
) -> Entry:
    return Entry(
        action=action,
        project=wanted.project,
        subject=wanted.subject,
        name=wanted.name,
        lines=wanted.lines,
        held=None if held is None else held.id,
        changes=changes,
        note=note if held is not None or note is not None else wanted.note,
    )


def _is_unseen(field: str, wanted: Wanted, held: Existing) -> bool:
    return field in wanted.terms.values and field not in held.values


def additions(terms: Terms, shape: Shape) -> tuple[Change, ...]:
    """Every value to set on what is not there yet."""
    values = {**shape.fixed, **terms.values, **{field: listed(items) for field, items in terms.includes.items()}}
    fields = dict.fromkeys((*shape.fixed, *shape.settable, *terms.values))
    return tuple(Change(field, None, values[field]) for field in fields if values.get(field) is not None)


def differences(terms: Terms, held: Existing, shape: Shape) -> tuple[Change, ...]:
    """What differs from the terms."""
    found = []
    named = (field for field in terms.values if field not in shape.fixed)
    for field in dict.fromkeys((*shape.settable, *named)):
        if field in terms.values:
            before, after = _single(held.values.get(field, NOT_SHOWN)), terms.values[field]
        elif field in terms.includes:
            before, after = _with(terms.includes[field], held.values.get(field, NOT_SHOWN))
        elif field in terms.excludes:
            before, after = _without(terms.excludes[field], held.values.get(field, NOT_SHOWN))
        else:
            continue
        if before != after:
            found.append(Change(field, before, after))
    return tuple(found)


def _single(value: Value | Several) -> Value:
    return listed(sorted(value)) if isinstance(value, frozenset) else None if value == "" else value


def _with(items: Sequence[str], there: Value | Several) -> tuple[Value, Value]:
    """Values of which some should be there, as they are and as they should be."""
    if not isinstance(there, frozenset):
        return NOT_SHOWN, listed(items)
    lacking = [item for item in items if item not in there]
    return f"without {listed(lacking)}" if lacking else listed(items), listed(items)


def _without(items: Sequence[str], there: Value | Several) -> tuple[Value, Value]:
    """Values of which some should be out, as they are and as they should be."""
    if not isinstance(there, frozenset):
        return NOT_SHOWN, listed(items)
    present = [item for item in items if item in there]
    return f"without {listed(present)}" if present else listed(items), listed(items)


def listed(items: Iterable[str]) -> str:
    """Several values in one text; `items_of` takes it apart."""
    return " ".join(items)


def items_of(value: Value) -> list[str]:
    """The values that `listed` put together."""
    return str(value).split()


def drift(planned: Sequence[Entry], fresh: Sequence[Entry]) -> list[str]:
    """What happened since a plan was made, other than what the plan itself does.

    `fresh` is what a plan made now would say. What was planned and is done already, wholly or in part, is no drift: a
    plan that was interrupted can be applied again.
    """
    before = {identity(entry): entry for entry in planned}
    after = {identity(entry): entry for entry in fresh}
    reasons = []
    for key, now in after.items():
        then = before.get(key)
        if then is None:
            reasons.append(f"{now.name} ({now.action}) is new{_on(now)}")
        elif not _follows(then, now):
            reasons.append(f"{now.name}{_on(now)}: the plan says {then.action}, now it is {_in_short(now)}")
    for key, then in before.items():
        if key not in after and then.action != "remove":
            reasons.append(f"{then.name} is not there any more{_on(then)}")
    return reasons


def _on(entry: Entry) -> str:
    return "" if entry.project is None else f" on project {entry.project}"


Identity: TypeAlias = tuple[str | None, str, str | None]


def identity(entry: Entry) -> Identity:
    """What identifies an entry: a person for lines, but a participation for removals, as one person may have two."""
    return entry.project, entry.subject, None if entry.lines else entry.held


def _follows(then: Entry, now: Entry) -> bool:
    """Whether what is still to do is what was planned, or what is left of it."""
    match then.action, now.action:
        case "add", "add" | "change" | "keep":
            return True
        case "invite", "invite" | "wait":
            return True
        case ("change", "change" | "keep") | ("keep", "keep"):
            return set(now.changes) <= set(then.changes)
        case _:
            return then.action == now.action


def _in_short(entry: Entry) -> str:
    changes = ", ".join(f"{change.field} is {change.before}" for change in entry.changes if entry.action == "change")
    details = changes or entry.note if entry.action in {"change", "blocked"} else None
    return f"{entry.action} ({details})" if details else entry.action
