"""Errors as sentences for a person who types commands: pure."""

from __future__ import annotations

import re
import socket
import ssl

from ..errors import (
    AmbiguousWriteError,
    APIError,
    AuthenticationError,
    ConnectionFailedError,
    KantataError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
    RequestTimeoutError,
    ServerError,
)


def sentence(error: KantataError, *, token: str, host: str) -> str:
    """The sentence that explains an error.

    Args:
        error: the error.
        token: where the token comes from, as ``KANTATA_TOKEN``.
        host: where the command sent its requests.
    """
    match error:
        case AuthenticationError():
            text = f"{token} was refused by {host}: it is wrong, or was revoked"
        case PermissionDeniedError():
            text = f"{host} does not allow this to the user of {token}{_reasons(error)}"
        case NotFoundError(path="/users/me"):
            text = f"{host} has no API at this address: Kantata's own ends in /api/v1"
        case NotFoundError():
            text = f"{host} has nothing at {error.path}, or does not show it to the user of {token}"
        case RateLimitError():
            text = f"{host} refused too many requests; try again later"
        case ServerError():
            text = f"{host} failed ({error.status}); try again later"
        case APIError():
            text = f"{host} refused the request{_reasons(error)}"
        case AmbiguousWriteError():
            text = f"it may or may not have been done: check before you try again. {error}"
        case ConnectionFailedError() | RequestTimeoutError():
            text = f"{host} cannot be reached: {_hindrance(error)}"
        case _:
            text = str(error)
    return " ".join(text.split()) + _traced(error)


def _hindrance(error: KantataError) -> str:
    """Why there was no connection: what a person can check, where that is known."""
    match error.__cause__:
        case _ if "proxy" in str(error):
            return re.sub(r"^[A-Z]+ \S+: ", "", str(error))
        case socket.gaierror():
            return "no machine of that name is found; check the address, and the network"
        case ConnectionRefusedError():
            return "nothing listens there; check the address, and its port"
        case ssl.SSLCertVerificationError():
            return "its certificate is not trusted; somebody else may be reading along"
        case _:
            return str(error)


def _reasons(error: APIError) -> str:
    return f": {'; '.join(map(str, error.errors))}" if error.errors else f" ({error.status})"


def _traced(error: KantataError) -> str:
    """The request's id, which support asks for, where the text does not hold it already."""
    request_id = error.request_id if isinstance(error, APIError) else None
    return f" [x-request-id {request_id}]" if request_id else ""
