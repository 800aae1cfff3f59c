"""An asyncio client for Kantata OX (formerly Mavenlink): typed calls, linked entities, bulk creates.

Names are loaded when they are first used, so that importing the package costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from ._version import __version__ as __version__

if TYPE_CHECKING:
    from .bulk import BulkResult as BulkResult
    from .bulk import Outcome as Outcome
    from .bulk import bulk_result as bulk_result
    from .calls import OMITTED as OMITTED
    from .calls import Feed as Feed
    from .calls import Found as Found
    from .calls import Id as Id
    from .calls import ListQuery as ListQuery
    from .calls import Path as Path
    from .calls import by_custom_field as by_custom_field
    from .calls import path as path
    from .custom_fields import FieldOutcome as FieldOutcome
    from .custom_fields import FieldsResult as FieldsResult
    from .custom_fields import FieldValue as FieldValue
    from .custom_fields import Money as Money
    from .custom_fields import fields_result as fields_result
    from .errors import AmbiguousWriteError as AmbiguousWriteError
    from .errors import APIError as APIError
    from .errors import AuthenticationError as AuthenticationError
    from .errors import BadRequestError as BadRequestError
    from .errors import BulkError as BulkError
    from .errors import ConnectionFailedError as ConnectionFailedError
    from .errors import ErrorDetail as ErrorDetail
    from .errors import EventsLostError as EventsLostError
    from .errors import ExportFailedError as ExportFailedError
    from .errors import ExportNotReadyError as ExportNotReadyError
    from .errors import InvalidResponseError as InvalidResponseError
    from .errors import KantataError as KantataError
    from .errors import NotFoundError as NotFoundError
    from .errors import NotLoadedError as NotLoadedError
    from .errors import NotOneError as NotOneError
    from .errors import PermissionDeniedError as PermissionDeniedError
    from .errors import RateLimitError as RateLimitError
    from .errors import RequestTimeoutError as RequestTimeoutError
    from .errors import ServerError as ServerError
    from .errors import SignInError as SignInError
    from .errors import SyncError as SyncError
    from .errors import TargetError as TargetError
    from .errors import TransportError as TransportError
    from .errors import UsageError as UsageError
    from .errors import ValidationError as ValidationError
    from .errors import may_be_carried_out as may_be_carried_out
    from .files import DownloadedFile as DownloadedFile
    from .limits import AdaptiveRateLimit as AdaptiveRateLimit
    from .limits import LimitState as LimitState
    from .limits import RateLimit as RateLimit
    from .limits import RateLimits as RateLimits
    from .limits import RedisRateLimit as RedisRateLimit
    from .model import Entity as Entity
    from .model import Graph as Graph
    from .model import Page as Page
    from .model import Ref as Ref
    from .model import columns as columns
    from .normalizer import normalize as normalize
    from .response import Response as Response
    from .session import KantataSession as KantataSession
    from .transport import RequestEvent as RequestEvent
    from .transport import RetryPolicy as RetryPolicy
    from .turns import job as job
    from .turns import priority as priority

_HOMES: Final = {
    "bulk": ("BulkResult", "Outcome", "bulk_result"),
    "custom_fields": ("FieldOutcome", "FieldValue", "FieldsResult", "Money", "fields_result"),
    "errors": (
        "APIError",
        "AmbiguousWriteError",
        "AuthenticationError",
        "BadRequestError",
        "BulkError",
        "ConnectionFailedError",
        "ErrorDetail",
        "EventsLostError",
        "ExportFailedError",
        "ExportNotReadyError",
        "InvalidResponseError",
        "KantataError",
        "NotFoundError",
        "NotLoadedError",
        "NotOneError",
        "PermissionDeniedError",
        "RateLimitError",
        "RequestTimeoutError",
        "ServerError",
        "SignInError",
        "SyncError",
        "TargetError",
        "TransportError",
        "UsageError",
        "ValidationError",
        "may_be_carried_out",
    ),
    "files": ("DownloadedFile",),
    "calls": ("OMITTED", "Feed", "Found", "Id", "ListQuery", "Path", "by_custom_field", "path"),
    "limits": (
        "AdaptiveRateLimit",
        "LimitState",
        "RateLimit",
        "RateLimits",
        "RedisRateLimit",
    ),
    "normalizer": ("normalize",),
    "model": ("Entity", "Graph", "Page", "Ref", "columns"),
    "response": ("Response",),
    "session": ("KantataSession",),
    "transport": ("RequestEvent", "RetryPolicy"),
    "turns": ("job", "priority"),
}
_HOME_OF: Final = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "OMITTED",
    "APIError",
    "AdaptiveRateLimit",
    "AmbiguousWriteError",
    "AuthenticationError",
    "BadRequestError",
    "BulkError",
    "BulkResult",
    "ConnectionFailedError",
    "DownloadedFile",
    "Entity",
    "ErrorDetail",
    "EventsLostError",
    "ExportFailedError",
    "ExportNotReadyError",
    "Feed",
    "FieldOutcome",
    "FieldValue",
    "FieldsResult",
    "Found",
    "Graph",
    "Id",
    "InvalidResponseError",
    "KantataError",
    "KantataSession",
    "LimitState",
    "ListQuery",
    "Money",
    "NotFoundError",
    "NotLoadedError",
    "NotOneError",
    "Outcome",
    "Page",
    "Path",
    "PermissionDeniedError",
    "RateLimit",
    "RateLimitError",
    "RateLimits",
    "RedisRateLimit",
    "Ref",
    "RequestEvent",
    "RequestTimeoutError",
    "Response",
    "RetryPolicy",
    "ServerError",
    "SignInError",
    "SyncError",
    "TargetError",
    "TransportError",
    "UsageError",
    "ValidationError",
    "__version__",
    "bulk_result",
    "by_custom_field",
    "columns",
    "fields_result",
    "job",
    "may_be_carried_out",
    "normalize",
    "path",
    "priority",
]


if not TYPE_CHECKING:  # a type checker would take it to mean that there is a name of any spelling

    def __getattr__(name: str) -> Any:
        home = _HOME_OF.get(name)
        if home is None:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        loaded = getattr(import_module(f".{home}", __name__), name)
        globals()[name] = loaded
        return loaded


def __dir__() -> list[str]:
    return __all__
