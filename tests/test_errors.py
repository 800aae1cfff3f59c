"""Errors: what they tell, and that they survive a process pool."""

from __future__ import annotations

import pickle
from typing import Any

import pytest

from kantata_async import errors
from kantata_async.errors import AmbiguousWriteError, APIError, BulkError, ErrorDetail, KantataError, api_error_type

DETAILS = [ErrorDetail("can't be blank", "validation", "role", 3), ErrorDetail("no")]


@pytest.mark.parametrize(
    ("status", "name"),
    [
        (400, "BadRequestError"),
        (401, "AuthenticationError"),
        (403, "PermissionDeniedError"),
        (404, "NotFoundError"),
        (409, "APIError"),
        (422, "ValidationError"),
        (429, "RateLimitError"),
        (500, "ServerError"),
        (503, "ServerError"),
    ],
)
def test_each_status_has_its_class(status: int, name: str) -> None:
    """A program can tell errors apart by class."""
    assert api_error_type(status) is getattr(errors, name)


def test_what_an_error_tells() -> None:
    """Status, request, reasons with their rows and fields, and the request id."""
    error = api_error_type(422)(422, DETAILS, method="POST", path="/participations", request_id="abc")
    message = "422 on POST /participations: can't be blank (row 3, role); no [x-request-id abc]"
    assert str(error) == message


@pytest.mark.parametrize(
    "error",
    [
        api_error_type(404)(404, DETAILS, method="GET", path="/users/1", request_id="abc"),
        AmbiguousWriteError("lost", method="POST", path="/roles"),
        BulkError("1 rejected", result=None),
        errors.UsageError("wrong"),
        errors.NotLoadedError("User.bio was not sent"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_errors_cross_processes(error: KantataError) -> None:
    """Pickled and back, an error is the same."""
    again: Any = pickle.loads(pickle.dumps(error))
    assert type(again) is type(error)
    assert (str(again), vars(again)) == (str(error), vars(error))
    if isinstance(error, APIError):
        assert again.errors == error.errors
