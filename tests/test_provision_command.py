"""``kantata-async provision``, run as a person or a script runs it, against a sandbox."""

from __future__ import annotations

import asyncio
import csv
import json
import os
import pty
import re
import signal
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import command_line
import pytest
from click.testing import CliRunner
from waiting import until_seen

from kantata_async.cli.provision import provision
from kantata_async.provision import Groups, People, Roster
from kantata_async.sandbox import Fault, Sandbox

COMMAND: Final = (sys.executable, "-m", "kantata_async")
ROSTER: Final = """\
project,person,role,bill_rate
2,4,,120.50
2,5,,
Lumen Telecom: ERP Migration,6,buyer,
2,7,chief,
2,nobody@x.example,,
"""
GOOD: Final = "".join(ROSTER.splitlines(keepends=True)[:4])


class Run:
    """The command, at the sandbox; in a process of its own where it is started and does not just run to its end."""

    def __init__(self, sandbox: Sandbox, folder: Path) -> None:
        self.sandbox = sandbox
        self.folder = folder
        self.command: tuple[str, ...] = ("provision",)
        self.environment = {
            "KANTATA_TOKEN": sandbox.token,
            "KANTATA_BASE_URL": sandbox.url,
            "KANTATA_CONFIG_DIR": str(folder / "config"),
            # Development mode tells of slow callbacks among the errors: on a busy machine that is any of them.
            "PYTHONDEVMODE": "",
        }

    def write(self, text: str) -> str:
        path = self.folder / "roster.csv"
        path.write_text(text, encoding="utf-8")
        return str(path)

    async def start(self, *arguments: str, **options: Any) -> asyncio.subprocess.Process:
        swayed = {"FORCE_COLOR", "NO_COLOR", "COLUMNS", "TTY_COMPATIBLE", "TTY_INTERACTIVE", "PYTHONASYNCIODEBUG"}
        kept = {name: value for name, value in os.environ.items() if name not in swayed}
        pipes = {
            "stdin": asyncio.subprocess.DEVNULL,
            "stdout": asyncio.subprocess.PIPE,
            "stderr": asyncio.subprocess.PIPE,
        }
        return await asyncio.create_subprocess_exec(
            *COMMAND,
            *self.command,
            *arguments,
            env=kept | self.environment,
            **{**pipes, **options},
        )

    async def __call__(self, *arguments: str, typed: bytes = b"") -> tuple[int, str, str]:
        ended = await command_line.run_beside(*self.command, *arguments, typed=typed, environment=self.environment)
        return ended.code, ended.out, ended.err

    def people(self, project: str) -> Counter[str]:
        found = self.sandbox.store.all("participations")
        return Counter(one["user_id"] for one in found if one["workspace_id"] == project)


def say_somebody_was_there(path: str) -> None:
    """Edit a saved plan, so that it was made when its first person was on the project already."""
    data = json.loads(Path(path).read_text(encoding="utf-8"))
    data["entries"][0].update(action="keep", changes=[])
    Path(path).write_text(json.dumps(data), encoding="utf-8")


@pytest.fixture
def run(kantata_sandbox: Sandbox, tmp_path: Path) -> Run:
    return Run(kantata_sandbox, tmp_path)


async def test_the_plan_is_shown_and_nothing_written(run: Run) -> None:
    """Without --apply it is a plan; bad lines are listed by number and make the exit code 1."""
    code, output, errors = await run(run.write(ROSTER))
    assert (code, errors) == (1, "")
    assert re.search(r"^  \+ Noah Mitchell +role maven, bill_rate 120\.50$", output, re.MULTILINE)
    assert "! line 5: role: there is no 'chief'" in output
    assert "! line 6: nobody has the e-mail address nobody@x.example" in output
    assert "3 to add, 0 as it should be, 2 lines cannot be done" in output
    assert all(request.method == "GET" for request in run.sandbox.requests)


