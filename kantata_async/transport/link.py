"""Links to files: where one leads, and whether that is the API's own host. Other hosts get nothing of the session's."""

from __future__ import annotations

from typing import Final
from urllib.parse import parse_qsl

from yarl import URL

from ..errors import UsageError
from .url import is_loopback, target

_LONGEST: Final = 16_384


def read_link(base: URL, link: object) -> URL:
    """The URL of a link: absolute, or a path below the API's base URL that begins with a slash, a query with it.

    Raises:
        UsageError: it is not https (http is taken only from this very machine to itself), or not such a link.
    """
    if not isinstance(link, str) or not link or len(link) > _LONGEST:
        raise UsageError("a link must be a URL as text, or a path below the base URL that begins with a slash")
    if link.startswith("/") and not link.startswith("//"):
        path, _, query = link.partition("?")
        return target(base, path, parse_qsl(query, keep_blank_values=True))
    try:
        # A signature is valid only for the spelling that it was made for.
        url = URL(link, encoded=True)
        host = url.host or ""
        host.encode("idna")
    except ValueError:
        raise UsageError("the link is not a URL") from None
    # The link itself is not shown: whoever has a signed one has the file.
    if not url.scheme:
        raise UsageError("a link must be a URL as text, or a path below the base URL that begins with a slash")
    if not host or not link.isprintable() or url.raw_user is not None or url.raw_password is not None:
        raise UsageError("the link must name a host and a path, with no user and no password")
    both_here = url.scheme == base.scheme == "http" and is_loopback(host) and is_loopback(base.host or "")
    if url.scheme != "https" and not both_here:
        raise UsageError(
            f"the link leads to {shown(url)} by {url.scheme or 'no scheme'}; files are fetched by https alone"
        )
    return url.with_fragment(None)


def is_of_the_api(base: URL, url: URL) -> bool:
    """Whether a URL leads to the API's own host, the only one to which the token may go."""
    return url.origin() == base.origin()


def shown(url: URL) -> str:
    """A URL as errors and logs show it: without its query, in which a signature may be."""
    return f"{url.raw_host}{url.raw_path}"
