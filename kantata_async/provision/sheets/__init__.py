"""Spreadsheets of teams, people and groups: files in, lines with their numbers out.

tables   pure: the content of a file as rows of cells
columns  pure: headers as columns
cells    pure: the text of a cell as a value
content  what a file holds, and in which form
sheet    what the three kinds have in common
roster   the columns and lines of teams
people   … of people
groups   … of groups
kinds    which kind a file is
"""

from __future__ import annotations

from .cells import (
    ACCESS_LEVELS,
    CLEAR,
    PERMISSIONS,
    ROLES,
    Name,
    NameKind,
    checked_text,
    is_clear,
    read_person,
    read_project,
    read_text,
)
from .groups import GroupLine, Groups
from .kinds import KINDS, AnySheet, read_sheet
from .people import People, PersonLine
from .roster import RATES, Line, Roster
from .sheet import Problem, Sheet

__all__ = [
    "ACCESS_LEVELS",
    "CLEAR",
    "KINDS",
    "PERMISSIONS",
    "RATES",
    "ROLES",
    "AnySheet",
    "GroupLine",
    "Groups",
    "Line",
    "Name",
    "NameKind",
    "People",
    "PersonLine",
    "Problem",
    "Roster",
    "Sheet",
    "checked_text",
    "is_clear",
    "read_person",
    "read_project",
    "read_sheet",
    "read_text",
]
