"""The sockets in front of the API: wire, log, faults, limits, and the sandbox's own calls."""

from __future__ import annotations

from .authorization import OAuthApplication
from .faults import Fault
from .limits import ServerRateLimit
from .log import LoggedRequest
from .sandbox import Sandbox
from .thread import ThreadedSandbox

__all__ = ["Fault", "LoggedRequest", "OAuthApplication", "Sandbox", "ServerRateLimit", "ThreadedSandbox"]
