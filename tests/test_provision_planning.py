"""Planning: lines and teams in, what to do out, as tables; and by property, that doing it leaves nothing to do."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kantata_async.bulk import Outcome, Status
from kantata_async.provision import Line, Problem
from kantata_async.provision.comparing import AccountState, Change, Entry, Existing, Rules, drift, items_of
from kantata_async.provision.comparing import compare as compare_all
from kantata_async.provision.finding import Missing, Person
from kantata_async.provision.ledger import EntryLedger
from kantata_async.provision.plan import held_projects
from kantata_async.provision.sheets import PERMISSIONS, Name
from kantata_async.provision.subjects.teams import Directory, Teams, resolve
from kantata_async.provision.wanting import Project, Terms, Wanted, gather, in_subunits

SEVEN, ANN = Name("id", "7"), Name("email", "ann@x.example")
DIRECTORY = Directory(
    projects={
        SEVEN: Project("7", "Alpha"),
        Name("title", "Alpha"): Project("7", "Alpha"),
        Name("title", "Yen"): Project("8", "Yen", subunits=1),
        Name("title", "Gone"): Missing("project 'Gone' is archived"),
    },
    people={ANN: Person("9", "Ann"), Name("id", "9"): Person("9", "Ann"), Name("id", "1"): Missing("nobody")},
    roles={"Architect": "3", "Cook": Missing("there is no project role 'Cook'")},
)


def line(number: int, project: Name = SEVEN, person: Name = ANN, **terms: Any) -> Line:
    return Line(number=number, project=project, person=person, **terms)


def want(lines: Sequence[Line], directory: Directory) -> tuple[list[Wanted], list[Problem]]:
    return gather(resolve(line, directory) for line in lines)


def terms_of(permissions: Sequence[str] | None = None, **values: Any) -> Terms:
    includes = {} if permissions is None else {"permissions": tuple(permissions)}
    return Terms(values={name: value for name, value in values.items() if value is not None}, includes=includes)


def wanted(person: str = "9", project: str = "7", number: int = 2, **terms: Any) -> Wanted:
    return Wanted(project=project, subject=person, name=f"P{person}", lines=(number,), terms=terms_of(**terms))


def member(person: str = "9", participation: str = "50", lacks: Sequence[str] = (), **values: Any) -> Existing:
    shown = {"role": "maven", "access_level": "edit_tasks", "team_lead": False, "bill_rate": 100, **values}
    shown["permissions"] = frozenset(PERMISSIONS) - frozenset(lacks)
    return Existing(id=participation, subject=person, name=f"P{person}", values=shown)


def compare(wanted: Sequence[Wanted], teams: Mapping[str, Sequence[Existing]], rules: Rules) -> list[Entry]:
    return compare_all(wanted, AccountState(places=dict(teams)), Teams.shape, rules)


# --- lines ---


def test_equal_lines_count_once() -> None:
    """The same person and project by other names, with the same values, is one, with both line numbers."""
    found, problems = want([line(2), line(5, Name("title", "Alpha"), Name("id", "9"))], DIRECTORY)
    assert (found, problems) == ([attrs.evolve(wanted(), name="Ann", lines=(2, 5))], [])


def test_contradicting_lines_are_none() -> None:
    """Listed with different values: each line is told the other."""
    found, problems = want([line(2), line(5, team_lead=True)], DIRECTORY)
    assert found == []
    assert [(one.line, one.project) for one in problems] == [(2, "7"), (5, "7")]
    assert "with different values in line 5" in problems[0].reason


@pytest.mark.parametrize(
    ("given_line", "problem"),
    [
        (line(2, person=Name("id", "1")), Problem(2, "nobody", "7")),
        (line(2, Name("title", "Gone")), Problem(2, "project 'Gone' is archived")),
        (line(2, Name("title", "Gone"), Name("id", "1")), Problem(2, "project 'Gone' is archived; nobody")),
        (line(2, project_role="Cook"), Problem(2, "there is no project role 'Cook'", "7")),
        (
            line(2, Name("title", "Yen"), bill_rate=Decimal("0.5")),
            Problem(2, "the rate 0.5 has more decimals than the currency of the project", "8"),
        ),
    ],
)
def test_lines_that_cannot_be_done(given_line: Line, problem: Problem) -> None:
    """Each says why, all of it, and on which project where that is known."""
    assert want([given_line], DIRECTORY) == ([], [problem])


@pytest.mark.parametrize(
    ("rate", "subunits", "amount"), [("120.50", 100, 12050), ("120", 1, 120), ("0", 100, 0), ("1.234", 1000, 1234)]
)
def test_rates_in_subunits(rate: str, subunits: int, amount: int) -> None:
    """A rate is in units of the project's currency, whatever these are divided into."""
    assert in_subunits(Decimal(rate), subunits) == amount


# --- teams ---


