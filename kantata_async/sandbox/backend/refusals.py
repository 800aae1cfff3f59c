"""Requests that are not carried out, with the errors of the API's answer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from .answer import Answer


class Refusal(Exception):  # noqa: N818 - an error object travels inside it
    """A request that is not carried out, with the API's error objects."""

    def __init__(
        self, status: int, errors: Iterable[Mapping[str, Any]], headers: Mapping[str, str] | None = None
    ) -> None:
        self.status = status
        self.errors = list(errors)
        self.headers = headers or {}
        super().__init__(status, self.errors)

    def answer(self) -> Answer:
        """The refusal as the API answers it: ``{"errors": [{"type", "message", "field"?, "index"?}]}``."""
        return Answer(self.status, msgspec.json.encode({"errors": self.errors}), headers=self.headers)


def unauthorized() -> Refusal:
    """The 401 of a missing, wrong or revoked token."""
    return Refusal(401, [{"type": "oauth", "message": "Invalid OAuth 2 Request"}])


def missing(what: str) -> Refusal:
    """The 404 of an object that is not there, or that a default filter hides."""
    return Refusal(404, [{"type": "system", "message": f"The {what.replace('_', ' ')} was not found"}])


def malformed(message: str, field: str | None = None) -> Refusal:
    """The 400 of a request that cannot be understood."""
    error = {"type": "system", "message": message}
    return Refusal(400, [error if field is None else {**error, "field": field}])


def invalid(message: str, field: str | None = None) -> Refusal:
    """The 422 of an object that breaks a rule."""
    return Refusal(422, [invalid_field(message, field)])


def invalid_field(message: str, field: str | None = None) -> dict[str, Any]:
    """One validation error."""
    error = {"type": "validation", "message": message}
    return error if field is None else {**error, "field": field}
