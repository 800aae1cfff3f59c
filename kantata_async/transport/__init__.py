"""One exchange with the server, and when it may happen again.

url           what a path of the API is on the wire
hidden        secrets that their repr does not show
profiles      tokens kept on disk
token_server  requests to an authorization server, outside any session
renewal       the token of a profile renewed
redaction     which parts of an answer may be shown
auth          the token, where it comes from, and how it is kept out of sight
request       a request to the server
multipart     bodies with files
environment   the settings in environment variables
no_proxy      pure: which servers NO_PROXY names
network       a proxy, certificates, the program's own connector
options       what a call may set for itself
attempt       one attempt to send a request, and what is known of it
attempt_log   what the log says of attempts
content       the body of an answer, decompressed
failures      why there is no answer: the errors for aiohttp's exceptions
wire          one attempt on the wire
verdict       what an answer proves, and what becomes of an attempt
retry         how hard to try, and how long to wait
refusal       the reasons that an answer gives
success       what a success says
time_limits   time limits, which end early when the session closes
events        the events of a session's calls
hooks         the functions that are called for each event
stories       what happens to a call and its requests, as events
link          where a link to a file leads
fetching      files on the wire, from the API's host and from others
sending       the life of one request: sent, limited, timed, sent again where that is safe, and answered
lifecycle     the session's way to the server, from its opening to its closing
"""

from __future__ import annotations

from .auth import Token, TokenSource
from .environment import BASE_URL, base_url_of_environment
from .events import RequestEvent
from .fetching import FileAnswer, FileExchange
from .hidden import HiddenForm
from .hooks import EventSetting, OnEvent
from .lifecycle import Transport
from .multipart import MAX_UPLOAD, content_at, form_of, form_parts, holds_file, type_of
from .network import Connector, Network
from .options import Options
from .profiles import (
    Profile,
    chosen_profile,
    delete_profile,
    load_profile,
    profile_names,
    require_keyring,
    save_profile,
)
from .redaction import excerpt
from .renewal import SECRET_VARIABLE
from .request import NO_BODY, FileContent, FormPart, OnBytes, Request
from .retry import RetryPolicy, Sleep, retry_after_of
from .stories import CallStory
from .success import Success
from .token_server import OAUTH_REFUSALS, answer_to, post_form
from .url import checked_base_url
from .verdict import Effect, effect_of

__all__ = [
    "BASE_URL",
    "MAX_UPLOAD",
    "NO_BODY",
    "OAUTH_REFUSALS",
    "SECRET_VARIABLE",
    "CallStory",
    "Connector",
    "Effect",
    "EventSetting",
    "FileAnswer",
    "FileContent",
    "FileExchange",
    "FormPart",
    "HiddenForm",
    "Network",
    "OnBytes",
    "OnEvent",
    "Options",
    "Profile",
    "Request",
    "RequestEvent",
    "RetryPolicy",
    "Sleep",
    "Success",
    "Token",
    "TokenSource",
    "Transport",
    "answer_to",
    "base_url_of_environment",
    "checked_base_url",
    "chosen_profile",
    "content_at",
    "delete_profile",
    "effect_of",
    "excerpt",
    "form_of",
    "form_parts",
    "holds_file",
    "load_profile",
    "post_form",
    "profile_names",
    "require_keyring",
    "retry_after_of",
    "save_profile",
    "type_of",
]
