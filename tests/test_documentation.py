"""The documentation says what is so: its programs run, what is typed at a prompt runs, its commands work."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import chdir
from pathlib import Path
from typing import Any, Final

import attrs
import pytest
from command_line import Ended, run
from snippets import Block, blocks_in, run_as_file, run_at_prompt

from codegen.reference import write
from kantata_async import KantataSession, entities
from kantata_async.api import Resources
from kantata_async.sandbox import Sandbox, ThreadedSandbox

ROOT: Final = Path(__file__).parents[1]
DOCS: Final = ROOT / "docs"
WRITTEN_WHEN_BUILT: Final = {DOCS / "about", DOCS / "reference" / "resources"}
PAGES: Final = sorted(path for path in DOCS.rglob("*.md") if path.parent not in WRITTEN_WHEN_BUILT)

NOT_RUN_HERE: Final = {
    "python3 -m venv": "README command one, which CI runs",
    "pip install": "as above",
    ".venv/bin/pip install": "as above",
    "kantata-async sandbox": "tests/test_cli.py: it ends with Ctrl-C alone",
    "kantata-async demo": "README command one",
    "kantata-async login": "tests/test_signin_command.py: it needs a browser and somebody who agrees",
    "kantata-async whoami": "as above",
    "kantata-async logout": "as above",
    "procrastinate": "tests_services/test_distributed.py: it needs a PostgreSQL, and a worker does not end by itself",
    "export": "it sets what the test sets itself",
    'eval "$(_KANTATA_ASYNC_COMPLETE': "tests/test_cli.py: it changes the shell that types it",
    "_KANTATA_ASYNC_COMPLETE=fish_source": "it is for fish alone",
}
"""The commands that are run elsewhere, or nowhere, and why."""


def blocks(language: str, *, titled: bool | None = None) -> list[pytest.ParameterSet]:
    found = [block for page in PAGES for block in blocks_in(page, language)]
    chosen = [block for block in found if titled is None or titled == (block.title is not None)]
    return [pytest.param(block, id=f"{block.page.relative_to(DOCS)}:{block.line}") for block in chosen]


@pytest.mark.parametrize("block", blocks("python", titled=True))
def test_a_program_runs(block: Block, tmp_path: Path) -> None:
    """What is called a file is saved as one and run."""
    assert run_as_file(block, tmp_path)


@pytest.mark.parametrize("block", blocks("python", titled=False))
async def test_what_is_typed_at_a_prompt_runs(
    block: Block, tmp_path: Path, kantata: KantataSession, kantata_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What has no file's name is typed where `await` works, with an open session at hand."""
    await run_at_prompt(block.code, tmp_path, kantata, kantata_sandbox, monkeypatch)


@pytest.mark.parametrize("block", blocks("py ", titled=True))
def test_a_part_of_an_example_stands_there_as_it_is(block: Block) -> None:
    """What needs packages of its own is run by `nox -s examples`; here it is shown as it is there."""
    assert block.title is not None
    assert block.code in (ROOT / block.title).read_text(encoding="utf-8")


@attrs.frozen
class Folder:
    """Where commands are typed: with the files that the pages name, and a sandbox that answers."""

    path: Path
    sandbox: ThreadedSandbox

    def run(self, line: str) -> Ended:
        """What a line of the shell leaves behind; in this process, where the shell has nothing else to do with it."""
        reaching = {"KANTATA_TOKEN": self.sandbox.token, "KANTATA_BASE_URL": self.sandbox.url}
        command, *arguments = shlex.split(line, comments=True)
        if command == "kantata-async" and not set("<>|&;$`*?~") & set(line):
            with chdir(self.path):
                return run(*arguments, environment=reaching)
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        as_people_type = {**os.environ, "PATH": path, "PYTHONDEVMODE": "", **reaching}
        done = subprocess.run(
            ["bash", "-c", line],
            capture_output=True,
            text=True,
            timeout=60,
            cwd=self.path,
            env=as_people_type,
            check=False,
        )
        return Ended(done.returncode, done.stdout, done.stderr)


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Folder]:
    """A folder with the roster of the tutorial, rows to create, and the commands where the tutorial has them."""
    (roster,) = blocks_in(DOCS / "tutorial.md", "csv")
    (tmp_path / "roster.csv").write_text(roster.code)
    (tmp_path / "rows.jsonl").write_text('{"workspace_id": 3, "user_id": 20, "role": "maven"}\n')
    (tmp_path / ".venv").mkdir()
    (tmp_path / ".venv" / "bin").symlink_to(Path(sys.executable).parent)
    with Sandbox.in_thread() as sandbox:
        yield Folder(tmp_path, sandbox)


@pytest.mark.parametrize("block", blocks("sh"))
def test_the_commands_work(block: Block, folder: Folder) -> None:
    """Every line of a block of commands that is not run elsewhere ends well."""
    for line in block.code.splitlines():
        command = line.removeprefix(".venv/bin/")
        if not command.strip() or any(command.startswith(start) for start in NOT_RUN_HERE):
            continue
        done = folder.run(line)
        assert done.code == 0, f"{line}\n{done.out}{done.err}"


