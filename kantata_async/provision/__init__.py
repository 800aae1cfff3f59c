"""Teams, people and groups from spreadsheets: what would change is planned first, and applied until it is done.

sheets         files in, lines with their numbers out; a bad line does not stop the good ones
texts          pure: texts as people type them, made comparable
finding        the projects, people, roles and groups that lines name, in few requests
wanting        pure: what a plan is meant to bring about
comparing      pure: wanted and current -> what to add, invite, change, remove and keep
subjects       teams, people, groups: what each needs to be found, read and written
plan           the plan: shown, saved, applied
plan_file      plans as JSON
account        which account a plan was made for
custom_fields  values of custom fields, set
applying       entries carried out, and what got lost carried out again
ledger         what is known of every entry at every moment
tally          pure: how far an apply is
report         what became of each entry
showing        pure: plans as text
exporting      teams as they are, as a roster
local_files    files, readable by their owner alone where they hold names and rates
"""

from __future__ import annotations

from .account import Account
from .comparing import Change, Entry
from .exporting import TeamsFile, export_teams
from .local_files import write_private
from .plan import Plan, PlanOutdatedError, plan
from .report import Applied, Progress, Report, Watch, report_of, show_applied
from .sheets import CLEAR, AnySheet, GroupLine, Groups, Line, People, PersonLine, Problem, Roster, read_sheet
from .tally import Tally

__all__ = [
    "CLEAR",
    "Account",
    "AnySheet",
    "Applied",
    "Change",
    "Entry",
    "GroupLine",
    "Groups",
    "Line",
    "People",
    "PersonLine",
    "Plan",
    "PlanOutdatedError",
    "Problem",
    "Progress",
    "Report",
    "Roster",
    "Tally",
    "TeamsFile",
    "Watch",
    "export_teams",
    "plan",
    "read_sheet",
    "report_of",
    "show_applied",
    "write_private",
]
