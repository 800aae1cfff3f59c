"""The operations of the API as commands, as a person or a script types them."""

from __future__ import annotations

import csv
import io
import json
import os
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import attrs
import click
import command_line
import pytest
from click.shell_completion import ShellComplete

from kantata_async.api import Resources
from kantata_async.cli.assignments import read_assignments
from kantata_async.cli.columns import cell, spreadsheet_cell
from kantata_async.cli.commands import program, run
from kantata_async.cli.resources import collections, operation_of
from kantata_async.cli.sentences import sentence
from kantata_async.errors import (
    AmbiguousWriteError,
    AuthenticationError,
    ConnectionFailedError,
    ErrorDetail,
    NotFoundError,
    UsageError,
    ValidationError,
)
from kantata_async.model import Ref
from kantata_async.sandbox import Sandbox, ThreadedSandbox
from kantata_async.signin import Profile, save_profile


@attrs.frozen
class Shell:
    """Runs commands against a sandbox that answers from another thread."""

    sandbox: ThreadedSandbox
    config: Path

    def __call__(self, *arguments: str, typed: str = "", **environment: str) -> command_line.Ended:
        return command_line.run(*arguments, typed=typed, environment={**self.environment, **environment})

    @property
    def environment(self) -> dict[str, str]:
        """What leads a command to the sandbox."""
        return {
            "KANTATA_TOKEN": self.sandbox.token,
            "KANTATA_BASE_URL": self.sandbox.url,
            "KANTATA_CONFIG_DIR": str(self.config),
        }

    def objects(self, *arguments: str) -> list[dict[str, Any]]:
        """What a command writes as JSON lines."""
        done = self(*arguments, "--json")
        assert done.code == 0, done.err
        return [json.loads(line) for line in done.out.splitlines()]


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    """A shell with its own sandbox."""
    with Sandbox.in_thread() as sandbox:
        yield Shell(sandbox, tmp_path_factory.mktemp("config"))


def test_one_object_is_got(shell: Shell) -> None:
    """By its id, with what was included beside it."""
    (stored, *_) = shell.sandbox.store.all("participations")
    (one,) = shell.objects("get", "participations", stored["id"], "--columns", "id,role,user.full_name")
    assert one == {
        "id": stored["id"],
        "role": stored["role"],
        "user.full_name": shell.sandbox.store.records("users")[stored["user_id"]]["full_name"],
    }


def test_a_list_with_filters(shell: Shell) -> None:
    """Filters, order and limit are those of the API."""
    stored = [one for one in shell.sandbox.store.all("participations") if one["workspace_id"] == "1"]
    team = shell.objects("list", "participations", "workspace_id=1")
    assert {one["id"] for one in team} == {one["id"] for one in stored}
    newest = shell.objects("list", "participations", "workspace_id=1", "--order", "updated_at:desc", "--limit", "2")
    assert len(newest) == 2
    assert newest[0]["updated_at"] >= newest[1]["updated_at"]


def test_a_table_for_people(shell: Shell) -> None:
    """A heading, a line for each, and how many there are."""
    done = shell("list", "skills", "--limit", "3", "--columns", "id,name", COLUMNS="100")
    lines = [line.rstrip() for line in done.out.splitlines() if line.strip()]
    assert lines[0].split() == ["id", "name"]
    assert lines[-1].strip() == "3 objects"
    assert len(lines) == 1 + 1 + 3 + 1


def test_csv_for_spreadsheets(shell: Shell) -> None:
    """Read back by the csv module it holds the same; a name that is a formula is none any more."""
    shell.sandbox.store.update("skills", "1", {"name": "=HYPERLINK(1)"})
    done = shell("list", "skills", "--csv", "--columns", "id,name,skill_category_id")
    rows = list(csv.reader(io.StringIO(done.out)))
    assert rows[0] == ["id", "name", "skill_category_id"]
    assert {row[1] for row in rows if row[0] == "1"} == {"'=HYPERLINK(1)"}
    assert len(rows) == 1 + len(shell.sandbox.store.all("skills"))


