"""The sockets in front of the API: wire, log, faults, limits, and the sandbox's own calls.

sandbox        the service behind a socket
thread         the same in a thread, for synchronous programs
gateway        which part of the server answers a request
authorization  the authorization server
storage        files and direct uploads, at another address than the API's
downloads      files, whole or in part
wire           bodies: JSON, a form, or a multipart form
forms          form bodies as Rails reads them
limits         rate limits as a server keeps them
path_patterns  which requests a fault, a limit or a count is about
faults         faults on demand
fault_answers  what a client meets when a fault strikes
log            what was asked, and what became of it
http_dates     the Date header of answers
control        the sandbox's own calls, by which another process controls it
origins        who may make them
assets         the files of the page for the browser
browsing       the company as tables, for that page
describing     the switches, for that page
watching       what that page hears as it happens
"""

from __future__ import annotations

from .authorization import OAuthApplication
from .faults import Fault
from .limits import ServerRateLimit
from .log import LoggedRequest
from .sandbox import Sandbox
from .thread import ThreadedSandbox

__all__ = ["Fault", "LoggedRequest", "OAuthApplication", "Sandbox", "ServerRateLimit", "ThreadedSandbox"]