async def test_bad_lines_are_told_and_the_good_ones_go(run: Run) -> None:
    """A line for each person who is added, and the exit code for lines that are not; again, nothing happens."""
    code, output, _ = await run(run.write(ROSTER), "--apply", "--yes")
    assert code == 1
    assert "+ Noah Mitchell on project 2 (line 2) added" in output
    assert output.endswith("3 added, 2 lines cannot be done\n")
    assert (run.people("2"), run.people("3")) == ({"4": 1, "5": 1}, {"6": 1})
    code, output, errors = await run(run.write(GOOD), "--apply", "--yes")
    assert (code, errors) == (0, "")
    assert output.endswith("3 as it should be\n3 kept\n")


async def test_a_saved_plan_is_applied(run: Run) -> None:
    """Planned into a file, looked at, applied from there; refused when the teams changed, unless told otherwise."""
    path = str(run.folder / "plan.json")
    assert (await run(run.write(GOOD), "--plan", path))[0] == 0
    shown = await run("--plan", path)
    assert (shown[0], "3 to add" in shown[1], run.people("2")) == (0, True, {})
    assert (await run("--plan", path, "--apply", "--yes"))[0] == 0
    changed = next(one for one in run.sandbox.store.all("participations") if one["workspace_id"] == "2")
    run.sandbox.store.delete("participations", changed["id"])
    say_somebody_was_there(path)
    code, _, errors = await run("--plan", path, "--apply", "--yes")
    assert (code, "the plan is out of date" in errors) == (1, True)
    assert (await run("--plan", path, "--apply", "--yes", "--replan"))[0] == 0
    assert run.people("2") == {"4": 1, "5": 1}


async def test_an_apply_needs_somebody_who_agrees(run: Run) -> None:
    """Where nobody can be asked, it needs --yes."""
    before = run.people("1")
    path = run.write("project,person\n1,30\n")
    code, _, errors = await run(path, "--apply", "--remove-others")
    assert (code, "--apply needs --yes" in errors, run.people("1")) == (2, True, before)
    assert (await run(path, "--apply", "--remove-others", "--yes"))[0] == 0
    assert run.people("1") == {"30": 1}