def test_csv_where_the_terminal_takes_plain_letters_only(shell: Shell) -> None:
    """A name with others is written in UTF-8, as JSON is."""
    shell.sandbox.store.update("skills", "2", {"name": "Gärtnerei"})
    for form in ("--csv", "--json"):
        done = subprocess.run(
            [sys.executable, "-m", "kantata_async", "list", "skills", form, "--columns", "name"],
            capture_output=True,
            timeout=60,
            env={**os.environ, **shell.environment, "PYTHONIOENCODING": "ascii"},
            check=False,
        )
        assert (done.returncode, "Gärtnerei" in done.stdout.decode()) == (0, True), done.stderr


def test_a_column_that_is_wrong_at_its_end(shell: Shell) -> None:
    """Found out when the first object is there; the nearest right name is offered."""
    done = shell("list", "users", "--columns", "id,manager.full_nam")
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("Error: User has no attribute 'full_nam'; did you mean 'full_name'?")
    assert "Traceback" not in done.err


def test_an_object_lives_and_dies(shell: Shell) -> None:
    """Created, changed and deleted; each writes what came of it."""
    made = shell.objects("create", "roles", "name=Night watch")[0]
    assert made["name"] == "Night watch"
    changed = shell.objects("update", "roles", made["id"], "name=Day watch")[0]
    assert changed["name"] == "Day watch"
    assert shell("delete", "roles", made["id"]).code == 2
    done = shell("delete", "roles", made["id"], "--yes")
    assert (done.code, done.out) == (0, f"deleted {made['id']}\n")
    assert made["id"] not in shell.sandbox.store.records("roles")


def test_many_are_created_from_lines(shell: Shell) -> None:
    """One outcome a line, in JSON; a refused line makes the exit code 1 and stops none of the others."""
    rows = [{"workspace_id": 1, "user_id": id, "role": "maven"} for id in (20, 21, 99999)]
    done = shell("create", "participations", "--from", "-", typed="\n".join(map(json.dumps, rows)) + "\n\n")
    outcomes = sorted(map(json.loads, done.out.splitlines()), key=lambda one: one["index"])
    assert [one["status"] for one in outcomes][:2] == ["created", "created"]
    assert outcomes[2]["status"] == "rejected"
    assert outcomes[2]["errors"]
    assert done.code == 1


def test_no_lines_create_nothing(shell: Shell) -> None:
    """Which is said, beside the outcomes of which there are none."""
    done = shell("create", "roles", "--from", "-", typed="\n")
    assert (done.code, done.out, done.err) == (0, "", "Nothing was created: there are no lines.\n")


def test_a_file_of_a_spreadsheet_program(shell: Shell) -> None:
    """A byte order mark and the line ends of Windows are no part of the lines."""
    done = shell("create", "roles", "--from", "-", typed='\ufeff{"name": "Glazier"}\r\n\r\n{"name": "Mason"}\r\n')
    assert [json.loads(line)["status"] for line in done.out.splitlines()] == ["created", "created"]


def test_what_would_command_a_terminal(shell: Shell) -> None:
    """JSON escapes what is not printable, C1 controls too, and is read back as it was; tables leave it out."""
    name = "Mason\x1b[31m\x9b31m\u202e\U000e0041"
    (role,) = shell.objects("create", "roles", f"name={name}")
    assert role["name"] == name
    for form in ("--json", "--columns=name"):
        shown = shell("get", "roles", role["id"], form)
        assert [one for one in "\x1b\x9b\u202e\U000e0041" if one in shown.out] == []
    answer = shell("call", "GET", f"/roles/{role['id']}").out
    assert "\x9b" not in answer
    assert json.loads(answer)["roles"][role["id"]]["name"] == name


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device of Linux")
def test_an_output_that_takes_no_more(shell: Shell) -> None:
    """A full disk is told in one line, and is a failure."""
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "kantata_async", "list", "roles", "--json"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
            env={**os.environ, **shell.environment},
            check=False,
        )
    assert (done.returncode, done.stderr) == (1, "Error: No space left on device\n")


