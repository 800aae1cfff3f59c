"""The events of a session's calls, for metrics and traces: ``KantataSession(on_event=function)``."""

from __future__ import annotations

from datetime import datetime
from typing import Literal, TypeAlias

import attrs

EventKind: TypeAlias = Literal[
    "call_started",
    "started",
    "attempt_started",
    "attempt_finished",
    "throttled",
    "retried",
    "finished",
    "call_finished",
]


@attrs.frozen(kw_only=True)
class RequestEvent:
    """One thing that happened to a call or to one of its requests.

    A call is what the program made: one `get`, one list, one `create_many`. It makes any number of requests, and each
    is sent in one attempt or several. Whatever was started is finished, exactly once, whether it succeeds or fails.

    Attributes:
        kind: "call_started" and "call_finished" belong to a call, all others to a request: "started", when it was asked
            for; "attempt_started", when it is sent; "attempt_finished", when that was answered or failed; "throttled",
            when the answer was 429; "retried", when it is going to be sent again; "finished", when it is over.
        at: when, in UTC.
        call: what the program called, as "participations.create_many".
        call_id: the same in every event of a call, of all its requests and of all their attempts.
        parent_id: the `call_id` of the call inside which it was made, as with the `find` of a bulk write; else None.
        number: the request's number within its call, from 1; 0 in the events of the call itself.
        method: in capitals; empty in the events of a call, like all that follows down to `query`.
        path: below the base URL; `route` has the same without ids. Empty where a file lies elsewhere.
        url: the whole URL, with its query; secrets are left out. That of a file has no query: a signature may be in it.
        query: the names and values of the query; secrets are left out.
        attempt: how often it has been sent so far. A file that an answer redirects to is a separate attempt, at
            another `url`; so is the rest of a file that broke off.
        seconds: since the request, or the call, was started.
        waited: for how many of these seconds the request stood in line or waited between attempts.
        queued: seconds for which the last attempt stood in line: for its turn, for a place, and for the rate limit.
        status: of the last answer; None where none came.
        retry_after: seconds that a 429 asked to wait; None where it did not.
        request_id: the x-request-id of the last answer.
        error: the name of the class of the error that ended the attempt, the request or the call; for "retried", that
            of the attempt before, None after a redirect. None where it ended well.
        message: what that error says; None where it is not one of this package's: others may say anything.
    """

    kind: EventKind
    at: datetime
    call: str
    call_id: str
    parent_id: str | None = None
    number: int = 0
    method: str = ""
    path: str = ""
    url: str = ""
    query: tuple[tuple[str, str], ...] = ()
    attempt: int = 0
    seconds: float = 0.0
    waited: float = 0.0
    queued: float = 0.0
    status: int | None = None
    retry_after: float | None = None
    request_id: str | None = None
    error: str | None = None
    message: str | None = None

    @property
    def route(self) -> str:
        """The path with {id} for each id, so that a metric has few values."""
        steps = self.path.removesuffix(".json").split("/")
        return "/".join("{id}" if any(map(str.isdigit, step)) else step for step in steps)
