"""A Kantata of one's own, in the process: for demonstrations, tests and benchmarks.

It answers every operation of the catalogue over a real socket, with the manners and the mishaps of the real server.
It shares no code with the client: two that agree by sharing a mistake prove nothing.
"""

from __future__ import annotations

from .faults import Fault
from .forms import UploadedFile
from .limits import ServerRateLimit
from .log import LoggedRequest
from .server import Sandbox
from .switches import Switches

__all__ = ["Fault", "LoggedRequest", "Sandbox", "ServerRateLimit", "Switches", "UploadedFile"]