@pytest.mark.parametrize(
    ("words", "begun", "completed"),
    [
        (["list"], "curr", ["currencies"]),
        (["list"], "user_", ["user_file_associations", "user_group_memberships"]),
        (["resources"], "roles", ["roles"]),
        (["whoami", "--profile"], "ni", ["night"]),
        ([], "who", ["whoami"]),
    ],
)
def test_what_a_shell_completes(
    words: list[str], begun: str, completed: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Commands, collections, and the profiles that are kept."""
    monkeypatch.setenv("KANTATA_CONFIG_DIR", str(tmp_path))
    save_profile(Profile("night", "https://api.mavenlink.com/api/v1", "a-token"))
    completion = ShellComplete(program, {}, "kantata-async", "_KANTATA_ASYNC_COMPLETE")
    assert [one.value for one in completion.get_completions(words, begun)] == completed


def test_any_request(shell: Shell) -> None:
    """The escape hatch writes the answer as it came."""
    done = shell("call", "get", "/users/me")
    assert json.loads(done.out)["results"] == [{"key": "users", "id": "1"}]
    done = shell("call", "POST", "/roles", "--data", "-", typed='{"role": {"name": "Called"}}')
    assert done.code == 0, done.err


def test_files_and_exports(shell: Shell, tmp_path: Path) -> None:
    """Each says where the file is; a failure is one line, and a wrong data set wrong usage."""
    saved = shell("download", "invoice", "1", "--to", str(tmp_path))
    assert (saved.code, saved.out) == (0, f"{tmp_path / 'invoice-1.pdf'}\n")
    target = tmp_path / "users.csv"
    exported = shell("export", "users=id,full_name", "--to", str(target))
    assert (exported.code, exported.out) == (0, f"{target}\n")
    assert target.read_text().startswith("Id,Full name\n")
    for failing in (("export", "users=id", "--to", str(target)), ("download", "photo", "1", "--to", str(target))):
        failed = shell(*failing)
        assert failed.code in {1, 2}
        assert "--overwrite" in failed.err or "no photo" in failed.err
    piped = shell("export", "users=id,full_name", "--to", "-")
    assert (piped.code, piped.out) == (0, target.read_bytes().decode())
    without = shell("download", "attachments", "1", "--to", str(tmp_path))
    assert (without.code, without.err) == (1, "Error: post 1 has no attachments\n")
    assert shell("export", "users").code == 2
    too_large = shell("download", "invoice", "1", "--to", str(tmp_path), "--max-bytes", "5")
    assert too_large.code == 1
    assert "max_bytes" in too_large.err


def test_what_there_is(shell: Shell) -> None:
    """Every resource of the API, and of one all that it takes."""
    assert shell("resources").out.split() == collections()
    printed = shell("resources", "participations").out
    assert "needs: workspace_id, role" in printed
    assert "include: active_roles" in printed


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("list", "usrs"), "did you mean 'users'"),
        (("list", "users", "by_fullname=x"), "did you mean 'by_full_name'"),
        (("list", "users", "nonsense"), "NAME=VALUE"),
        (("list", "users", "--columns", "fullname"), "did you mean 'full_name'"),
        (("list", "users", "--include", "skils"), "did you mean 'skills'"),
        (("list", "participations"), "needs workspace_id"),
        (("delete", "users", "1", "--yes"), "cannot be deleted"),
        (("create", "roles", "name=a", "name=b"), "twice"),
        (("create", "roles", "--from", "-", "name=a"), "--from"),
        (("update", "roles", "1"), "NAME=VALUE"),
        (("call", "GET", "/users", "page"), "NAME=VALUE"),
        (("whoami", "--profile", "nobody"), "kantata-async login"),
        (("lst", "users"), "did you mean 'list'"),
        (("create", "roles", "--from", __file__), "line 1 is not JSON"),
        (("get", "users", "1", "--profile", "nobody"), "kantata-async login"),
    ],
)
def test_wrong_usage(
    shell: Shell,
    arguments: tuple[str, ...],
    says: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Exit code 2, with the nearest right name, and nothing sent."""
    before = len(shell.sandbox.requests)
    for name, setting in shell.environment.items():
        monkeypatch.setenv(name, setting)
    assert run(arguments) == 2
    assert says in capsys.readouterr().err
    assert len(shell.sandbox.requests) == before


def test_a_token_that_is_refused(shell: Shell) -> None:
    """Said in a person's words, without the token."""
    done = shell("get", "users", "1", KANTATA_TOKEN="WRONG-SECRET")
    host = shell.sandbox.url.split("/")[2]
    assert done.code == 1
    assert done.err.startswith(f"Error: KANTATA_TOKEN was refused by {host}")
    assert "WRONG-SECRET" not in done.err


def test_an_object_that_is_not_there(shell: Shell) -> None:
    """Nothing at that path, or not for these eyes."""
    done = shell("get", "users", "99999")
    assert done.code == 1
    assert "has nothing at /users/99999" in done.err


def test_no_token_at_all(shell: Shell) -> None:
    """What can be done about it."""
    done = shell("get", "users", "1", KANTATA_TOKEN="")
    assert done.code == 2
    assert "kantata-async login" in done.err


def test_the_line_of_each_command_is_its_own() -> None:
    """The help of all commands is written without importing them, and agrees with what they say themselves."""
    context = click.Context(program, info_name="kantata-async")
    for name, (_, _, line) in program.elsewhere.items():  # type: ignore[attr-defined]
        command = program.get_command(context, name)
        assert command is not None
        assert command.name == name
        own = command.get_short_help_str(limit=200)
        assert own.startswith(line[:20])


@pytest.mark.parametrize("collection", collections())
def test_every_resource_can_be_named(collection: str) -> None:
    """What the commands call collections are the attributes of a session."""
    assert hasattr(Resources, collection)


LISTING = operation_of("participations", "list")
CREATION = operation_of("participations", "create")


@pytest.mark.parametrize(
    ("typed", "arguments"),
    [
        (["workspace_id=7"], {"workspace_id": "7"}),
        (["mavens_only=yes"], {"mavens_only": True}),
        (["mavens_only=FALSE"], {"mavens_only": False}),
        (["mavens_only:=true"], {"mavens_only": True}),
        (["created_after=2026-01-01T00:00:00Z"], {"created_after": "2026-01-01T00:00:00Z"}),
        (["created_after=2026-01-01"], {"created_after": datetime(2026, 1, 1, tzinfo=UTC)}),
        (["created_after=2026-01-01T08:30"], {"created_after": datetime(2026, 1, 1, 8, 30, tzinfo=UTC)}),
        (["created_after=yesterday"], {"created_after": "yesterday"}),
        (["by_user_full_name=a=b"], {"by_user_full_name": "a=b"}),
        (
            ["external_reference_service_model_refs=1,2"],
            {"external_reference_service_model_refs": ["1", "2"]},
        ),
        (["by_user_full_name="], {"by_user_full_name": ""}),
    ],
)
def test_what_is_typed_becomes_what_a_call_takes(typed: list[str], arguments: dict[str, Any]) -> None:
    """Texts, numbers, truth and lists as the operation takes them."""
    assert read_assignments(LISTING, typed) == arguments


@pytest.mark.parametrize(
    ("resource", "method", "typed", "arguments"),
    [
        ("client_invoice_defaults", "create", ["time_rollup_type=2"], {"time_rollup_type": 2}),
        ("client_invoice_defaults", "create", ["time_rollup_type=9"], {"time_rollup_type": "9"}),
        ("workspaces", "list", ["archived=only"], {"archived": "only"}),
        ("users", "list", ["everything=yes"], {"everything": True}),
        ("participations", "create", ["permissions=edit,can_post"], {"permissions": ["edit", "can_post"]}),
    ],
)
def test_values_of_lists_are_typed_as_they_are(
    resource: str, method: str, typed: list[str], arguments: dict[str, Any]
) -> None:
    """A number where they are numbers; whether one is right, the call itself checks."""
    assert read_assignments(operation_of(resource, method), typed) == arguments


@pytest.mark.parametrize(
    "typed",
    [["=7"], ["workspace_id"], ["mavens_only=maybe"], ["mavens_only:=tru"], ["a-b=1"], ["__class__=1"], [":=1"], [""]],
)
def test_what_cannot_be_read_is_wrong_usage(typed: list[str]) -> None:
    """Each with an error of ours."""
    with pytest.raises(UsageError):
        read_assignments(LISTING, typed)


def test_an_object_inside_is_typed_as_json() -> None:
    """And a text in its place says how."""
    typed = ['external_reference:={"service_name": "HR"}']
    assert read_assignments(CREATION, typed) == {"external_reference": {"service_name": "HR"}}
    with pytest.raises(UsageError, match="external_reference:="):
        read_assignments(CREATION, ["external_reference=HR"])


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        (True, "true"),
        (5, "5"),
        (1.5, "1.5"),
        ("a", "a"),
        (("1", "2"), "1 2"),
        ((), ""),
        (Ref("users", "1"), "users 1"),
        ({"a": [1]}, '{"a":[1]}'),
    ],
)
def test_a_cell(value: Any, text: str) -> None:
    """What stands in a column."""
    assert cell(value) == text


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("=1+1", "'=1+1"),
        ("@cmd", "'@cmd"),
        ("-5", "-5"),
        ("+1.5", "+1.5"),
        ("-x", "'-x"),
        ("a=b", "a=b"),
        ("\t=1", "'\t=1"),
        (" =1", "' =1"),
        ("\n5 lines", "'\n5 lines"),
        ("＝1+1", "'＝1+1"),  # noqa: RUF001 - a wide form
        (" 5 days", " 5 days"),
    ],
)
def test_a_cell_is_no_formula(text: str, safe: str) -> None:
    """Spreadsheets run what begins like a formula; a number stays a number."""
    assert spreadsheet_cell(text) == safe


