"""The decisions about sending again, as tables."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from multidict import CIMultiDict

from kantata_async.errors import UsageError
from kantata_async.transport.retry import READS, Phase, RetryPolicy, Verdict, decide, retry_after_seconds, wait_before

DELIVER, RESEND, FAIL, AMBIGUOUS = Verdict.DELIVER, Verdict.RESEND, Verdict.FAIL, Verdict.AMBIGUOUS
WRITES = ("POST", "PUT", "PATCH", "DELETE")
METHODS = (*sorted(READS), *WRITES)
APPLICATION = CIMultiDict({"Content-Type": "application/json; charset=utf-8", "X-Request-Id": "abc"})
PROXY = CIMultiDict({"Content-Type": "text/html"})
NOTHING: CIMultiDict[str] = CIMultiDict()


@pytest.mark.parametrize(
    ("phase", "status", "headers", "read", "write"),
    [
        (Phase.NOT_SENT, None, NOTHING, RESEND, RESEND),
        (Phase.SENT, None, NOTHING, RESEND, AMBIGUOUS),
        (Phase.CUT, 200, APPLICATION, RESEND, AMBIGUOUS),
        (Phase.CUT, 201, PROXY, RESEND, AMBIGUOUS),
        (Phase.ANSWERED, 101, NOTHING, RESEND, AMBIGUOUS),
        (Phase.ANSWERED, 200, APPLICATION, DELIVER, DELIVER),
        (Phase.ANSWERED, 204, NOTHING, DELIVER, DELIVER),
        (Phase.ANSWERED, 301, NOTHING, FAIL, FAIL),
        (Phase.ANSWERED, 308, NOTHING, FAIL, FAIL),
        (Phase.ANSWERED, 400, APPLICATION, FAIL, FAIL),
        (Phase.ANSWERED, 401, APPLICATION, FAIL, FAIL),
        (Phase.ANSWERED, 404, PROXY, FAIL, FAIL),
        (Phase.ANSWERED, 408, PROXY, RESEND, AMBIGUOUS),
        (Phase.ANSWERED, 409, APPLICATION, FAIL, FAIL),
        (Phase.ANSWERED, 422, APPLICATION, FAIL, FAIL),
        (Phase.ANSWERED, 429, NOTHING, RESEND, RESEND),
        (Phase.ANSWERED, 429, PROXY, RESEND, RESEND),
        (Phase.ANSWERED, 500, APPLICATION, RESEND, AMBIGUOUS),
        (Phase.ANSWERED, 502, PROXY, RESEND, AMBIGUOUS),
        (Phase.ANSWERED, 503, APPLICATION, RESEND, RESEND),
        (Phase.ANSWERED, 503, PROXY, RESEND, AMBIGUOUS),
        (Phase.ANSWERED, 503, NOTHING, RESEND, AMBIGUOUS),
        (Phase.ANSWERED, 503, CIMultiDict({"Content-Type": "application/json"}), RESEND, AMBIGUOUS),
        (Phase.ANSWERED, 503, CIMultiDict({"X-Request-Id": "abc"}), RESEND, AMBIGUOUS),
        (Phase.ANSWERED, 504, NOTHING, RESEND, AMBIGUOUS),
        (Phase.ANSWERED, 599, NOTHING, RESEND, AMBIGUOUS),
        (Phase.ANSWERED, 999, NOTHING, RESEND, AMBIGUOUS),
    ],
)
def test_each_phase_and_status_has_its_verdict(
    phase: Phase, status: int | None, headers: CIMultiDict[str], read: Verdict, write: Verdict
) -> None:
    """Reads go again unless refused; writes only when they surely were not carried out."""
    assert {decide(method, phase, status, headers) for method in READS} == {read}
    assert {decide(method, phase, status, headers) for method in WRITES} == {write}


@given(
    method=st.sampled_from(WRITES),
    phase=st.sampled_from([Phase.SENT, Phase.CUT, Phase.ANSWERED]),
    status=st.integers(100, 999).filter(lambda status: status not in (429, 503)),
)
def test_no_write_that_was_sent_goes_again(method: str, phase: Phase, status: int) -> None:
    """Beside 429 and the application's 503 nothing that was sent is a promise."""
    assert decide(method, phase, status, APPLICATION) is not RESEND


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
    assert retry_after_seconds(header, NOW) == seconds


@given(st.text(max_size=60) | st.text("0123456789:,. -+GMTFriNov", max_size=40))
def test_no_retry_after_breaks_the_reading(header: str) -> None:
    """A server may send anything."""
    seconds = retry_after_seconds(header, NOW)
    assert seconds is None or seconds >= 0


@given(st.datetimes(datetime(2020, 1, 1), datetime(2100, 1, 1)))
def test_a_date_is_the_seconds_until_it(moment: datetime) -> None:
    """Whatever the date, to the second."""
    moment = moment.replace(microsecond=0, tzinfo=UTC)
    assert retry_after_seconds(format_datetime(moment, usegmt=True), NOW) == max(0.0, moment.timestamp() - NOW)


@pytest.mark.parametrize("name", ["attempts", "deadline", "first_wait", "max_wait"])
@pytest.mark.parametrize("value", [0, -1, float("nan"), float("inf"), "5", None, True])
def test_a_policy_refuses_what_it_cannot_follow(name: str, value: object) -> None:
    """The error names the option."""
    with pytest.raises(UsageError, match=name):
        RetryPolicy(**{name: value})  # type: ignore[arg-type]


def test_never_means_once() -> None:
    """The policy that does not retry."""
    assert RetryPolicy.never().attempts == 1
