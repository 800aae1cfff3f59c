"""Putting people on projects from a roster: what would change is planned first, and applied until it is so.

roster.py     a file or objects in, lines with their numbers out; a bad line does not stop the good ones
cells.py      the text of a cell as a value
resolving.py  the projects, people and roles that lines name, in few requests
wanting.py    pure: lines and what they name -> who should be on which project, on which terms
teams.py      the teams as they are
comparing.py  pure: wanted and current teams -> what to add, change, remove and keep
plan.py       the plan: shown, saved, applied
plan_file.py  plans as JSON
applying.py   carrying entries out, and again what got lost
report.py     what became of each entry
showing.py    pure: plans as text
"""

from __future__ import annotations

from .comparing import Change, Entry
from .plan import Plan, PlanOutdatedError, plan
from .report import Applied, Progress, Report, show_applied
from .roster import Line, Problem, Roster

__all__ = [
    "Applied",
    "Change",
    "Entry",
    "Line",
    "Plan",
    "PlanOutdatedError",
    "Problem",
    "Progress",
    "Report",
    "Roster",
    "plan",
    "show_applied",
]
