"""What plans are made about: the teams of projects, the people of the account, the groups of projects.

subject   what the engine has to know about each
teams     … of teams: finding what lines mean, reading what is there, and what is written
people    … of people
groups    … of groups
inviting  invitations of people who are not in the account yet
"""

from __future__ import annotations

from typing import Final

from .groups import GroupsOfAccount
from .inviting import invite
from .people import PeopleOfAccount
from .subject import ResourceName, Subject, Wish, Write
from .teams import Directory, Teams, read_participations

SUBJECTS: Final[dict[str, Subject]] = {
    subject.kind: subject for subject in (Teams(), PeopleOfAccount(), GroupsOfAccount())
}
"""The subjects, by the kinds of their sheets."""

__all__ = ["SUBJECTS", "Directory", "ResourceName", "Subject", "Wish", "Write", "invite", "read_participations"]
