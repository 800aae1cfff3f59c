"""Plans as JSON: what was wanted, what was to be done, and what it was planned from."""

from __future__ import annotations

import json
from typing import Any, Final

import attrs
from cattrs import ClassValidationError, transform_error
from cattrs.preconf.json import make_converter

from ..errors import UsageError
from .comparing import Entry, Rules
from .roster import Problem
from .wanting import Project, Wanted

_VERSION: Final = 1


@attrs.frozen(kw_only=True)
class PlanFile:
    """All that a plan is made of.

    Attributes:
        kantata_plan: the version of the form.
        projects: the projects of the roster.
        roles: the names of the project roles that it tells of, by id.
        wanted: who should be on which project.
        rules: what becomes of everybody else.
        entries: what was to do when the plan was made.
        problems: the lines that cannot be done.
    """

    kantata_plan: int = _VERSION
    projects: tuple[Project, ...]
    roles: dict[str, str]
    wanted: tuple[Wanted, ...]
    rules: Rules
    entries: tuple[Entry, ...]
    problems: tuple[Problem, ...]


_CONVERTER: Final = make_converter(forbid_extra_keys=True)


def write(plan: PlanFile) -> str:
    """A plan as JSON, for people to read too."""
    return json.dumps(_CONVERTER.unstructure(plan), indent=1, ensure_ascii=False) + "\n"


def read(text: str, source: str) -> PlanFile:
    """A plan from its JSON. Raises UsageError with the place where it is not one."""
    try:
        data: Any = json.loads(text)
    except ValueError as error:
        raise UsageError(f"{source} is not JSON: {error}") from error
    version = data.get("kantata_plan") if isinstance(data, dict) else None
    if version != _VERSION:
        raise UsageError(f"{source} is no plan of this version: 'kantata_plan' should be {_VERSION}, not {version!r}")
    try:
        plan = _CONVERTER.structure(data, PlanFile)
    except ClassValidationError as error:
        raise UsageError(f"{source} is no plan: {'; '.join(transform_error(error, path='plan')[:3])}") from error
    _check_projects(plan, source)
    return plan


def _check_projects(plan: PlanFile, source: str) -> None:
    known = {project.id for project in plan.projects}
    named = [*(one.project for one in plan.wanted), *(entry.project for entry in plan.entries)]
    for project in named:
        if project not in known:
            raise UsageError(f"{source} is no plan: it tells of project {project!r}, and not which that is")
