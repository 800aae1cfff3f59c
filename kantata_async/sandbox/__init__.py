"""A Kantata of one's own, in the process: for demonstrations, tests and benchmarks.

It answers every operation of the catalogue over a real socket, with the manners and the mishaps of the real server.
It shares no code with the client: two that agree by sharing a mistake prove nothing.
"""

from __future__ import annotations

from .backend import Switches, UploadedFile
from .server import Fault, LoggedRequest, Sandbox, ServerRateLimit

__all__ = ["Fault", "LoggedRequest", "Sandbox", "ServerRateLimit", "Switches", "UploadedFile"]
