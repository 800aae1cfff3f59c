"""The sandbox's own calls over HTTP, by which another process controls it; see `respond` for what there is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final, Protocol

import attrs

from ..backend import Answer, Clock, Switches, json_answer, malformed, missing
from .faults import Fault, Faults
from .log import LoggedRequest

PREFIX: Final = "/_sandbox"


class Controlled(Protocol):
    """The parts of a sandbox that the control calls need."""

    faults: Faults
    latency: float

    @property
    def clock(self) -> Clock:
        """The server's clock."""
        ...

    @property
    def switches(self) -> Switches:
        """The switches of its behaviour."""
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
        """Found the company again."""
        ...


def respond(sandbox: Controlled, method: str, path: str, body: Any) -> Answer:
    """The answer to one control call, below the prefix.

    - ``POST /reset``: the company as it was, no faults, an empty log.
    - ``POST /seed`` ``{"seed", "people", "projects"}``: another company.
    - ``POST /faults`` with the attributes of a `Fault`; ``GET`` lists those to come, ``DELETE`` clears them.
    - ``PUT /switches`` with some of `Switches`, and ``latency``.
    - ``PUT /clock`` ``{"now"}`` sets the server's clock, ``{"advance"}`` moves it by seconds; ``GET`` answers it.
    - ``GET /log``, ``DELETE /log``.

    Raises:
        Refusal: there is no such call, or its body does not fit it.
    """
    command = _COMMANDS.get((method, path.removeprefix(PREFIX)))
    if command is None:
        raise missing("control call")
    try:
        result = command(sandbox, body if isinstance(body, dict) else {})
    except (TypeError, ValueError) as error:
        raise malformed(str(error)) from None
    return Answer(204) if result is None else json_answer(result)


def _set_clock(sandbox: Controlled, given: Mapping[str, Any]) -> None:
    if "now" in given:
        sandbox.clock.set(datetime.fromisoformat(given["now"]))
    sandbox.clock.advance(given.get("advance", 0.0))


def _switch(sandbox: Controlled, given: Mapping[str, Any]) -> None:
    changes = {name: value for name, value in given.items() if name != "latency"}
    switches = attrs.evolve(sandbox.switches, **changes)
    for field in attrs.fields(Switches):
        setattr(sandbox.switches, field.name, getattr(switches, field.name))
    sandbox.latency = float(given.get("latency", sandbox.latency))


_COMMANDS: Final[Mapping[tuple[str, str], Callable[[Controlled, Mapping[str, Any]], Any]]] = {
    ("POST", "/reset"): lambda sandbox, _: sandbox.reset(),
    ("POST", "/seed"): lambda sandbox, given: sandbox.reset(**given),
    ("POST", "/faults"): lambda sandbox, given: sandbox.faults.add(Fault(**given)),
    ("GET", "/faults"): lambda sandbox, _: {"faults": [attrs.asdict(fault) for fault in sandbox.faults]},
    ("DELETE", "/faults"): lambda sandbox, _: sandbox.faults.clear(),
    ("PUT", "/switches"): _switch,
    ("PUT", "/clock"): _set_clock,
    ("GET", "/clock"): lambda sandbox, _: {"now": sandbox.clock.now().isoformat()},
    ("GET", "/log"): lambda sandbox, _: {"requests": [request.as_json() for request in sandbox.requests]},
    ("DELETE", "/log"): lambda sandbox, _: sandbox.clear_log(),
}
