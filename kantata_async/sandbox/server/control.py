"""The sandbox's own calls over HTTP, by which another process scripts it; see `respond` for what there is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Protocol

import attrs

from ..backend import Answer, Switches, json_answer, malformed, missing
from .faults import Fault, Faults
from .log import LoggedRequest

PREFIX: Final = "/_sandbox"


class Controlled(Protocol):
    """What of a sandbox the control calls need."""

    faults: Faults
    latency: float

    @property
    def switches(self) -> Switches:
        """The manners."""
        ...

    @switches.setter
    def switches(self, switches: Switches) -> None: ...

    @property
    def requests(self) -> list[LoggedRequest]:
        """The log."""
        ...

    def clear_log(self) -> None:
        """Forget the log."""
        ...

    def reset(self, *, seed: int | None = None, people: int | None = None, projects: int | None = None) -> None:
        """Found the company anew."""
        ...


def respond(sandbox: Controlled, method: str, path: str, body: Any) -> Answer:
    """Answer one control call, below the prefix.

    - ``POST /reset``: the company as it was, no faults, an empty log.
    - ``POST /seed`` ``{"seed", "people", "projects"}``: another company.
    - ``POST /faults`` with the attributes of a `Fault`; ``GET`` lists those to come, ``DELETE`` clears them.
    - ``PUT /switches`` with some of `Switches`, and ``latency``.
    - ``GET /log``, ``DELETE /log``.

    Raises Refusal for a call that there is not, or with a body that fits none.
    """
    given = body if isinstance(body, dict) else {}
    try:
        match method, path.removeprefix(PREFIX):
            case "POST", "/reset":
                sandbox.reset()
            case "POST", "/seed":
                sandbox.reset(**given)
            case "POST", "/faults":
                sandbox.faults.add(Fault(**given))
            case "GET", "/faults":
                return json_answer({"faults": [attrs.asdict(fault) for fault in sandbox.faults]})
            case "DELETE", "/faults":
                sandbox.faults.clear()
            case "PUT", "/switches":
                _switch(sandbox, given)
            case "GET", "/log":
                return json_answer({"requests": [request.as_json() for request in sandbox.requests]})
            case "DELETE", "/log":
                sandbox.clear_log()
            case _:
                raise missing("control call")
    except (TypeError, ValueError) as error:
        raise malformed(str(error)) from None
    return Answer(204)


def _switch(sandbox: Controlled, given: Mapping[str, Any]) -> None:
    changes = {name: value for name, value in given.items() if name != "latency"}
    switches = attrs.evolve(sandbox.switches, **changes)
    for field in attrs.fields(Switches):
        setattr(sandbox.switches, field.name, getattr(switches, field.name))
    sandbox.latency = float(given.get("latency", sandbox.latency))
