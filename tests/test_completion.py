"""What jedi completes, which is what Jupyter and many editors ask: in a file, and where the objects are there."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import jedi
import pytest

import kantata_async
from kantata_async import KantataSession

ROOT: Final = Path(kantata_async.__file__).parents[1]

PROGRAM: Final = "from kantata_async import KantataSession\n\n\nasync def main(kantata: KantataSession):\n    "
CALLS: Final = [
    ("users.list(", {"by_email_address", "search", "include", "order", "per_page", "everything"}),
    ("participations.list(work", {"workspace_id"}),
    ("participations.get(42, ", {"include", "optional_fields"}),
    ("participations.create(workspace_id=7, ro", {"role"}),
    ("participations.update(42, team", {"team_lead"}),
    ("users.get_many([1], show_", {"show_disabled", "show_users_in_insights_groups"}),
    ("participations.create_many([], ", {"include", "optional_fields", "key", "find", "if_exists"}),
    ("participations.update_many([], inc", {"include"}),
    ("timesheet_submissions.approve(5, ", {"include"}),
]


def keywords(completions: list[jedi.api.classes.Completion]) -> set[str]:
    """The names that are offered as keywords."""
    return {one.name.removesuffix("=") for one in completions if one.name.endswith("=")}


@pytest.mark.parametrize(("call", "names"), CALLS, ids=[call for call, _ in CALLS])
def test_the_keywords_of_a_call_are_completed_in_a_file(call: str, names: set[str]) -> None:
    """From the source alone."""
    script = jedi.Script(f"{PROGRAM}await kantata.{call}", path=ROOT / "example.py", project=jedi.Project(ROOT))
    assert names <= keywords(script.complete())


@pytest.mark.parametrize(("call", "names"), CALLS, ids=[call for call, _ in CALLS])
def test_the_keywords_of_a_call_are_completed_in_a_notebook(call: str, names: set[str]) -> None:
    """From the objects of a session that runs; what is offered first is what is asked for."""
    notebook = jedi.Interpreter(f"await kantata.{call}", [{"kantata": KantataSession(token="x")}])
    assert names <= keywords(notebook.complete())


def test_the_names_of_what_comes_back_are_completed() -> None:
    """An entity, a page, the result of a bulk write."""
    for call, name in (
        ("(await kantata.users.me()).full_na", "full_name"),
        ("(await kantata.users.list())[0].full_na", "full_name"),
        ("kantata.users.list().lim", "limit"),
        ("(await kantata.users.list().page(1)).ite", "items"),
        ("(await kantata.users.list().page(1))[0].full_na", "full_name"),
        ("async for user in kantata.users.list().limit(3):\n        user.full_na", "full_name"),
        ("async for page in kantata.users.list().pages():\n        page[0].full_na", "full_name"),
        ("async for event in kantata.subscribed_events.follow():\n        event.current_payl", "current_payload"),
        ("(await kantata.participations.create_many([])).entit", "entities"),
        ("(await kantata.participations.get(1)).user.full_na", "full_name"),
        ("(await kantata.participations.get(1)).user.manager.headl", "headline"),
    ):
        script = jedi.Script(PROGRAM + call, path=ROOT / "example.py", project=jedi.Project(ROOT))
        assert name in {one.name for one in script.complete()}, call
