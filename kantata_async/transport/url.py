"""Where requests go: the base URL, and paths below it, none of which may lead out.

Whoever controls a URL receives the token, so both are checked by what is allowed, not by what is known to be harmful.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence
from typing import Final
from urllib.parse import quote

from yarl import URL

from ..errors import UsageError

_PATH: Final = re.compile(r"(?:/(?!\.{1,2}(?:/|$))[A-Za-z0-9_~!$&'()*+,;=:@.-]+)+", re.ASCII)
# The API's lists and sort orders are written with commas and colons, which a query may hold as they are.
_NEEDS_NO_ENCODING: Final = re.compile(r"[A-Za-z0-9_.~,:-]*", re.ASCII)


def checked_base_url(base_url: object) -> str:
    """The base URL without its trailing slash.

    Raises:
        UsageError: it is not an absolute https URL (http for this very machine) of host, port and path alone.
    """
    if not isinstance(base_url, str) or not re.fullmatch(r"[!-~]+", base_url):
        raise UsageError("base_url must be a URL as text, without spaces or characters outside ASCII")
    # Refused without showing anything: what stands before an @ may be a password.
    if "@" in base_url or "\\" in base_url:
        raise UsageError("base_url must name a host and a path alone: no user, no password, no backslash")
    if "?" in base_url or "#" in base_url:
        raise UsageError("base_url must name a host and a path alone: no query and no fragment")
    try:
        url = URL(base_url)
        host = url.host or ""
        # The resolver would encode the host likewise, and fail with another error.
        host.encode("idna")
    except ValueError:
        raise UsageError("base_url is not a URL") from None
    if url.port == 0:
        raise UsageError("base_url has the port 0, where nothing can listen")
    if not host or url.scheme not in ("https", "http"):
        raise UsageError("base_url must be an absolute URL: https://host/path")
    if url.scheme == "http" and not is_loopback(host):
        raise UsageError(f"base_url must begin with https: plain http would show the token on the way to {host}")
    path = url.raw_path.rstrip("/")
    if path and not _PATH.fullmatch(path):
        raise UsageError("base_url has a path that cannot be used")
    return f"{url.origin()}{path}"


def target(base: URL, path: str, query: Sequence[tuple[str, str]]) -> URL:
    """The URL of a request.

    Args:
        base: the URL that `checked_base_url` gave.
        path: below it, from its slash on.
        query: names and values; they are encoded here.

    Raises:
        UsageError: the path could lead elsewhere, or a text cannot be encoded.
    """
    if not _PATH.fullmatch(path):
        elsewhere = "; a query goes into `params`" if "?" in path else ""
        raise UsageError(
            f"not a path below the API's base URL: {path[:200]!r}. It begins with a slash, its steps are not empty, "
            f"not . and not .., and it holds letters, digits and plain punctuation{elsewhere}"
        )
    # Made of parts, which is cheaper than taking a text apart.
    whole_path = base.raw_path.rstrip("/") + path
    if not query:
        return base.with_path(whole_path, encoded=True)
    try:
        text = "&".join(f"{_encoded(name)}={_encoded(value)}" for name, value in query)
    except UnicodeEncodeError:
        raise UsageError("params hold a character that cannot be encoded (half of a surrogate pair)") from None
    return URL.build(
        scheme=base.scheme,
        authority=base.raw_authority,
        path=whole_path,
        query_string=text,
        encoded=True,
    )


def _encoded(text: str) -> str:
    # Most names and values need no encoding, and seeing that is much cheaper than encoding them.
    return text if _NEEDS_NO_ENCODING.fullmatch(text) else quote(text, safe=",:")


def is_loopback(host: str) -> bool:
    """Whether a host is this very machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
