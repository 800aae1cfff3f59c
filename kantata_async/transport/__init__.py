"""One exchange with the server, and when it may happen again.

url           what a path of the API is on the wire
profiles      tokens at rest
auth          the token, where it comes from, and how it is kept out of what is shown
message       what is asked of the server and what it answered
multipart     bodies with files
attempt       what is known of one sending
wire          one attempt on the wire: aiohttp and its exceptions
response      what an answer says: its data, or the error to raise
retry         what becomes of an attempt, and how long to wait
time_limits   limits of time that end early when the session closes
events        what a session tells of its requests
transport     all of it: each call sent, limited, timed, sent again where that is safe, and answered
"""

from __future__ import annotations

from .auth import Token
from .events import OnEvent, RequestEvent
from .multipart import form_parts, holds_file
from .profiles import Profile, chosen_profile, delete_profile, load_profile, profile_names, save_profile
from .retry import RetryPolicy
from .transport import BASE_URL, NO_BODY, Request, Transport
from .url import checked_base_url

__all__ = [
    "BASE_URL",
    "NO_BODY",
    "OnEvent",
    "Profile",
    "Request",
    "RequestEvent",
    "RetryPolicy",
    "Token",
    "Transport",
    "checked_base_url",
    "chosen_profile",
    "delete_profile",
    "form_parts",
    "holds_file",
    "load_profile",
    "profile_names",
    "save_profile",
]
