"""What the lines of a sheet name, found in few requests, or the reason why it was not found.

named        objects by their names: searched for, or read from the whole list where that takes fewer requests
referred     objects by their external references
missing      what was not found, and what to say of it
projects     … each kind
people
roles
groups
invitations
"""

from __future__ import annotations

from .groups import find_groups
from .invitations import pending_invitations
from .missing import Missing, why_missing
from .people import Person, find_people, joined
from .projects import find_projects, read_projects
from .referred import references_of
from .roles import find_roles

__all__ = [
    "Missing",
    "Person",
    "find_groups",
    "find_people",
    "find_projects",
    "find_roles",
    "joined",
    "pending_invitations",
    "read_projects",
    "references_of",
    "why_missing",
]