def test_every_page_is_in_the_navigation() -> None:
    """A page that nobody finds is no documentation."""
    navigation = (ROOT / "zensical.toml").read_text(encoding="utf-8")
    assert [str(page) for page in PAGES if f'"{page.relative_to(DOCS)}"' not in navigation] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(DOCS)))
def test_no_link_is_broken(page: Path, tmp_path: Path) -> None:
    """Links between the pages lead to pages that there are."""
    text = page.read_text(encoding="utf-8")
    targets = [target for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", text) if "://" not in target]
    there = [page.parent / one for one in targets if (page.parent / one).parent.resolve() not in WRITTEN_WHEN_BUILT]
    missing = [one for one in there if not one.exists()]
    assert missing == []


def test_the_list_of_threats_names_tests_that_there_are() -> None:
    """Each line of SECURITY.md says which test holds it."""
    lines = [line for line in (ROOT / "SECURITY.md").read_text(encoding="utf-8").splitlines() if line.startswith("| ")]
    named = [re.findall(r"`(tests/\w+\.py)`", line) for line in lines[1:]]
    assert all(named)
    assert [test for tests in named for test in tests if not (ROOT / test).exists()] == []


def test_every_line_of_the_log_is_in_the_table() -> None:
    """Each logger of the package, with each level at which it says something."""
    package = ROOT / "kantata_async"
    said: set[tuple[str, str]] = set()
    for path in package.rglob("*.py"):
        source = path.read_text(encoding="utf-8")
        named = re.search(r'^_LOGGER: Final = logging\.getLogger\("(.+?)"\)', source, flags=re.MULTILINE)
        if named is not None:
            said |= {
                (named[1], level.upper()) for level in re.findall(r"_LOGGER\.(debug|info|warning|error)\(", source)
            }
    watching = (DOCS / "howto" / "watching.md").read_text(encoding="utf-8")
    shown: set[tuple[str, str]] = set()
    logger = ""
    for name, level in re.findall(r"^\| (?:`(kantata_async\.\w+)`)? ?\| `([A-Z]+)` \|", watching, flags=re.MULTILINE):
        logger = name or logger
        shown.add((logger, level))
    assert shown == said


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pages of the resources, as they are written for the site."""
    folder = tmp_path_factory.mktemp("reference")
    assert write(folder) == 419
    return folder


def test_the_reference_names_every_operation(reference: Path) -> None:
    """All 419, each with its request and a link to where its page tells of it."""
    index = (reference / "index.md").read_text(encoding="utf-8")
    linked = re.findall(r"^\| \[`(\w+)\.(\w+)`\]\((\w+)\.md#(\w+)\) \| `[A-Z]+ /", index, flags=re.MULTILINE)
    assert len(set(linked)) == 419
    assert [one for one in linked if one[:2] != one[2:]] == []


def test_the_reference_tells_what_every_operation_takes(reference: Path) -> None:
    """Its request, filters, fields, includes, optional fields and sort orders, and what it raises."""
    unconnected: Any = None
    resources = Resources(unconnected)
    for name in re.findall(r"\((\w+)\.md#", (reference / "index.md").read_text(encoding="utf-8")):
        sections = (reference / f"{name}.md").read_text(encoding="utf-8").split("\n## ")
        by_title = {section.partition("\n")[0]: section for section in sections}
        for method, operation in getattr(resources, name).operations.items():
            section = by_title[method]
            assert f"\n`{operation.method} {operation.path}`\n" in section
            body = operation.body if isinstance(operation.body, Mapping) else ()
            rows = {row.rstrip("_") for row in re.findall(r"^\| `(\w+)`", section, flags=re.MULTILINE)}
            assert {*operation.filters, *body} <= rows
            named = set(re.findall(r"`([\w:<>]+)`", section))
            told = {*operation.includes, *operation.optional_fields, *operation.orders, *operation.undirected_orders}
            assert told <= named, (name, method)
            assert "**Raises**: `PermissionDeniedError`" in section


def test_the_reference_tells_what_every_entity_has(reference: Path) -> None:
    """Each class has a section that lists its attributes and associations, with what to ask for; no link is broken."""
    sections = {
        section.partition("\n")[0]: section
        for page in reference.glob("*.md")
        for section in page.read_text(encoding="utf-8").split("\n## ")[1:]
    }
    for name in set(entities.__all__) - {"Entity", "UnknownEntity"}:
        kind = getattr(entities, name)
        section = sections[kind.__mro__[1].__name__ if kind.__mro__[1] is not entities.Entity else name]
        lines = dict(re.findall(r"^\| `(\w+)` \| (.*) \|$", section, flags=re.MULTILINE))
        assert {*kind.attributes, *kind.associations} <= set(lines)
        for attribute, one in kind.attributes.items():
            assert not one.optional or f'`optional_fields=["{attribute}"]`' in lines[attribute]
            assert one.include is None or f'`include=["{one.include}"]`' in lines[attribute]
    for page in reference.glob("*.md"):
        for target, anchor in re.findall(r"\]\((\w*)(?:\.md)?#(\w+)\)", page.read_text(encoding="utf-8")):
            text = (reference / f"{target or page.stem}.md").read_text(encoding="utf-8")
            assert anchor in {title.lower() for title in re.findall(r"^## (\w+)$", text, flags=re.MULTILINE)}
