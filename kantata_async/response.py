"""What is known of the answer to a request beside its data: a page, an entity, an outcome and an error lead to it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

Headers = Mapping[str, str]


class Response:
    """The answer to a request, without its data.

    Attributes:
        status: the HTTP status.
        request_id: the x-request-id, which support asks for; None where there is none.
        attempts: how often the request was sent.
    """

    __slots__ = ("_headers", "_without_secrets", "attempts", "request_id", "status")

    def __init__(
        self,
        status: int,
        request_id: str | None,
        attempts: int,
        headers: Headers,
        without_secrets: Callable[[Headers], Headers] | None = None,
    ) -> None:
        self.status = status
        self.request_id = request_id
        self.attempts = attempts
        self._headers = headers
        self._without_secrets = without_secrets

    @property
    def headers(self) -> Headers:
        """The headers under names that ignore case, without cookies and other secrets."""
        # Left out when they are asked for, which most never are.
        shown = self._headers if self._without_secrets is None else self._without_secrets(self._headers)
        return MappingProxyType(shown)

    def __repr__(self) -> str:
        sent = f", {self.attempts} attempts" if self.attempts > 1 else ""
        named = f", request id {self.request_id}" if self.request_id else ""
        return f"<Response {self.status}{named}{sent}>"

    def __reduce__(self) -> tuple[Any, ...]:
        return Response, (self.status, self.request_id, self.attempts, self.headers.copy())  # type: ignore[attr-defined]
