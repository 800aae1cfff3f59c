"""The commands of `kantata-async`, and the exit codes that a script can use."""

from __future__ import annotations

import errno
from collections.abc import Sequence
from typing import Final

import click

from .._version import __version__
from .awaiting import Terminated, awaited
from .exit_codes import EXIT_CODES, FAILED, INTERRUPTED, TERMINATED, WRONG_USAGE
from .lazy_group import LazyGroup

_ELSEWHERE: Final = {
    "call": ("call", "call", "Send any request, and write its answer as JSON."),
    "create": ("objects", "create", "Create an object of COLLECTION, or with --from one for each line."),
    "delete": ("objects", "delete", "Delete objects of COLLECTION, which cannot be undone."),
    "download": ("files", "download", "Download the files of an object."),
    "export": ("files", "export", "Export data sets as CSV, created, waited for and downloaded."),
    "get": ("objects", "get", "Get objects of COLLECTION by their ids."),
    "list": ("objects", "list_", "List the objects of COLLECTION."),
    "login": ("signin", "login", "Sign in with a browser, and keep the access token for later."),
    "logout": ("signin", "logout", "Revoke the tokens of a profile, and forget it."),
    "profiles": ("signin", "profiles", "List the profiles that are kept."),
    "provision": ("provision", "provision", "Make teams, people or groups as FILE says."),
    "resources": ("resources", "resources", "List the collections of the API, or what COLLECTION takes."),
    "roster": ("roster", "roster", "Write the teams of projects as a roster."),
    "sync": ("sync", "sync", "Keep a copy of COLLECTIONS current."),
    "update": ("objects", "update", "Change an object of COLLECTION."),
    "whoami": ("signin", "whoami", "Show which user the commands act as, and where."),
}
"""The commands of other modules: the module, the name there, and the line in the list of commands."""


@click.group(
    cls=LazyGroup.of(_ELSEWHERE),
    epilog=EXIT_CODES,
    context_settings={"help_option_names": ["-h", "--help"], "show_default": True},
)
@click.version_option(__version__, message="%(prog)s %(version)s")
def program() -> None:
    """Kantata OX from the command line, and an embedded Kantata to try it on."""


@program.command(epilog=EXIT_CODES)
@click.option("--people", type=click.IntRange(min=1), default=250, help="How many people to put on projects.")
@click.option("--projects", type=click.IntRange(min=1), default=3, help="How many projects to put them on.")
@click.option(
    "--latency", type=click.FloatRange(min=0, min_open=True), default=0.2, help="Seconds that every answer takes."
)
@click.option("--seed", type=int, default=1, help="The seed of the company: the same one gives the same company.")
def demo(people: int, projects: int, latency: float, seed: int) -> int:
    """Put people on projects of an embedded Kantata.

    The teams are read back and checked, and the requests counted. It needs no account and no network, and changes
    nothing outside its own process.
    """
    from . import terminal  # noqa: PLC0415 - --help and --version need neither the terminal nor the sandbox
    from .demo import company_of, demonstrate  # noqa: PLC0415 - as above
    from .demo_facts import Scale  # noqa: PLC0415 - as above
    from .demo_view import DemoView  # noqa: PLC0415 - as above

    scale = Scale(people=people, projects=projects, latency=latency, seed=seed)
    right = awaited(demonstrate(company_of(scale), scale, DemoView(terminal.console())))
    return 0 if right else FAILED


@program.command(epilog=EXIT_CODES)
@click.option("--port", type=click.IntRange(0, 65535), default=8080, help="Where to listen; 0 takes a free port.")
@click.option("--people", type=click.IntRange(min=1), default=60, help="How many users the company has.")
@click.option("--projects", type=click.IntRange(min=0), default=12, help="How many projects the company has.")
@click.option("--seed", type=int, default=1, help="The seed of the company: the same one gives the same company.")
@click.option("--latency", type=click.FloatRange(min=0), default=0.0, help="Seconds added to every answer.")
def sandbox(port: int, people: int, projects: int, seed: int, latency: float) -> None:
    """Run an embedded Kantata on this machine.

    It answers until Ctrl-C, which ends it with exit code 0; what was written to it is then forgotten.
    """
    try:
        awaited(_serve(port, people=people, projects=projects, seed=seed, latency=latency))
    except KeyboardInterrupt:
        click.echo("Ended.")


async def _serve(port: int, *, people: int, projects: int, seed: int, latency: float) -> None:
    import asyncio  # noqa: PLC0415 - --help needs none of it

    from ..plurals import counted  # noqa: PLC0415 - as above
    from ..sandbox import Sandbox  # noqa: PLC0415 - as above

    server = Sandbox(port=port, people=people, projects=projects, seed=seed, latency=latency)
    try:
        await server.start()
    except OSError as error:
        raise click.ClickException(_unheard(error, port)) from error
    try:
        company = f"{counted(people, 'person', 'people')} and {counted(projects, 'project')}"
        click.echo(_directions(server.url, server.page_url, server.token, company))
        await asyncio.Event().wait()
    finally:
        await server.stop()


def _unheard(error: OSError, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"port {port} is in use; choose another with --port, or any free one with --port 0"
    return f"cannot listen on port {port}: {error.strerror or error}"


def _directions(url: str, page_url: str, token: str, company: str) -> str:
    return f"""\
An embedded Kantata, {company}, listens on {url}

In a browser, with its requests, limits and faults:
    {page_url}

In a shell:
    export KANTATA_TOKEN={token} KANTATA_BASE_URL={url}
    kantata-async call GET /users/me

In Python, with these variables set:
    async with KantataSession() as kantata:
        me = await kantata.users.me()

Ctrl-C ends it; what was written to it is forgotten then."""


def run(arguments: Sequence[str] | None = None) -> int:
    """The exit code of a command line, by default that of the process, once it has run."""
    try:
        code = program.main(arguments, prog_name="kantata-async", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt) as interruption:
        # click ends the line of a Ctrl-C, but not that of a prompt.
        line_end = "\n" if isinstance(interruption, click.Abort) and interruption.__cause__ is None else ""
        click.echo(f"{line_end}Interrupted.", err=True)
        return INTERRUPTED
    except Terminated:
        click.echo("Terminated.", err=True)
        return TERMINATED
    except OSError as error:
        return _told(_of_system(error), FAILED)
    except Exception as error:
        from ..errors import KantataError, UsageError  # noqa: PLC0415 - --help needs none of it

        if not isinstance(error, KantataError):
            raise
        return _told(str(error), WRONG_USAGE if isinstance(error, UsageError) else FAILED)
    return code if isinstance(code, int) else 0


def _of_system(error: OSError) -> str:
    """What the operating system refused, and for which file."""
    return ": ".join(str(part) for part in (error.strerror or error, error.filename) if part is not None)


def _told(text: str, code: int) -> int:
    """The exit code, once the text is on standard error in one line."""
    click.echo(f"Error: {' '.join(text.split())}", err=True)
    return code
