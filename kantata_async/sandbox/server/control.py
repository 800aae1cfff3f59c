"""The sandbox's own calls over HTTP, by which another process controls it; see `respond` for what there is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, Final, Protocol, TypeVar

import attrs
import msgspec

from ..backend import Answer, Clock, Switches, json_answer, malformed, missing
from .describing import described_switches
from .faults import Fault, Faults
from .limits import ServerRateLimit
from .log import LoggedRequest

PREFIX: Final = "/_sandbox"

T = TypeVar("T", Fault, ServerRateLimit, Switches)


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
    def rate_limits(self) -> tuple[ServerRateLimit, ...]:
        """The limits beyond which it answers 429."""
        ...

    @rate_limits.setter
    def rate_limits(self, limits: Iterable[ServerRateLimit]) -> None: ...

    @property
    def requests(self) -> list[LoggedRequest]:
        """The log."""
        ...

    def clear_log(self) -> None:
        """Forget the log."""
        ...

    def reset(self, *, seed: int | None = None, people: int | None = None, projects: int | None = None) -> None:
        """Set up the company again."""
        ...


def respond(sandbox: Controlled, method: str, path: str, given: Mapping[str, Any]) -> Answer:
    """The answer to one control call, at a path below the prefix; `given` is its query or its body.

    - ``POST /reset``: the company as it was, no faults, an empty log.
    - ``POST /seed`` ``{"seed", "people", "projects"}``: another company.
    - ``POST /faults`` with the attributes of a `Fault`; ``GET`` lists those to come, ``DELETE`` clears them.
    - ``PUT /switches`` with some of `Switches`, and ``latency``; ``GET`` describes them.
    - ``PUT /limits`` ``{"limits"}`` with the attributes of each `ServerRateLimit`.
    - ``PUT /clock`` ``{"now"}`` sets the server's clock, ``{"advance"}`` moves it by seconds; ``GET`` answers it.
    - ``GET /log``, ``DELETE /log``; ``GET /request?id=`` answers one request of it.

    Raises:
        Refusal: there is no such call, or its body does not fit it.
    """
    command = _COMMANDS.get((method, path))
    if command is None:
        raise missing("control call")
    try:
        result = command(sandbox, given)
    except (TypeError, ValueError, msgspec.ValidationError) as error:
        raise malformed(str(error)) from None
    return Answer(204) if result is None else json_answer(result)


def settings(sandbox: Controlled) -> dict[str, Any]:
    """How the sandbox is set: its faults, switches, limits and latency, as JSON."""
    return {
        "faults": [attrs.asdict(fault) for fault in sandbox.faults],
        "switches": attrs.asdict(sandbox.switches, value_serializer=_sorted_names),
        "limits": [attrs.asdict(limit) for limit in sandbox.rate_limits],
        "latency": sandbox.latency,
    }


def _sorted_names(_: object, __: object, value: Any) -> Any:
    return sorted(value) if isinstance(value, frozenset) else value


def _limit(sandbox: Controlled, given: Mapping[str, Any]) -> None:
    sandbox.rate_limits = [_typed(ServerRateLimit(**limit)) for limit in given.get("limits", ())]


def _request(sandbox: Controlled, given: Mapping[str, Any]) -> dict[str, Any]:
    found = next((one for one in sandbox.requests if one.request_id == given.get("id")), None)
    if found is None:
        raise missing("request")
    return found.as_json()


def _typed(made: T) -> T:
    """A value made from JSON, whose attributes are all of their types.

    Raises:
        ValidationError: an attribute is not of its type.
    """
    return msgspec.convert(attrs.asdict(made), type(made))


def _set_clock(sandbox: Controlled, given: Mapping[str, Any]) -> None:
    if "now" in given:
        sandbox.clock.set(datetime.fromisoformat(given["now"]))
    sandbox.clock.advance(given.get("advance", 0.0))


def _switch(sandbox: Controlled, given: Mapping[str, Any]) -> None:
    changes = {name: value for name, value in given.items() if name != "latency"}
    switches = _typed(attrs.evolve(sandbox.switches, **changes))
    for field in attrs.fields(Switches):
        setattr(sandbox.switches, field.name, getattr(switches, field.name))
    sandbox.latency = float(given.get("latency", sandbox.latency))


_COMMANDS: Final[Mapping[tuple[str, str], Callable[[Controlled, Mapping[str, Any]], Any]]] = {
    ("POST", "/reset"): lambda sandbox, _: sandbox.reset(),
    ("POST", "/seed"): lambda sandbox, given: sandbox.reset(**given),
    ("POST", "/faults"): lambda sandbox, given: sandbox.faults.add(_typed(Fault(**given))),
    ("GET", "/faults"): lambda sandbox, _: {"faults": [attrs.asdict(fault) for fault in sandbox.faults]},
    ("DELETE", "/faults"): lambda sandbox, _: sandbox.faults.clear(),
    ("GET", "/switches"): lambda sandbox, _: {"switches": described_switches(), "latency": sandbox.latency},
    ("PUT", "/switches"): _switch,
    ("PUT", "/limits"): _limit,
    ("PUT", "/clock"): _set_clock,
    ("GET", "/clock"): lambda sandbox, _: {"now": sandbox.clock.now().isoformat()},
    ("GET", "/log"): lambda sandbox, _: {"requests": [request.as_json() for request in sandbox.requests]},
    ("GET", "/request"): _request,
    ("DELETE", "/log"): lambda sandbox, _: sandbox.clear_log(),
}
