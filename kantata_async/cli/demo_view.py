"""How the demonstration looks: the steps with their code, the teams, the plan of requests, and where to go next."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from itertools import zip_longest
from typing import TYPE_CHECKING, Final

from rich import box
from rich.columns import Columns
from rich.console import Console, RenderableType
from rich.markup import escape
from rich.padding import Padding
from rich.progress import TaskID
from rich.table import Table
from rich.text import Text

from .._version import __version__
from ..plurals import counted
from . import terminal

if TYPE_CHECKING:
    from .demo_facts import DemoStep, Pulled, Team

CountShown = Callable[[str, int, int | None], None]
"""Takes the name of a collection, how many objects of it came so far, and how many there are, where that is known."""

_MARGIN: Final = 3
_PEOPLE_SHOWN: Final = 5
_TEAMS_SHOWN: Final = 6


class DemoView:
    """Writes the demonstration to a console: with bars on a terminal, plain lines elsewhere."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def opening(self, url: str, latency: float, *, people: int, projects: int) -> None:
        """Say what is about to happen, and where."""
        self._line(f"[bold]Kantata Async {__version__}[/bold], on an embedded Kantata at {url}")
        self._line(
            f"A company of {people:,} people and {projects:,} projects; every answer takes {latency:g} s or more."
        )

    def heading(self, number: int, title: str, code: str) -> None:
        """Begin a step: what it is for, and the code that does it."""
        self._line(f"\n[bold]{number}. {title}[/bold]")
        for line in code.splitlines():
            self._indented(f"[cyan]{escape(line)}[/cyan]")

    @contextmanager
    def working(self, what: str) -> Iterator[None]:
        """Show that something is under way, and for how long."""
        with terminal.bars(self._console) as bars:
            bars.add_task(what, total=None)
            yield

    @contextmanager
    def pulling(self, collections: Collection[str]) -> Iterator[CountShown]:
        """Show how far each collection has come, as it is reported."""
        with terminal.bars(self._console) as bars:
            tasks: dict[str, TaskID] = {name: bars.add_task(name, total=None) for name in collections}
            yield lambda name, done, total: bars.update(tasks[name], completed=done, total=total)

    def result(self, step: DemoStep, what: str = "") -> None:
        """End a step: what came of it, and what it took."""
        if what:
            self._indented(what)
        self._indented(f"[dim]{_requests(step.requests)}, {_seconds(step.seconds)}[/dim]")

    def teams(self, teams: Sequence[Team]) -> None:
        """Show the first people of each team, with what was read through the links, and count the others."""
        self._block(Columns([_team(team) for team in teams[:_TEAMS_SHOWN]], padding=(1, 4)))
        if len(teams) > _TEAMS_SHOWN:
            self._indented(f"[dim]and {counted(len(teams) - _TEAMS_SHOWN, 'more team')}[/dim]")

    def pulled(self, step: DemoStep, collections: Sequence[Pulled]) -> None:
        """Show what came of each collection."""
        table = _table("Collection", "Objects", "Pages", "Took")
        for one in collections:
            table.add_row(one.collection, f"{one.objects:,}", f"{one.pages:,}", _seconds(one.seconds))
        self._block(table)
        added = _seconds(sum(one.seconds for one in collections))
        self._indented(f"Together they took {_seconds(step.seconds)}; one after the other it would be {added}.")

    def plan(self, steps: Sequence[DemoStep], total: DemoStep, latency: float) -> None:
        """Set the requests that were sent beside those that one at a time would have taken."""
        self._line("\n[bold]The plan of requests[/bold]")
        table = _table("Step", "Sent", "Took", "One by one", "At least", footers=_plan_row(total, latency))
        for step in steps:
            table.add_row(*_plan_row(step, latency))
        self._block(table)
        self._indented(
            "[dim]Measured: the requests sent, from the embedded Kantata's log, and what they took. Reckoned: one by "
            "one is a POST for each person, a GET for each linked object, and lists in the same pages, each request "
            f"after the one before; at least is {latency:g} s, the latency, for each.[/dim]"
        )

    def summary(self, total: DemoStep, latency: float, wrong: Sequence[str], *, created: int, projects: int) -> None:
        """Say what was created, with how many requests, whether it is right, and where to go next."""
        self._line("\n[bold]Summary[/bold]")
        self._indented(
            f"Created {counted(created, 'participation')} on {counted(projects, 'project')}. All steps together took "
            f"{_requests(total.requests)} and {_seconds(total.seconds)}; one by one it would be "
            f"{_requests(total.alone)} and {total.alone * latency:,.0f} s or more."
        )
        if wrong:
            for one in wrong:
                self._indented(f"[red]Wrong:[/red] {one}")
            return
        self._indented(
            "[green]Checked[/green] in the embedded Kantata's store: each of these people is on their project, once, "
            "nobody else is, and every name and role that was read is the one stored."
        )
        self._line("\n[bold]Where to go next[/bold]")
        self._indented("[cyan]README.md[/cyan]               a program of ten lines, and where to read on")
        self._indented("[cyan]kantata-async sandbox[/cyan]   an embedded Kantata for programs of your own")
        self._indented("[cyan]export KANTATA_TOKEN=…[/cyan]  and KantataSession() works on your own account")

    def _line(self, text: str) -> None:
        self._console.print(text, soft_wrap=not self._console.is_terminal)

    def _indented(self, text: str) -> None:
        """Print text inside the margin: wrapped on a terminal, on one line for anything else that reads it."""
        whole = Text.from_markup(text)
        width = self._console.width - _MARGIN
        for line in whole.wrap(self._console, width) if self._console.is_terminal else [whole]:
            self._console.print(Text(" " * _MARGIN) + line, soft_wrap=True)

    def _block(self, what: RenderableType) -> None:
        """Print a table or several inside the margin, with an empty line before."""
        self._console.print(Padding(what, (1, 0, 0, _MARGIN), expand=False))


def _team(team: Team) -> Table:
    size = len(team.members)
    title = f"{team.project.title} ({counted(size, 'person', 'people')})"
    table = _table("Name", "Role", "Rate per hour", title=title)
    for member in team.members[:_PEOPLE_SHOWN]:
        membership = member.user.account_membership
        rate = f"{membership.bill_rate_in_cents / 100:,.2f}"
        table.add_row(member.user.full_name, membership.default_role.name, rate)
    if size > _PEOPLE_SHOWN:
        table.add_row(f"[dim]and {size - _PEOPLE_SHOWN:,} more[/dim]")
    return table


def _table(first: str, *others: str, title: str | None = None, footers: Sequence[str] = ()) -> Table:
    table = Table(
        title=title,
        title_justify="left",
        title_style="bold",
        box=box.SIMPLE_HEAD,
        show_edge=False,
        show_footer=bool(footers),
    )
    for name, footer in zip_longest((first, *others), footers, fillvalue=""):
        table.add_column(name, footer, justify="left" if name in {first, "Role"} else "right")
    return table


def _plan_row(step: DemoStep, latency: float) -> tuple[str, ...]:
    at_least = f"{step.alone * latency:,.1f} s"
    return step.title, f"{step.requests:,}", _seconds(step.seconds), f"{step.alone:,}", at_least


def _requests(count: int) -> str:
    return counted(count, "request")


def _seconds(seconds: float) -> str:
    return f"{seconds:,.2f} s"
