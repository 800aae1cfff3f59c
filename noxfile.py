"""What a contributor runs, and what CI runs: `nox -l` lists it, `nox` runs what a change has to pass."""

from pathlib import Path

import nox

nox.needs_version = ">=2024.4.15"
nox.options.sessions = ["lint", "types", "tests"]
nox.options.reuse_existing_virtualenvs = True
nox.options.error_on_missing_interpreters = False

TYPING_USES = Path("tests/typing_uses.py")


@nox.session(python=["3.11", "3.12", "3.13"])
def tests(session: nox.Session) -> None:
    """Run the tests in Python's development mode; arguments go to pytest, as `-n 0` for a single process."""
    session.install("-e", ".[test]")
    session.run("python", "-X", "dev", "-m", "pytest", *session.posargs)


@nox.session
def redis(session: nox.Session) -> None:
    """Run the tests that start a redis-server (Debian's package), in Python's development mode."""
    session.install("-e", ".[test]")
    session.run("python", "-X", "dev", "-m", "pytest", "-n", "0", "tests_redis", *session.posargs)


@nox.session
def services(session: nox.Session) -> None:
    """Run the tests that start a PostgreSQL (Debian's package), in Python's development mode."""
    session.install("-e", ".[test]")
    session.run("python", "-X", "dev", "-m", "pytest", "-n", "0", "tests_services", *session.posargs)


@nox.session
def lint(session: nox.Session) -> None:
    """Check the style, and that every file is formatted."""
    session.install("-e", ".[generate]")
    session.run("ruff", "check")
    session.run("ruff", "format", "--check")


@nox.session
def types(session: nox.Session) -> None:
    """Check the types with mypy and pyright, of the package and of a file of typical uses."""
    session.install("-e", ".[test]")
    session.run("mypy")
    session.run("pyright")
    if TYPING_USES.exists():
        session.run("mypy", "--strict", str(TYPING_USES))
        session.run("pyright", str(TYPING_USES))


@nox.session
def docs(session: nox.Session) -> None:
    """Build the documentation, where a warning is an error, and click through it in Debian's Chromium."""
    session.install("-e", ".[docs]")
    session.run("python", "-m", "codegen.reference", "docs/reference/resources")
    session.run("zensical", "build", "--strict")
    session.run("python", "-m", "pytest", "-n", "0", "tests_docs", *session.posargs)


@nox.session
def examples(session: nox.Session) -> None:
    """Check the examples with mypy and pyright, and run them: web servers, workers with a redis-server, a notebook."""
    session.install("-e", ".[examples]")
    session.run("mypy", "--strict", "examples")
    session.run("pyright", "examples")
    session.run("python", "-m", "pytest", "-n", "0", "examples", "tests_examples", *session.posargs)


@nox.session
def generate(session: nox.Session) -> None:
    """Write kantata_async/api anew from the catalogue."""
    session.install("-e", ".[generate]")
    session.run("python", "-m", "codegen", *session.posargs)


@nox.session
def bench(session: nox.Session) -> None:
    """Measure; arguments go to the benchmarks."""
    session.install("-e", ".[bench]", "dlt[sqlalchemy]>=1.5")
    session.run("python", "-m", "benchmarks", *session.posargs)


@nox.session
def chaos(session: nox.Session) -> None:
    """What must hold whatever the network does, at length; arguments are scenarios and the number of seeds."""
    session.install("-e", ".[cli,sync]")
    session.run("python", "-m", "chaos", *session.posargs)


@nox.session
def demo(session: nox.Session) -> None:
    """Run the demonstration; arguments go to it."""
    session.install("-e", ".[cli]")
    session.run("kantata-async", "demo", *session.posargs)
