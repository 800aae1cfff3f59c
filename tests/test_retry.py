"""The decisions about sending again, as tables."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from multidict import CIMultiDict

from kantata_async.errors import UsageError
from kantata_async.transport import Effect, RetryPolicy, effect_of
from kantata_async.transport.attempt import Attempt, Phase
from kantata_async.transport.refusal import is_by_the_api
from kantata_async.transport.retry import retry_after_of, wait_before
from kantata_async.transport.verdict import READS, Verdict, decide

DELIVER, RESEND, FAIL, AMBIGUOUS = Verdict.DELIVER, Verdict.RESEND, Verdict.FAIL, Verdict.AMBIGUOUS
WRITES = ("POST", "PUT", "PATCH", "DELETE")
METHODS = (*sorted(READS), *WRITES)


@pytest.mark.parametrize(
    ("phase", "status", "read", "write"),
    [
        (Phase.NOT_SENT, 0, RESEND, RESEND),
        (Phase.SENT, 0, RESEND, AMBIGUOUS),
        (Phase.CUT, 200, RESEND, AMBIGUOUS),
        (Phase.CUT, 201, RESEND, AMBIGUOUS),
        (Phase.ANSWERED, 101, RESEND, AMBIGUOUS),
        (Phase.ANSWERED, 200, DELIVER, DELIVER),
        (Phase.ANSWERED, 204, DELIVER, DELIVER),
        (Phase.ANSWERED, 301, FAIL, FAIL),
        (Phase.ANSWERED, 302, FAIL, AMBIGUOUS),
        (Phase.ANSWERED, 303, FAIL, AMBIGUOUS),
        (Phase.ANSWERED, 308, FAIL, FAIL),
        (Phase.ANSWERED, 400, FAIL, FAIL),
        (Phase.ANSWERED, 401, FAIL, FAIL),
        (Phase.ANSWERED, 404, FAIL, FAIL),
        (Phase.ANSWERED, 408, RESEND, AMBIGUOUS),
        (Phase.ANSWERED, 409, FAIL, FAIL),
        (Phase.ANSWERED, 413, FAIL, FAIL),
        (Phase.ANSWERED, 422, FAIL, FAIL),
        (Phase.ANSWERED, 429, RESEND, RESEND),
        (Phase.ANSWERED, 500, RESEND, AMBIGUOUS),
        (Phase.ANSWERED, 501, FAIL, FAIL),
        (Phase.ANSWERED, 502, RESEND, AMBIGUOUS),
        (Phase.ANSWERED, 503, RESEND, AMBIGUOUS),
        (Phase.ANSWERED, 504, RESEND, AMBIGUOUS),
        (Phase.ANSWERED, 599, RESEND, AMBIGUOUS),
        (Phase.ANSWERED, 999, RESEND, AMBIGUOUS),
    ],
)
def test_each_phase_and_status_has_its_verdict(phase: Phase, status: int, read: Verdict, write: Verdict) -> None:
    """Reads go again unless refused; writes only when they surely were not carried out."""
    assert {decide(method, phase, status, by_the_api=False) for method in READS} == {read}
    assert {decide(method, phase, status, by_the_api=False) for method in WRITES} == {write}


@pytest.mark.parametrize("method", METHODS)
def test_a_503_of_the_apis_own_was_not_carried_out(method: str) -> None:
    """One of a proxy's may have been."""
    assert decide(method, Phase.ANSWERED, 503, by_the_api=True) is RESEND


@pytest.mark.parametrize("method", METHODS)
def test_what_cannot_work_is_not_tried_again(method: str) -> None:
    """A certificate that is not trusted now is not trusted in a second."""
    assert decide(method, Phase.NOT_SENT, 0, by_the_api=False, hopeless=True) is FAIL


@given(
    method=st.sampled_from(WRITES),
    phase=st.sampled_from([Phase.SENT, Phase.CUT, Phase.ANSWERED]),
    status=st.integers(100, 999).filter(lambda status: status not in (429, 503)),
    by_the_api=st.booleans(),
)
def test_no_write_that_was_sent_goes_again(method: str, phase: Phase, status: int, by_the_api: bool) -> None:
    """Beside 429 and the application's 503 nothing that was sent is a promise."""
    assert decide(method, phase, status, by_the_api=by_the_api) is not RESEND


@pytest.mark.parametrize(
    ("effect", "statuses"),
    [
        (Effect.DONE, [200, 201, 202, 204, 226]),
        (Effect.NONE, [301, 307, 308, 401, 403, 404, 405, 406, 410, 411, 412, 413, 414, 415, 429, 431, 501, 503, 511]),
        (Effect.REFUSED, [400, 402, 409, 418, 422, 424]),
        (Effect.UNKNOWN, [0, 101, 302, 303, 408, 500, 502, 504, 520, 599, 999]),
    ],
)
def test_what_a_status_proves(effect: Effect, statuses: list[int]) -> None:
    """Of the API's own answers; a 503 of anybody else proves nothing."""
    assert {effect_of(status) for status in statuses} == {effect}
    assert effect_of(503, by_the_api=False) is Effect.UNKNOWN


OWN = b'{"errors": [{"type": "system", "message": "down for maintenance"}]}'
JSON = "application/json; charset=utf-8"


