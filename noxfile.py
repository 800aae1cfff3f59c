"""What a contributor runs, and what CI runs: `nox -l` lists it, `nox` runs what a change has to pass.

Environments are made by uv, which `pip install 'nox[uv]'` brings along.
"""

from pathlib import Path
from tempfile import TemporaryDirectory

import nox

nox.needs_version = ">=2025.5.1"
nox.options.sessions = ["lint", "types", "tests"]
nox.options.default_venv_backend = "uv"
nox.options.download_python = "never"
nox.options.reuse_existing_virtualenvs = True
nox.options.error_on_missing_interpreters = False

DIST = Path("dist")
PYTHONS = ["3.11", "3.12", "3.13", "3.14"]
TYPING_USES = Path("tests/typing_uses.py")
ORCHESTRATORS = "tests_examples/test_orchestrators.py"
USER_EXTRAS = ["cli", "duckdb", "keyring", "pytest", "recording", "redis", "sync", "xlsx"]


@nox.session(python=PYTHONS)
def tests(session: nox.Session) -> None:
    """Run the tests on the wheel; arguments go to pytest, as `-n 0` for a single process."""
    test_the_wheel(session)


@nox.session(python=PYTHONS)
def lowest(session: nox.Session) -> None:
    """Run the tests on the wheel with the lowest version of each dependency that pyproject.toml allows."""
    # Below the first version that has a wheel for this Python nobody can be expected to go.
    test_the_wheel(session, "--resolution", "lowest-direct", "--only-binary", ":all:")


@nox.session(python=PYTHONS)
def newest(session: nox.Session) -> None:
    """Run the tests on the wheel with the newest version of each dependency that pyproject.toml allows."""
    test_the_wheel(session, "--upgrade")


def test_the_wheel(session: nox.Session, *resolution: str) -> None:
    """Run the tests on the wheel, with dependencies resolved as uv is asked to."""
    session.install(*resolution, "-r", "pyproject.toml", "--extra", "test")
    with TemporaryDirectory() as folder:
        session.install("--no-deps", "--reinstall", str(built_wheel(session, Path(folder))))
    # What stands beside the package is found behind what is installed, so that the checkout's package is not.
    behind = "import pathlib, sysconfig; pathlib.Path(sysconfig.get_path('purelib'), 'checkout.pth').write_text({!r})"
    session.run("python", "-c", behind.format(str(Path.cwd())), silent=True)
    # Versions of mypy do not read each other's cache.
    apart = {"PYTHONSAFEPATH": "1", "MYPY_CACHE_DIR": str(Path(session.virtualenv.location, "mypy_cache"))}
    session.run("pytest", "-o", "pythonpath=tests", *session.posargs, env=apart)


def built_wheel(session: nox.Session, folder: Path) -> Path:
    """The wheel, built from the sdist, which is built into the same folder."""
    for stale in folder.glob("kantata_async-*"):
        stale.unlink()
    session.run("uv", "build", "--quiet", "--out-dir", str(folder))
    (wheel,) = folder.glob("*.whl")
    return wheel


@nox.session
def build(session: nox.Session) -> None:
    """Build the sdist, and the wheel from it, into dist/."""
    session.log("built %s", built_wheel(session, DIST))


@nox.session
def sbom(session: nox.Session) -> None:
    """Build, and list what the wheel brings along when all that users can ask for is installed (CycloneDX)."""
    session.install("cyclonedx-bom>=7,<8")
    wheel = built_wheel(session, DIST)
    with TemporaryDirectory() as folder:
        installed = Path(folder, "installed")
        session.run("uv", "venv", "--quiet", str(installed))
        wanted = f"{wheel}[{','.join(USER_EXTRAS)}]"
        session.run("uv", "pip", "install", "--quiet", "--python", str(installed), wanted)
        # The tool reads no version that a build backend finds.
        project = Path(folder, "pyproject.toml")
        version = wheel.name.split("-")[1]
        project.write_text(
            Path("pyproject.toml").read_text().replace('dynamic = ["version"]', f'version = "{version}"')
        )
        options = ["--mc-type", "library", "--short-PURLs", "--output-reproducible", "--pyproject", str(project)]
        session.run("cyclonedx-py", "environment", *options, "-o", f"{wheel}.cdx.json", str(installed))


@nox.session
def redis(session: nox.Session) -> None:
    """Run the tests that start a redis-server (Debian's package), in Python's development mode."""
    session.install("-e", ".[test]")
    session.run("python", "-X", "dev", "-m", "pytest", "-n", "0", "tests_redis", *session.posargs)


@nox.session
def services(session: nox.Session) -> None:
    """Run the tests that start a PostgreSQL and a Redis (Debian's packages), in Python's development mode."""
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
    session.run("python", "-m", "codegen.about", "docs/about")
    session.run("zensical", "build", "--strict")
    session.run("python", "-m", "codegen.assistants", "docs", "build/site")
    session.run("python", "-m", "pytest", "-n", "0", "tests_docs", *session.posargs)


@nox.session
def examples(session: nox.Session) -> None:
    """Check the examples with mypy and pyright, and run them: web servers, workers with a redis-server, a notebook."""
    session.install("-e", ".[examples]")
    session.run("mypy", "--strict", "examples/web", "examples/workers")
    session.run("pyright", "examples/web", "examples/workers")
    tests = ["examples/web", "tests_examples", f"--ignore={ORCHESTRATORS}"]
    session.run("python", "-m", "pytest", "-n", "0", *tests, *session.posargs)


@nox.session
def orchestrators(session: nox.Session) -> None:
    """Check and run the examples for those who have an orchestrator, dlt or Dagster."""
    session.install("-e", ".[distributed,pytest,sync]", "dagster>=1.9,<2", "dlt[sqlalchemy]>=1.5,<2")
    session.install("mypy>=1.15,<3", "pyright[nodejs]>=1.1.400,<2", "pytest-xdist>=3.6,<4")
    session.run("python", "-m", "pytest", "-n", "0", ORCHESTRATORS, *session.posargs)


@nox.session
def generate(session: nox.Session) -> None:
    """Write kantata_async/api anew from the catalogue."""
    session.install("-e", ".[generate]")
    session.run("python", "-m", "codegen", *session.posargs)


@nox.session
def bench(session: nox.Session) -> None:
    """Measure; arguments go to the benchmarks."""
    session.install("-e", ".[bench]", "dlt[sqlalchemy]>=1.5,<2")
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
