"""An embedded Kantata, in the process: for demonstrations, tests and benchmarks.

It answers every operation of the catalogue over a real socket, with the behaviour and the faults of the real server,
and plays its authorization server, its change feed and its downloads.

server    sockets, wire, log, faults, limits, tokens, and the calls by which another process controls it
backend   the API without the wire; `backend/subjects` has a module for each subject
seed      the company that it begins with

It shares no code with the client: agreement that comes from shared code would prove nothing.
"""

from __future__ import annotations

from .backend import Switches, UploadedFile
from .server import Fault, LoggedRequest, OAuthApplication, Sandbox, ServerRateLimit, ThreadedSandbox

__all__ = [
    "Fault",
    "LoggedRequest",
    "OAuthApplication",
    "Sandbox",
    "ServerRateLimit",
    "Switches",
    "ThreadedSandbox",
    "UploadedFile",
]