@pytest.mark.parametrize(
    ("content_type", "request_id", "body", "own"),
    [
        (JSON, "r", OWN, True),
        ("text/html", "r", OWN, False),
        (JSON, None, OWN, False),
        (JSON, "r", b"", False),
        (JSON, "r", b"<html>", False),
        (JSON, "r", b"{}", False),
        (JSON, "r", b"[]", False),
        (JSON, "r", b'{"message": "no healthy upstream"}', False),
        (JSON, "r", b'{"errors": []}', False),
        (JSON, "r", b'{"errors": "busy"}', False),
        (JSON, "r", b'{"errors": ["busy"]}', False),
        (JSON, "r", b'{"errors": [{"code": 1}]}', False),
    ],
)
def test_the_apis_own_answers_are_known_by_their_body(
    content_type: str, request_id: str | None, body: bytes, own: bool
) -> None:
    """Headers alone may be those of a proxy that sets them, too."""
    headers = CIMultiDict({"Content-Type": content_type})
    if request_id:
        headers["X-Request-Id"] = request_id
    assert is_by_the_api(Attempt(status=503, headers=headers, body=body)) is own


@given(
    attempt=st.integers(1, 10_000),
    fraction=st.floats(0, 1),
    asked=st.none() | st.floats(0, 1e9),
    first=st.floats(0.001, 100),
    most=st.floats(0.001, 100),
)
def test_a_wait_stays_in_its_range(
    attempt: int, fraction: float, asked: float | None, first: float, most: float
) -> None:
    """Never less than asked, never more than the maximum above that, and no overflow."""
    wait = wait_before(attempt, RetryPolicy(first_wait=first, max_wait=most), asked, fraction)
    least = asked or 0.0
    assert least <= wait <= least + most


@pytest.mark.parametrize(
    ("attempt", "asked", "fraction", "seconds"),
    [
        (1, None, 0.0, 0.0),
        (1, None, 1.0, 0.5),
        (2, None, 1.0, 1.0),
        (3, None, 0.5, 1.0),
        (7, None, 1.0, 30.0),
        (1, 7.0, 0.0, 7.0),
        (1, 7.0, 1.0, 7.5),
        (1, 100.0, 0.0, 100.0),
    ],
)
def test_the_wait_doubles_up_to_its_maximum(attempt: int, asked: float | None, fraction: float, seconds: float) -> None:
    """The default policy's waits, worked out by hand."""
    assert wait_before(attempt, RetryPolicy(), asked, fraction) == seconds


def asking(header: str | None) -> CIMultiDict[str]:
    """The headers of an answer that asks for a wait."""
    return CIMultiDict() if header is None else CIMultiDict({"Retry-After": header})


NOW = datetime(2026, 11, 20, 12, 0, 0, tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("", None),
        ("0", 0.0),
        ("12", 12.0),
        (" 12 ", 12.0),
        ("1.5", 1.5),
        ("-1", None),
        ("nan", None),
        ("inf", None),
        ("1e3", None),
        ("9" * 5000, None),
        ("soon", None),
        ("Fri, 20 Nov 2026 12:00:30 GMT", 30.0),
        ("Fri, 20 Nov 2026 11:00:00 GMT", 0.0),
        ("Fri, 20 Nov 2026 12:00:30 -0000", 30.0),
        ("Friday, 20-Nov-26 12:00:30 GMT", 30.0),
        ("Fri, 20 Nov 9999999 12:00:30 GMT", None),
        ("Fri, 32 Nov 2026 12:00:30 GMT", None),
    ],
)
def test_retry_after_is_read_in_both_forms(header: str | None, seconds: float | None) -> None:
    """Seconds and HTTP dates; whatever cannot be read asks for nothing."""
    assert retry_after_of(asking(header), NOW) == seconds


@given(st.text(max_size=60) | st.text("0123456789:,. -+GMTFriNov", max_size=40))
def test_no_retry_after_breaks_the_reading(header: str) -> None:
    """A server may send anything."""
    seconds = retry_after_of(asking(header), NOW)
    assert seconds is None or seconds >= 0


@given(st.datetimes(datetime(2020, 1, 1), datetime(2100, 1, 1)))
def test_a_date_is_the_seconds_until_it(moment: datetime) -> None:
    """Whatever the date, to the second."""
    moment = moment.replace(microsecond=0, tzinfo=UTC)
    asked = retry_after_of(asking(format_datetime(moment, usegmt=True)), NOW)
    assert asked == max(0.0, moment.timestamp() - NOW)


@pytest.mark.parametrize(
    ("date", "seconds"),
    [
        (None, 3630.0),
        ("Fri, 20 Nov 2026 13:00:00 GMT", 30.0),
        ("Fri, 20 Nov 2026 14:00:00 GMT", 0.0),
        ("yesterday", 3630.0),
    ],
)
def test_a_date_is_read_by_the_clock_of_who_wrote_it(date: str | None, seconds: float) -> None:
    """Our clock may be an hour off, or theirs."""
    headers = asking("Fri, 20 Nov 2026 13:00:30 GMT")
    if date is not None:
        headers["Date"] = date
    assert retry_after_of(headers, NOW) == seconds


@pytest.mark.parametrize("name", ["attempts", "deadline", "first_wait", "max_wait"])
@pytest.mark.parametrize("value", [0, -1, float("nan"), float("inf"), "5", None, True])
def test_a_policy_refuses_what_it_cannot_follow(name: str, value: object) -> None:
    """The error names the option."""
    with pytest.raises(UsageError, match=name):
        RetryPolicy(**{name: value})  # type: ignore[arg-type]


def test_never_means_once() -> None:
    """The policy that does not retry."""
    assert RetryPolicy.never().attempts == 1
