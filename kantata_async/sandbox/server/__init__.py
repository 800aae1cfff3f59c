"""The sockets before the API: wire, log, faults, limits, and the sandbox's own calls."""

from __future__ import annotations

from .faults import Fault
from .limits import ServerRateLimit
from .log import LoggedRequest
from .sandbox import Sandbox

__all__ = ["Fault", "LoggedRequest", "Sandbox", "ServerRateLimit"]