WHERE = {"token": "KANTATA_TOKEN", "host": "api.mavenlink.com"}


def unreached(
    cause: OSError, text: str = "GET /users: no connection to api.mavenlink.com:443"
) -> ConnectionFailedError:
    """The error for a connection that was not made."""
    error = ConnectionFailedError(text)
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (
            AuthenticationError(401, [], method="GET", path="/users", request_id="abc"),
            "KANTATA_TOKEN was refused by api.mavenlink.com: it is wrong, or was revoked [x-request-id abc]",
        ),
        (
            NotFoundError(404, [], method="GET", path="/users/9"),
            "api.mavenlink.com has nothing at /users/9, or does not show it to the user of KANTATA_TOKEN",
        ),
        (
            NotFoundError(404, [], method="GET", path="/users/me"),
            "api.mavenlink.com has no API at this address: Kantata's own ends in /api/v1",
        ),
        (
            ValidationError(422, [ErrorDetail("is taken", field="name")], method="POST", path="/roles"),
            "api.mavenlink.com refused the request: is taken (name)",
        ),
        (
            unreached(socket.gaierror(socket.EAI_NONAME, "Name or service not known")),
            "api.mavenlink.com cannot be reached: no machine of that name is found; check the address, and the network",
        ),
        (
            unreached(ConnectionRefusedError(111, "Connect call failed ('10.0.0.1', 443)")),
            "api.mavenlink.com cannot be reached: nothing listens there; check the address, and its port",
        ),
        (
            unreached(ConnectionRefusedError(), "GET /users/me: no connection to the proxy 10.0.0.1:3128"),
            "api.mavenlink.com cannot be reached: no connection to the proxy 10.0.0.1:3128",
        ),
        (
            unreached(ssl.SSLCertVerificationError("certificate verify failed")),
            "api.mavenlink.com cannot be reached: its certificate is not trusted; somebody else may be reading along",
        ),
        (
            AmbiguousWriteError("POST /roles got no answer", method="POST", path="/roles"),
            "it may or may not have been done: check before you try again. POST /roles got no answer",
        ),
    ],
)
def test_what_went_wrong_in_words(error: Any, says: str) -> None:
    """A person who types commands reads no HTTP."""
    assert sentence(error, **WHERE) == says