@pytest.mark.parametrize(("answer", "code", "people"), [(b"n\n", 1, {}), (b"y\n", 0, {"4": 1, "5": 1})])
async def test_a_person_is_asked(run: Run, answer: bytes, code: int, people: dict[str, int]) -> None:
    """On a terminal the plan is shown and agreed to before anything is written."""
    ours, theirs = pty.openpty()
    try:
        process = await run.start(run.write(GOOD), "--apply", stdin=theirs)
        os.write(ours, answer)
        output, _ = await asyncio.wait_for(process.communicate(), 60)
    finally:
        os.close(ours)
        os.close(theirs)
    assert (process.returncode, run.people("2")) == (code, people)
    assert "Apply?" in output.decode()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "give a FILE, or a plan saved"),
        (("--plan", "plan.json", "--remove-others"), "--remove-others is fixed in a saved plan"),
        (("no.csv",), "no.csv: No such file"),
        (("roster.pdf",), "a roster is a .csv, an .xlsx or a .jsonl file, not .pdf"),
        (("--base-url", "http://kantata.example", "roster.csv"), "https"),
        (("--profile", "nobody", "roster.csv"), "there is no profile 'nobody'"),
    ],
)
def test_wrong_usage_exits_2(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], message: str
) -> None:
    """What is wrong is told on standard error; a token goes nowhere unencrypted."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("KANTATA_TOKEN", "a token")
    monkeypatch.setenv("KANTATA_CONFIG_DIR", str(tmp_path))
    Path("roster.csv").write_text(GOOD, encoding="utf-8")
    Path("roster.pdf").write_text("%PDF-1.7", encoding="utf-8")
    result = CliRunner().invoke(provision, arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert message in result.stderr


def test_help() -> None:
    """The help tells the columns and the exit codes."""
    result = CliRunner().invoke(provision, "--help")
    assert result.exit_code == 0
    assert re.findall(r"^    (\d+)  +\w", result.stdout, re.MULTILINE) == ["0", "1", "2", "3", "130", "143"]
    for column in (one for kind in (Roster, People, Groups) for one in kind.columns.by_name):
        assert column in result.stdout


async def test_interrupted_and_started_again(run: Run) -> None:
    """Ctrl-C exits 130 and says how far it came; started again, only the rest happens."""
    lines = "".join(f"2,{id},,{id}\n" for id in range(2, 18))
    path = run.write("project,person,role,bill_rate\n" + lines)
    run.sandbox.latency = 0.05
    process = await run.start(path, "--apply", "--yes")
    await until_seen(run.sandbox, 3, "PUT")
    process.send_signal(signal.SIGINT)
    output, errors = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 130
    assert "Run it again: it does only what is still to do." in output.decode()
    assert errors.decode().strip() == "Interrupted."
    assert (await run(path, "--apply", "--yes"))[0] == 0
    assert run.people("2") == {str(id): 1 for id in range(2, 18)}


async def test_killed_and_started_again(run: Run) -> None:
    """``kill -9`` while it writes, an answer lost too; a small part of the chaos session."""
    lines = "".join(f"{project},{id},,{id}\n" for project in (2, 3) for id in range(2, 10))
    path = run.write("project,person,role,bill_rate\n" + lines)
    run.sandbox.latency = 0.02
    run.sandbox.faults.add(Fault("disconnect", when="after", method="POST"))
    for method, count in (("POST", 1), ("PUT", 2), ("PUT", 5)):
        run.sandbox.clear_log()
        process = await run.start(path, "--apply", "--yes")
        await until_seen(run.sandbox, count, method)
        process.kill()
        await process.communicate()
    assert (await run(path, "--apply", "--yes"))[0] == 0
    for project in ("2", "3"):
        assert run.people(project) == {str(id): 1 for id in range(2, 10)}
        team = [one for one in run.sandbox.store.all("participations") if one["workspace_id"] == project]
        assert all(one["rate_in_cents"] == int(one["user_id"]) * 100 for one in team)


@pytest.mark.parametrize(
    ("header", "line", "methods"),
    [
        ("person,headline,bill_rate,reference", "{0},No. {0},{0},hr:Employee:{0}", ("PUT", "POST")),
        ("group,notes,projects,reference", "G{0},No. {0},2,crm:Account:{0}", ("POST",)),
    ],
    ids=["people", "groups"],
)
async def test_people_and_groups_killed_and_started_again(
    run: Run, header: str, line: str, methods: Sequence[str]
) -> None:
    """As for teams: a small part of the chaos session."""
    numbers = range(2, 24)
    path = run.write("\n".join([header, *(line.format(number) for number in numbers)]))
    run.sandbox.latency = 0.05
    run.sandbox.faults.add(Fault("disconnect", when="after", method="POST"))
    for method in methods:
        run.sandbox.clear_log()
        process = await run.start(path, "--apply", "--yes")
        await until_seen(run.sandbox, 2, method)
        process.kill()
        await process.communicate()
    run.sandbox.latency = 0
    assert (await run(path, "--apply", "--yes"))[0] == 0
    assert (await run(path, "--check"))[0] == 0
    store = run.sandbox.store
    names = Counter(one["name"] for one in store.all("workspace_groups"))
    counts = Counter(one["service_model_ref"] for one in store.all("external_references"))
    assert max(names.values()) == 1
    assert {counts[str(number)] for number in numbers} == {1}


async def test_a_revoked_token(run: Run) -> None:
    """401 is told in a line, and exits 1."""
    process = await run.start(run.write(GOOD))
    run.sandbox.token = "another"
    _, errors = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 1
    assert errors.decode().startswith("Error: KANTATA_TOKEN was refused by 127.0.0.1:")


# --- other kinds, other forms ---


async def test_people_and_groups_by_their_columns(run: Run) -> None:
    """One command for the three kinds; a kind may be told."""
    people = run.write("E-Mail;Headline;Bill Rate\nnobody@x.example;x;1\n")
    code, output, _ = await run(people)
    assert (code, output.splitlines()[0]) == (1, "Lines that cannot be done")
    groups = run.write("group,company,projects\nAurora,ja,2\n")
    code, output, errors = await run(groups, "--apply", "--yes")
    assert (code, errors) == (0, "")
    assert output.endswith("+ Aurora (line 2) added\n1 added\n")
    code, _, errors = await run(groups, "--kind", "roster")
    assert (code, "the column 'person' is missing" in errors) == (2, True)


async def test_an_invitation_is_asked_for(run: Run) -> None:
    """--invite writes to who is not in the account, and only then."""
    path = run.write("project,person,full_name\n2,new@x.example,New One\n")
    code, output, _ = await run(path)
    assert (code, "nobody has the e-mail address new@x.example" in output) == (1, True)
    code, output, _ = await run(path, "--invite", "--apply", "--yes")
    assert (code, output.splitlines()[-1]) == (0, "1 invited")
    code, output, _ = await run(path, "--invite", "--check")
    assert (code, output.splitlines()[-1]) == (0, "0 as it should be, 1 invited and not there yet")


async def test_checking_has_a_code_of_its_own(run: Run) -> None:
    """3 when there is something to do, 0 when not, 1 when a line cannot be done; nothing is written."""
    path = run.write(GOOD)
    assert (await run(path, "--check"))[0] == 3
    assert all(request.method == "GET" for request in run.sandbox.requests)
    assert (await run(path, "--apply", "--yes"))[0] == 0
    assert (await run(path, "--check"))[0] == 0
    assert (await run(run.write(ROSTER), "--check"))[0] == 1
    assert (await run(path, "--check", "--apply", "--yes"))[0] == 2


async def test_json_of_a_plan_and_of_a_report(run: Run) -> None:
    """The plan as it is saved, with the account it is for; what became of each line."""
    path = run.write(GOOD)
    code, output, _ = await run(path, "--json")
    data = json.loads(output)
    assert (code, data["account"]["base_url"], data["account"]["user"]) == (0, run.sandbox.url, "1")
    assert [entry["action"] for entry in data["entries"]] == ["add"] * 3
    code, output, _ = await run(path, "--json", "--apply", "--yes")
    data = json.loads(output)
    assert (code, data["ok"], [one["status"] for one in data["applied"]]) == (0, True, ["added"] * 3)
    assert [one["lines"] for one in data["applied"]] == [[2], [3], [4]]


async def test_standard_input(run: Run) -> None:
    """- is standard input; nobody can be asked then."""
    code, output, _ = await run("-", typed=GOOD.encode("utf-16"))
    assert (code, output.splitlines()[-1]) == (0, "3 to add, 0 as it should be")
    code, _, errors = await run("-", "--apply", typed=GOOD.encode())
    assert (code, "--apply needs --yes" in errors) == (2, True)
    assert (await run("-", "--apply", "--yes", typed=GOOD.encode()))[0] == 0


async def test_how_a_file_was_read_is_told(run: Run) -> None:
    """A guess at the encoding stands at the head of the plan; columns are left out by --ignore-columns."""
    path = run.folder / "old.csv"
    path.write_bytes("project,person,Ort,Rate\n2,4,K\xf6ln,x\n".encode("cp1252"))
    code, _, errors = await run(str(path))
    assert (code, "could be bill_rate or cost_rate" in errors, "no column 'Ort'" in errors) == (2, True, True)
    code, output, _ = await run(str(path), "--ignore-columns", "Ort, Rate")
    assert (code, output.startswith("Note: "), "was read as Windows-1252" in output) == (0, True, True)


async def test_a_plan_is_for_its_owner_alone(run: Run) -> None:
    """0600 from the first moment; what was there is replaced as a whole, and nothing is left beside it."""
    path = run.folder / "plan.json"
    path.write_text("before", encoding="utf-8")
    path.chmod(0o644)
    assert (await run(run.write(GOOD), "--plan", str(path)))[0] == 0
    assert (path.stat().st_mode & 0o777, path.read_text(encoding="utf-8")[0]) == (0o600, "{")
    assert sorted(one.name for one in run.folder.iterdir()) == ["plan.json", "roster.csv"]
    code, _, errors = await run(run.write(GOOD), "--plan", str(run.folder / "no" / "plan.json"))
    assert (code, "No such file" in errors) == (2, True)


async def test_a_plan_of_another_account_is_refused(run: Run) -> None:
    """A saved plan says where it belongs; the token goes where the command says, not where the plan does."""
    path = run.folder / "plan.json"
    assert (await run(run.write(GOOD), "--plan", str(path)))[0] == 0
    data = json.loads(path.read_text(encoding="utf-8"))
    data["account"]["base_url"] = "https://kantata.example/api/v1"
    path.write_text(json.dumps(data), encoding="utf-8")
    code, _, errors = await run("--plan", str(path), "--apply", "--yes")
    assert (code, "the plan was made for Karim Jackson at https://kantata.example" in errors) == (2, True)


@pytest.mark.parametrize(
    ("sent", "code", "message"), [(signal.SIGINT, 130, "Interrupted."), (signal.SIGTERM, 143, "Terminated.")]
)
async def test_an_interruption_tells_what_was_written(run: Run, sent: int, code: int, message: str) -> None:
    """Ctrl-C and SIGTERM alike: how many were added, and how many of the rates set; then only the rest happens."""
    lines = "".join(f"2,{id},,{id}\n" for id in range(2, 30))
    path = run.write("project,person,role,bill_rate\n" + lines)
    run.sandbox.latency = 0.05
    process = await run.start(path, "--apply", "--yes")
    await until_seen(run.sandbox, 15, "PUT")
    process.send_signal(sent)
    output, errors = await asyncio.wait_for(process.communicate(), 60)
    assert (process.returncode, errors.decode().strip()) == (code, message)
    found = re.search(r"28 of 28 added, (\d+) of 28 updated\. Run it again: it does only what is", output.decode())
    assert found is not None
    rated = sum(one["rate_in_cents"] == 100 * int(one["user_id"]) for one in team(run, "2"))
    assert 0 < int(found[1]) <= rated < 28
    assert (await run(path, "--apply", "--yes"))[0] == 0


async def test_an_interruption_before_the_first_write_says_so(run: Run) -> None:
    """While what is there is read once more."""
    process = await run.start(run.write(GOOD), "--apply", "--yes")
    assert process.stdout is not None
    await process.stdout.readuntil(b"to add")
    run.sandbox.latency = 0.5
    await until_seen(run.sandbox, run.sandbox.count("GET") + 1, "GET")
    process.send_signal(signal.SIGINT)
    output, errors = await asyncio.wait_for(process.communicate(), 60)
    assert (process.returncode, errors.decode().strip()) == (130, "Interrupted.")
    assert output.decode().endswith("Nothing was written.\n")
    assert run.sandbox.count("POST", "/participations") == 0


def team(run: Run, project: str) -> list[dict[str, Any]]:
    return [one for one in run.sandbox.store.all("participations") if one["workspace_id"] == project]


# --- the teams as they are ---


async def test_teams_are_written_edited_and_applied(run: Run) -> None:
    """As it is, the file changes nothing; edited, it changes what was edited."""
    run.command = ("roster",)
    code, output, errors = await run("--project", "1", "--project", "Granite Insurance: Finance Transformation")
    assert (code, errors, output[0]) == (0, "", "\ufeff")
    run.command = ("provision",)
    path = run.write(output)
    code, shown, _ = await run(path, "--check", "--remove-others")
    assert (code, shown.splitlines()[-1]) == (0, "12 as it should be")
    path = run.write(output.replace(",95.00,", ',"96,50",'))
    code, shown, _ = await run(path, "--check")
    assert (code, "bill_rate 95.00 -> 96.50" in shown) == (3, True)


async def test_no_text_of_a_roster_is_a_formula(run: Run) -> None:
    """Names that a spreadsheet program would run are replaced by ids or escaped, and are read back as they are."""
    store = run.sandbox.store
    one = team(run, "1")[0]
    store.update("workspaces", "1", {"title": "=HYPERLINK(1)"})
    store.update("users", one["user_id"], {"full_name": "+Eve", "email_address": "-eve@x.example"})
    store.update("roles", one["workspace_role_id"], {"name": "@SUM(1)"})
    run.command = ("roster",)
    target = run.folder / "teams.csv"
    code, output, _ = await run("--project", "1", "--output", str(target))
    assert (code, output, target.stat().st_mode & 0o777) == (0, "", 0o600)
    cells = [cell for row in csv.reader(target.read_text(encoding="utf-8-sig").splitlines()) for cell in row]
    assert [cell for cell in cells if cell.startswith(("=", "+", "-", "@"))] == []
    assert {"'+Eve", one["user_id"], one["workspace_role_id"]} <= set(cells)
    run.command = ("provision",)
    assert (await run(str(target), "--check", "--remove-others"))[0] == 0


async def test_names_that_lead_elsewhere_are_written_as_ids(run: Run) -> None:
    """A title that two projects have, roles that are deleted or doubled, somebody who is disabled and stays."""
    store = run.sandbox.store
    first, second, third, *_ = team(run, "1")
    store.update("workspaces", "2", {"title": store.get("workspaces", "1")["title"]})
    for one, name in ((first, "Gone"), (second, "Twice")):
        made = store.add("roles", {"name": name, "deleted_at": "2026-01-01T00:00:00Z" if name == "Gone" else None})
        store.update("participations", one["id"], {"workspace_role_id": made})
    store.add("roles", {"name": "Twice"})
    (membership,) = (one for one in store.all("account_memberships") if one["user_id"] == third["user_id"])
    store.update("account_memberships", membership["id"], {"disabled_at": "2026-01-01T00:00:00Z"})
    run.command = ("roster",)
    code, output, errors = await run("--project", "1", "--project", "3")
    assert (code, errors) == (0, "Lumen Telecom: ERP Migration: nobody is on the team, or you may not see them\n")
    rows = {row["full_name"]: row for row in csv.DictReader(output.removeprefix("\ufeff").splitlines())}
    assert {row["project"] for row in rows.values()} == {"1"}
    by_id = [row["person"] for row in rows.values() if row["person"].isdigit()]
    assert by_id == [third["user_id"]]
    assert sum(row["project_role"].isdigit() for row in rows.values()) == 2
    run.command = ("provision",)
    code, shown, _ = await run(run.write(output), "--check", "--remove-others")
    assert (code, shown.splitlines()[-1]) == (0, "6 as it should be")
    code, shown, _ = await run(run.write(f"project,person\n4,{third['user_id']}\n"), "--check")
    assert (code, "is disabled" in shown) == (1, True)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [((), "Missing option '--project'"), (("--project", "No such"), "there is no project 'No such'")],
)
async def test_whose_team(run: Run, arguments: tuple[str, ...], message: str) -> None:
    """Without a project, or with one that is not there, it is wrong usage."""
    run.command = ("roster",)
    code, _, errors = await run(*arguments)
    assert (code, message in errors) == (2, True)
