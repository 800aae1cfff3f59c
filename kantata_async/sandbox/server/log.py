"""The log of what was asked and what became of it."""

from __future__ import annotations

from typing import Any

import attrs

from ..backend import UploadedFile


@attrs.define(kw_only=True)
class LoggedRequest:
    """One request. It never holds a header, and so never a token; for the authorization server, it holds only the path.

    Attributes:
        method: The HTTP method.
        path: The path below `/api/v1`, without `.json`.
        query: The query parameters.
        body: The decoded JSON body; None when there was none.
        form: The nested fields of a form, files as `UploadedFile`; None when the body was no form.
        status: The status of the answer; None while there is none, and for good when the connection was cut.
        committed: Whether a write was carried out.
        request_id: The answer's `x-request-id`.
        at: When it came, in seconds of `time.monotonic`.
        seconds: How long it took until it was answered or its connection cut; None until then.
    """

    method: str
    path: str
    query: dict[str, str]
    request_id: str
    at: float
    body: Any = None
    form: dict[str, Any] | None = None
    status: int | None = None
    committed: bool = False
    seconds: float | None = None

    def summary(self) -> dict[str, Any]:
        """The request as JSON without what was sent in it."""
        return {
            name: value for name, value in attrs.asdict(self, recurse=False).items() if name not in {"body", "form"}
        }

    def as_json(self) -> dict[str, Any]:
        """The request as JSON; files by name and size."""
        return {**attrs.asdict(self, recurse=False), "form": _readable(self.form)}


def _readable(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _readable(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_readable(part) for part in value]
    if isinstance(value, UploadedFile):
        return {"filename": value.filename, "size": len(value.content), "content_type": value.content_type}
    return value