@pytest.mark.parametrize(
    ("terms", "team", "action", "changes"),
    [
        ({}, [], "add", [("role", None, "maven")]),
        ({"role": "buyer", "team_lead": False}, [], "add", [("role", None, "buyer"), ("team_lead", None, False)]),
        ({}, [member()], "keep", []),
        ({"role": "maven", "access_level": "edit_tasks"}, [member()], "keep", []),
        ({"bill_rate": 0}, [member()], "change", [("bill_rate", 100, 0)]),
        ({"bill_rate": 0}, [member(bill_rate=None)], "change", [("bill_rate", None, 0)]),
        ({"cost_rate": 5}, [member()], "change", [("cost_rate", "not shown", 5)]),
        ({"team_lead": True}, [member()], "change", [("team_lead", False, True)]),
        ({"permissions": ("can_post", "edit")}, [member(lacks=["can_invite"])], "keep", []),
        (
            {"permissions": ("can_post", "edit")},
            [member(lacks=["can_post"])],
            "change",
            [("permissions", "without can_post", "can_post edit")],
        ),
        ({"role": "buyer", "bill_rate": 5}, [member()], "blocked", []),
    ],
)
def test_one_person(terms: Mapping[str, Any], team: Sequence[Existing], action: str, changes: Sequence[Any]) -> None:
    """Add, change what differs, keep, and what the API has no way to do."""
    (entry,) = compare([wanted(**terms)], {"7": team}, Rules())
    assert (entry.action, list(entry.changes)) == (action, [Change(*change) for change in changes])


def test_others_are_left_unless_asked() -> None:
    """Who is not in the roster stays, and is not even told of."""
    assert [entry.person for entry in compare([wanted()], {"7": [member(), member("4", "51")]}, Rules())] == ["9"]


def test_others_are_removed_when_asked() -> None:
    """All but the token's own user, and nobody from a project that is held."""
    rules = Rules(remove_others=True, caller="1", held={"8": "line 3 cannot be done"})
    teams = {"7": [member(), member("4", "51"), member("1", "52")], "8": [member("4", "61")]}
    found = {entry.participation: (entry.action, entry.note) for entry in compare([wanted()], teams, rules)}
    assert found == {
        "50": ("keep", None),
        "51": ("remove", "not in the roster"),
        "52": ("keep", "not in the roster, but not removed: the token belongs to them"),
        "61": ("keep", "not in the roster, but not removed: line 3 cannot be done"),
    }


def test_somebody_who_is_there_twice() -> None:
    """The older participation is theirs; the younger one is removed with the others, and else told of."""
    team = [member(participation="100"), member(participation="99")]
    (entry,) = compare([wanted()], {"7": team}, Rules())
    kept, removed = compare([wanted()], {"7": team}, Rules(remove_others=True))
    assert (entry.participation, entry.note) == ("99", "there 2 times, and only the first is looked after")
    assert (kept.action, kept.participation) == ("keep", "99")
    assert (removed.action, removed.participation) == ("remove", "100")


def test_a_line_that_cannot_be_done_holds_removals() -> None:
    """From its project; from every one when it does not say which."""
    assert held_projects([Problem(3, "nobody", "7")], {"7": (), "8": ()}) == {"7": "line 3 cannot be done"}
    assert held_projects([Problem(3, "nobody")], {"7": (), "8": ()}).keys() == {"7", "8"}


# --- drift ---


@pytest.mark.parametrize(
    ("then", "now", "drifted"),
    [
        ([], [member()], False),
        ([], [member(bill_rate=5)], False),
        ([member()], [member(bill_rate=5)], False),
        ([member()], [member()], False),
        ([member()], [], True),
        ([member()], [member(bill_rate=77)], True),
        ([member(bill_rate=5)], [member()], True),
        ([member(bill_rate=5)], [], True),
        ([member()], [member(role="buyer")], True),
        ([member(role="buyer")], [member()], True),
        ([member("4", "51")], [], False),
        ([], [member("4", "51")], True),
        ([member("4", "51")], [member("4", "77")], True),
    ],
)
def test_drift(then: Sequence[Existing], now: Sequence[Existing], drifted: bool) -> None:
    """What the plan itself does is no drift; anything else is."""
    rules = Rules(remove_others=True)
    ones = [wanted(role="maven", bill_rate=5)]
    reasons = drift(compare(ones, {"7": then}, rules), compare(ones, {"7": now}, rules))
    assert bool(reasons) is drifted


# --- by property ---

PEOPLE = st.sampled_from("123456")
PROJECTS = ("7", "8")
TERMS = st.fixed_dictionaries(
    {
        "access_level": st.sampled_from([None, "admin", "edit_tasks"]),
        "permissions": st.sampled_from([None, ("edit",), ("can_post", "edit")]),
        "team_lead": st.sampled_from([None, True, False]),
        "bill_rate": st.sampled_from([None, 0, 100, 200]),
        "project_role": st.sampled_from([None, "3"]),
    }
)
MEMBERS = st.builds(
    lambda person, level, lead, rate, lacks: (
        person,
        {"access_level": level, "team_lead": lead, "bill_rate": rate},
        lacks,
    ),
    PEOPLE,
    st.sampled_from(["admin", "edit_tasks"]),
    st.booleans(),
    st.sampled_from([None, 0, 100]),
    st.sets(st.sampled_from(["can_post", "can_invite", "edit"])),
)


