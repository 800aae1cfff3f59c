"""What an error says about a write."""

from __future__ import annotations

import pytest
from multidict import CIMultiDict

from kantata_async import AmbiguousWriteError, ConnectionFailedError, InvalidResponseError, KantataError, UsageError
from kantata_async.bulk.fate import SETTLING, Fate, fate, wait_asked_for, wait_before_looking
from kantata_async.errors import ErrorDetail, api_error_type
from kantata_async.response import Response


def refusal(status: int, *errors: ErrorDetail) -> KantataError:
    """The error for a status."""
    return api_error_type(status)(status, errors, method="POST", path="/participations")


def answered(error: KantataError, status: int, **headers: str) -> KantataError:
    """An error about an answer."""
    error.response = Response(status, None, 1, CIMultiDict(headers))
    return error


ABOUT_A_ROW = ErrorDetail("is wrong", "validation", "role")
ABOUT_ALL = ErrorDetail("no", "system")


@pytest.mark.parametrize(
    ("error", "became"),
    [
        (refusal(401), Fate.STOPPED),
        (UsageError("the session is closed"), Fate.STOPPED),
        (AmbiguousWriteError("lost", method="POST", path="/x"), Fate.LOST),
        (InvalidResponseError("<html>"), Fate.LOST),
        (answered(AmbiguousWriteError("cut", method="POST", path="/x"), 200), Fate.UNSEEN),
        (answered(InvalidResponseError("no object"), 204), Fate.UNSEEN),
        (answered(InvalidResponseError("elsewhere"), 308), Fate.REFUSED),
        (answered(AmbiguousWriteError("elsewhere", method="POST", path="/x"), 302), Fate.LOST),
        (answered(AmbiguousWriteError("a proxy's", method="POST", path="/x"), 503), Fate.LOST),
        (answered(AmbiguousWriteError("lost", method="POST", path="/x"), 500), Fate.LOST),
        (refusal(503), Fate.UNAVAILABLE),
        (refusal(429), Fate.NOT_SENT),
        (ConnectionFailedError("no route"), Fate.NOT_SENT),
        (refusal(413), Fate.TOO_LARGE),
        (refusal(422, ABOUT_A_ROW), Fate.ROWS_REFUSED),
        (refusal(422), Fate.ROWS_REFUSED),
        (refusal(200, ABOUT_A_ROW), Fate.ROWS_REFUSED),
        (refusal(200, ABOUT_ALL), Fate.REFUSED),
        (refusal(400, ABOUT_ALL, ABOUT_A_ROW), Fate.ROWS_REFUSED),
        (refusal(409, ErrorDetail("taken", "system", index=3)), Fate.ROWS_REFUSED),
        (refusal(422, ABOUT_ALL), Fate.REFUSED),
        (refusal(400, ABOUT_ALL, ErrorDetail("no", "oauth")), Fate.REFUSED),
    ],
)
def test_what_became_of_it(error: KantataError, became: Fate) -> None:
    """Not carried out, lost, or refused: for all of it or for some of its rows."""
    assert fate(error) is became


@pytest.mark.parametrize("status", [403, 404, 405, 406, 410, 411, 412, 414, 415, 423, 426, 428, 431, 451, 501])
def test_statuses_that_refuse_the_whole_of_it(status: int) -> None:
    """Whatever their errors say, nothing of a batch was carried out."""
    assert fate(refusal(status, ABOUT_A_ROW)) is Fate.REFUSED


def test_the_wait_that_an_answer_asks_for() -> None:
    """As its header says, whatever the error."""
    error = ConnectionFailedError("away")
    assert wait_asked_for(error) == 0
    assert wait_asked_for(answered(error, 503)) == 0
    assert wait_asked_for(answered(error, 503, **{"Retry-After": "7"})) == 7


def test_waits_grow_and_end() -> None:
    """From the first to the longest."""
    waits = [wait_before_looking(number) for number in range(9)]
    assert waits == sorted(waits)
    assert waits[0] == waits[1] == SETTLING
    assert waits[-1] == 8.0
