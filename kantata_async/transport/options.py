"""The options of a call: how long it may take, how often it is tried, and which headers it carries."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import attrs

from ..bounds import positive_number
from ..errors import UsageError
from ..model import brief_repr
from ..turns import Priority, priority
from .redaction import is_secret
from .retry import RetryPolicy

_HEADER_NAME: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+", re.ASCII)
_HEADER_VALUE: Final = re.compile(r"[!-~](?:[ -~]*[!-~])?|", re.ASCII)
_OURS: Final = frozenset(
    {
        *("authorization", "proxy-authorization", "host", "accept-encoding", "content-type"),
        *(
            "content-length",
            "content-encoding",
            "transfer-encoding",
            "connection",
            "upgrade",
            "expect",
            "te",
            "trailer",
        ),
    }
)


@attrs.frozen
class Options:
    """How requests are made.

    Attributes:
        timeout: seconds one attempt may take; the API itself cuts a request off after 180.
        retry: how often and how long a request is tried.
        headers: sent along with every request.
        priority: how urgent a request is among those that wait; None for what `priority()` says around it.

    Raises:
        UsageError: an option cannot be used.
    """

    timeout: float = 180.0
    retry: RetryPolicy = attrs.field(factory=RetryPolicy)
    headers: Mapping[str, str] = attrs.field(factory=dict, repr=False)
    priority: Priority | None = None

    def __attrs_post_init__(self) -> None:
        positive_number("KantataSession", "timeout", self.timeout)
        if not isinstance(self.retry, RetryPolicy):
            raise UsageError(f"KantataSession: retry must be a RetryPolicy, not {brief_repr(self.retry)}")
        if self.priority is not None:
            with priority(self.priority):
                pass
        object.__setattr__(self, "headers", MappingProxyType(_checked(self.headers)))

    @property
    def secrets(self) -> list[str]:
        """The values of the headers whose names say that they are secret."""
        return [value for name, value in self.headers.items() if value and is_secret(name)]

    def but(
        self,
        *,
        timeout: float | None = None,
        retry: RetryPolicy | None = None,
        headers: Mapping[str, str] | None = None,
        priority: Priority | None = None,
    ) -> Options:
        """These options, with those that are given replaced; headers are added.

        Raises:
            UsageError: an option cannot be used.
        """
        return Options(
            timeout=self.timeout if timeout is None else timeout,
            retry=self.retry if retry is None else retry,
            headers=self.headers if headers is None else {**self.headers, **_checked(headers)},
            priority=self.priority if priority is None else priority,
        )


def _checked(headers: object) -> dict[str, str]:
    """Headers that can be sent, under names in lower case.

    Raises:
        UsageError: a name or a value cannot be sent, or is the session's own to set; no value is shown.
    """
    if not isinstance(headers, Mapping):
        raise UsageError("KantataSession: headers must be a mapping of names to texts")
    checked: dict[str, str] = {}
    for name, value in headers.items():
        if not isinstance(name, str) or not _HEADER_NAME.fullmatch(name):
            raise UsageError(f"KantataSession: headers: {name!r} is not a valid header name")
        if name.lower() in _OURS:
            raise UsageError(f"KantataSession: headers: {name} is set by the session")
        if not isinstance(value, str) or not _HEADER_VALUE.fullmatch(value):
            raise UsageError(f"KantataSession: headers: {name} must be a text of printable ASCII")
        checked[name.lower()] = value
    return checked
