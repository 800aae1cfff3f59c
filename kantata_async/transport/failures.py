"""Why there is no answer: the errors for the exceptions of aiohttp, asyncio and the operating system.

None of those is chained, and the text quotes nothing that the server sent: aiohttp's errors carry the request's
headers, and its parser's quote what it read. Only the operating system's own error is kept as the cause.
"""

from __future__ import annotations

import socket
import ssl

import aiohttp
from aiohttp.http_exceptions import HttpProcessingError
from yarl import URL

from ..errors import ConnectionFailedError, InvalidResponseError, KantataError, RequestTimeoutError, UsageError
from .request import Request

_PASSING_SSL_ERRORS = (ssl.SSLEOFError, ssl.SSLZeroReturnError, ssl.SSLSyscallError, ssl.SSLWantReadError)

BEFORE_SENDING = (
    aiohttp.ClientConnectorError,
    aiohttp.ConnectionTimeoutError,
    aiohttp.ClientHttpProxyError,
    aiohttp.InvalidURL,
)
"""What aiohttp raises while it makes a connection, and at no other time."""


_NO_KNOWN_AUTHORITY = frozenset({18, 19, 20, 21})
"""OpenSSL's numbers for a certificate whose authority is not among those that are trusted."""


def failure(request: Request, error: Exception, proxy: URL | None = None) -> KantataError:
    """The error for an exception that ended an attempt, through this proxy if any."""
    if isinstance(error, aiohttp.ClientHttpProxyError):
        wants = ", and wants a user name and a password that it knows" if error.status == 407 else ""
        return ConnectionFailedError(
            f"{request}: the proxy does not connect to the API: it answered {error.status}{wants}"
        )
    if isinstance(error, TimeoutError):
        return RequestTimeoutError(f"{request}: no connection was made in time")
    if isinstance(error, aiohttp.ClientResponseError | HttpProcessingError):
        return InvalidResponseError(f"{request}: the answer is not valid HTTP ({_root_name(error)})")
    if isinstance(error, aiohttp.RedirectClientError):
        return InvalidResponseError(f"{request}: the answer redirects, and no redirect is followed")
    if isinstance(error, aiohttp.InvalidURL | aiohttp.NonHttpUrlClientError):
        return UsageError(f"{request}: nothing can be sent to the address ({type(error).__name__})")
    return _connection_failure(request, error, proxy)


def is_hopeless(error: Exception) -> bool:
    """Whether another attempt would end in the same exception, as with a certificate or a name that cannot work."""
    if isinstance(error, aiohttp.ClientHttpProxyError):
        return error.status in (401, 403, 405, 407)
    if not isinstance(error, aiohttp.ClientConnectorError):
        return False
    cause = _cause_of(error)
    if isinstance(cause, ssl.SSLError):
        return not isinstance(cause, _PASSING_SSL_ERRORS)
    if isinstance(cause, ssl.CertificateError):
        return True
    return _name_error(error) in (socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME))


def _connection_failure(request: Request, error: Exception, proxy: URL | None) -> ConnectionFailedError:
    if isinstance(error, aiohttp.ClientConnectorError):
        cause = _cause_of(error)
        # Of a proxy whose name or certificate is wrong, aiohttp says only that it is so.
        is_the_proxy = proxy is not None and (error.host, error.port) == (proxy.host, proxy.port)
        to = "the proxy " if is_the_proxy or isinstance(error, aiohttp.ClientProxyConnectionError) else ""
        failed = ConnectionFailedError(
            f"{request}: no connection to {to}{error.host}:{error.port} ({cause}){_advice_on(cause)}"
        )
        failed.__cause__ = cause
        return failed
    if isinstance(error, aiohttp.ClientPayloadError):
        return ConnectionFailedError(f"{request}: the connection broke before the answer was complete")
    reason = error.strerror if isinstance(error, OSError) and error.strerror else type(error).__name__
    return ConnectionFailedError(f"{request}: the connection broke before an answer came ({reason})")


def _advice_on(cause: Exception) -> str:
    """What to do about it; nothing where that is not known."""
    if isinstance(cause, ssl.SSLCertVerificationError) and getattr(cause, "verify_code", 0) in _NO_KNOWN_AUTHORITY:
        return "; where a network uses private certificates, name their file in SSL_CERT_FILE, or give ssl="
    return ""


def _cause_of(error: aiohttp.ClientConnectorError) -> Exception:
    return error.certificate_error if isinstance(error, aiohttp.ClientConnectorCertificateError) else error.os_error


def _name_error(error: aiohttp.ClientConnectorError) -> int | None:
    """The resolver's number for the reason why a name has no address."""
    cause: BaseException | None = _cause_of(error)
    while cause is not None and not isinstance(cause, socket.gaierror):
        cause = cause.__cause__ or cause.__context__
    return None if cause is None else cause.errno


def _root_name(error: BaseException) -> str:
    while error.__cause__ is not None:
        error = error.__cause__
    return type(error).__name__
