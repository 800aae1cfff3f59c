"""How a FastAPI service is tested: with its TestClient, against an embedded Kantata in a thread.

A sync test has no event loop in which a sandbox could answer, so that the fixture `kantata_sandbox`, which is for
async tests, does not serve here.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from kantata_async.sandbox import Fault, Sandbox, ThreadedSandbox

from .service import app


@pytest.fixture
def sandbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[ThreadedSandbox]:
    """A company, and the environment that leads the service to it."""
    with Sandbox.in_thread(people=20, projects=4) as sandbox:
        monkeypatch.setenv("KANTATA_TOKEN", sandbox.token)
        monkeypatch.setenv("KANTATA_BASE_URL", sandbox.url)
        yield sandbox


@pytest.fixture
def client(sandbox: ThreadedSandbox) -> Iterator[TestClient]:
    """The service, started and stopped as a server does it."""
    with TestClient(app) as client:
        yield client


def test_a_person(client: TestClient, sandbox: ThreadedSandbox) -> None:
    """The name is the one in Kantata, and one request was enough."""
    stored = sandbox.store.get("users", "7")
    assert stored is not None
    assert client.get("/people/7").json() == {"id": "7", "name": stored["full_name"]}
    assert sandbox.count() == 1


def test_a_team(client: TestClient, sandbox: ThreadedSandbox) -> None:
    """Everyone on the project, by one request with its include."""
    members = sandbox.store.referring("participations", "workspace_id", "1")
    assert len(client.get("/projects/1/team").json()) == len(members) > 0
    assert sandbox.count() == 1


def test_nobody(client: TestClient) -> None:
    """Kantata's 404 is the service's 404."""
    assert client.get("/people/99999").status_code == 404


def test_a_role_without_a_name(client: TestClient) -> None:
    """Kantata says what is wrong with it."""
    answer = client.post("/roles", params={"name": ""})
    assert answer.status_code == 422
    assert answer.json()["detail"]


def test_kantata_hangs(client: TestClient, sandbox: ThreadedSandbox) -> None:
    """Two seconds, and not many more."""
    sandbox.faults.add(Fault("hang", method="GET", times=None))
    answer = client.get("/people/7")
    assert answer.status_code in {503, 504}
    assert 1.9 < answer.elapsed.total_seconds() < 3


def test_a_lost_answer_to_a_write(client: TestClient, sandbox: ThreadedSandbox) -> None:
    """The role is there although nobody heard of it: it is said, and the write was sent once."""
    sandbox.faults.add(Fault("disconnect", when="after", method="POST"))
    answer = client.post("/roles", params={"name": "Glazier"})
    assert (answer.status_code, answer.json()["may_be_carried_out"]) == (502, True)
    assert "Glazier" in {role["name"] for role in sandbox.store.all("roles")}
    assert sandbox.count("POST") == 1


def test_a_refused_token(client: TestClient, sandbox: ThreadedSandbox) -> None:
    """A fault of the service's own setting is no fault of who called it, and no token is told."""
    sandbox.authorization.revoke(sandbox.token)
    answer = client.get("/people/7")
    assert answer.status_code == 502
    assert sandbox.token not in answer.text