@st.composite
def situations(draw: st.DrawFn) -> tuple[list[Wanted], dict[str, list[Existing]], Rules]:
    """A roster, teams in which people may be twice, and what becomes of others."""
    ones = [
        wanted(person, project, number, **draw(TERMS))
        for project in PROJECTS
        for number, person in enumerate(sorted(draw(st.sets(PEOPLE))))
    ]
    teams = {
        project: [
            member(person, f"{project}{number}", sorted(lacks), **values)
            for number, (person, values, lacks) in enumerate(draw(st.lists(MEMBERS, max_size=6)))
        ]
        for project in PROJECTS
    }
    return ones, teams, Rules(remove_others=draw(st.booleans()), caller=draw(st.sampled_from([None, "1"])))


def carried_out(entries: Sequence[Entry], teams: Mapping[str, Sequence[Existing]]) -> dict[str, list[Existing]]:
    """The teams of a server that did what the entries say."""
    held = {one.id: (project, one) for project, team in teams.items() for one in team}
    for entry in entries:
        after: dict[str, Any] = {change.field: change.after for change in entry.changes}
        if entry.action == "remove":
            del held[str(entry.held)]
        elif entry.action == "add":
            id = f"new{entry.project}{entry.subject}"
            values = {**after, "permissions": frozenset(items_of(after.get("permissions", "")))}
            held[id] = str(entry.project), Existing(id=id, subject=entry.subject, name=entry.name, values=values)
        elif entry.action == "change":
            project, one = held[str(entry.held)]
            given = one.values["permissions"] | frozenset(items_of(after.pop("permissions", "")))
            held[one.id] = project, attrs.evolve(one, values={**one.values, **after, "permissions": given})
    found: dict[str, list[Existing]] = defaultdict(list, {project: [] for project in teams})
    for project, one in held.values():
        found[project].append(one)
    return dict(found)


@given(situations(), st.data())
def test_a_plan_converges(situation: Any, data: st.DataObject) -> None:
    """Carried out in part, and then what is left of it, the teams are as wanted; none of it is drift."""
    ones, teams, rules = situation
    entries = compare(ones, teams, rules)
    done = data.draw(st.lists(st.sampled_from(entries), unique_by=id)) if entries else []
    halfway = carried_out(done, teams)
    rest = compare(ones, halfway, rules)
    assert drift(entries, rest) == []
    after = carried_out(rest, halfway)
    assert {entry.action for entry in compare(ones, after, rules)} <= {"keep"}
    on_project = {(project, one.subject) for project, team in after.items() for one in team}
    assert {(one.project, one.subject) for one in ones} <= on_project
    if rules.remove_others:
        assert on_project <= {(one.project, one.subject) for one in ones} | {
            (project, rules.caller) for project in PROJECTS
        }
        again = [
            (project, one.subject) for project, team in after.items() for one in team if one.subject != rules.caller
        ]
        assert len(again) == len(set(again))


# --- what became of an entry that takes several updates ---


def told_of(*outcomes: Status) -> str:
    """What is told of a change whose updates, one after the other, came to this."""
    changes = (Change("headline", "a", "b"), Change("role", "1", "2"))
    change = Entry(action="change", subject="4", name="Ann", lines=(2,), held="4", changes=changes)
    ledger = EntryLedger([change], (), lambda _: None, lambda _: None)
    ledger.owe(change, len(outcomes))
    ledger.begin([change])
    for number, status in enumerate(outcomes):
        if status == "updated":
            ledger.update(change, None)
        else:
            ledger.fail(change, Outcome(number, {}, status, reason=f"reason {number}"))
    (applied,) = ledger.report(()).applied
    return f"{applied.status}: {applied.reason}" if applied.reason else applied.status


@pytest.mark.parametrize(
    ("outcomes", "told"),
    [
        (("updated", "updated"), "changed"),
        (("not_sent", "not_sent"), "not_sent: reason 1"),
        (("updated", "not_sent"), "unfinished: some of its changes are set: reason 1"),
        (("not_sent", "updated"), "unfinished: some of its changes are set: reason 0"),
        (("unknown", "not_sent"), "unknown: reason 0"),
        (("not_sent", "unknown"), "unknown: reason 1"),
        (("unknown", "updated"), "unknown: reason 0"),
        (("unknown", "rejected"), "unknown: reason 0"),
        (("rejected", "not_sent"), "refused: reason 0"),
        (("updated", "rejected", "not_sent"), "refused: reason 1"),
        (("rejected", "unknown", "not_sent"), "unknown: reason 1"),
    ],
)
def test_an_entry_is_told_by_that_of_its_updates_of_which_least_is_known(
    outcomes: tuple[Status, ...], told: str
) -> None:
    """Nothing is called not sent of which a part is set, and nothing known that nobody can know."""
    assert told_of(*outcomes) == told
