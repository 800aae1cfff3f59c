"""Plans as JSON: what was wanted, what was to be done, and what it was planned from."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

import attrs
from cattrs import ClassValidationError, transform_error
from cattrs.preconf.json import make_converter

from ..errors import UsageError
from .account import Account
from .comparing import Entry, Rules
from .sheets import Problem
from .subjects import SUBJECTS
from .wanting import Project, Wanted

_VERSION: Final = 2


@attrs.frozen(kw_only=True)
class PlanFile:
    """Everything that a plan consists of.

    Attributes:
        kantata_plan: the version of the form.
        kind: what it is about.
        account: the account that it was made for.
        projects: the projects of a roster.
        labels: what the ids among the values are called, by column.
        wanted: who or what should be there.
        rules: what becomes of everybody else.
        entries: what was to do when the plan was made.
        problems: the lines that cannot be done.
        notes: remarks on how the file was read.
        custom_fields: the columns that are custom fields, of people and groups.
    """

    kantata_plan: int = _VERSION
    kind: str
    account: Account
    projects: tuple[Project, ...]
    labels: dict[str, dict[str, str]]
    wanted: tuple[Wanted, ...]
    rules: Rules
    entries: tuple[Entry, ...]
    problems: tuple[Problem, ...]
    notes: tuple[str, ...] = ()
    custom_fields: tuple[str, ...] = ()


_CONVERTER: Final = make_converter(forbid_extra_keys=True)


def write(plan: PlanFile) -> str:
    """A plan as JSON, for people to read too."""
    return json.dumps(_CONVERTER.unstructure(plan), indent=1, ensure_ascii=False) + "\n"


def read(text: str, source: str) -> PlanFile:
    """A plan from its JSON.

    Raises:
        UsageError: the text is no plan; the message names the place.
    """
    try:
        data: Any = json.loads(text)
    except (ValueError, TypeError, RecursionError) as error:
        raise UsageError(f"{source} is not JSON: {error}") from error
    version = data.get("kantata_plan") if isinstance(data, dict) else None
    if version != _VERSION:
        raise UsageError(f"{source} is not a plan of this version: 'kantata_plan' must be {_VERSION}, not {version!r}")
    try:
        plan = _CONVERTER.structure(data, PlanFile)
    except ClassValidationError as error:
        raise UsageError(f"{source} is not a plan: {'; '.join(transform_error(error, path='plan')[:3])}") from error
    wrong = next(_wrong(plan), None)
    if wrong is not None:
        raise UsageError(f"{source} is not a plan: {wrong}")
    return plan


def _wrong(plan: PlanFile) -> Iterator[str]:
    """What makes no sense in a plan that has the right form; None where all does."""
    if plan.kind not in SUBJECTS:
        yield f"there is no kind {plan.kind!r}"
        return
    known = {project.id for project in plan.projects}
    shape = SUBJECTS[plan.kind].shape
    columns = {*shape.settable, *shape.fixed, *(() if plan.kind == "roster" else plan.custom_fields)}
    for project in [*(one.project for one in plan.wanted), *(one.project for one in plan.entries)]:
        if project is not None and project not in known:
            yield f"it names project {project!r}, which is not among its projects"
        if (project is None) is (plan.kind == "roster"):
            yield f"a plan of a {plan.kind} names {'no project' if project is None else 'a project'}"
    fields = [field for one in plan.wanted for field in (*one.terms.values, *one.terms.includes, *one.terms.excludes)]
    fields += [change.field for entry in plan.entries for change in entry.changes]
    yield from (f"there is no column {field!r}" for field in fields if field not in columns)
