"""The traffic of one recorder as it may be kept: a file is asked for by a link that an answer gave before."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any, Final
from urllib.parse import urldefrag, urljoin, urlsplit

from .scrubbing import (
    KEPT_ANSWER_HEADERS,
    KEPT_REQUEST_HEADERS,
    REPLACED,
    kept_headers,
    replaced_link,
    scrubbed_body,
    scrubbed_file,
    scrubbed_url,
)

_FILES: Final = (200, 206)
"""The status of an answer that holds a file, or a part of one."""

_OBJECT: Final = re.compile(r"/api/v\d+/")
_ID: Final = re.compile(r"/(\d{1,18})\b")


class ScrubbedTraffic:
    """Requests and answers scrubbed in the order in which vcrpy hands them over: a request, then its answer.

    A link in an answer is remembered, and the request for its file is kept under what replaced the link: so the file is
    found again when the answer is replayed.

    Args:
        keep: the names of attributes whose values may be kept.
        keep_files: whether the contents of files are kept.
    """

    def __init__(self, keep: Collection[str], *, keep_files: bool) -> None:
        self._keep: Final = frozenset(keep)
        self._keep_files: Final = keep_files
        self._links: Final[dict[str, str]] = {}
        self._asked = ""
        self._is_by_link = False

    def request(self, request: Any) -> Any:
        """A request as it may be kept."""
        self._asked = request.uri
        # An object may have a link to itself too.
        link = None if _OBJECT.search(request.uri) else self._links.get(request.uri)
        self._is_by_link = request.method == "GET" and (link is not None or _is_replaced(request.uri))
        # Made anew, as vcrpy writes a body that was sent piece by piece as an iterator, whatever replaces it.
        return type(request)(
            request.method,
            scrubbed_url(request.uri if link is None else link, self._keep),
            None if request.body is None else scrubbed_body(request.body, self._keep),
            kept_headers(request.headers, KEPT_REQUEST_HEADERS),
        )

    def answer(self, answer: dict[str, Any]) -> dict[str, Any]:
        """The answer to the last request as it may be kept."""
        headers = kept_headers(answer["headers"], KEPT_ANSWER_HEADERS) | self._redirection(answer["headers"])
        text = self._body(answer["status"]["code"], answer["body"].get("string", b""))
        return {**answer, "headers": headers, "body": {"string": text}}

    def _redirection(self, headers: Mapping[str, Any]) -> dict[str, Any]:
        """Where an answer redirects to, with the link replaced."""
        found = {name: value for name, value in headers.items() if name.lower() == "location"}
        for name, value in found.items():
            to = urljoin(self._asked, value[0] if isinstance(value, list) else value)
            link = replaced_link("location", self._id_asked_for())
            self._links[urldefrag(to).url] = link
            found[name] = [link]
        return found

    def _id_asked_for(self) -> str:
        """The last id in the path of the request; none where it has none."""
        ids = _ID.findall(urlsplit(self._links.get(self._asked, self._asked)).path)
        return ids[-1] if ids else ""

    def _body(self, status: int, body: bytes) -> bytes:
        scrubbed = scrubbed_body(body, self._keep, self._links, id=self._id_asked_for())
        if status not in _FILES or not (self._is_by_link or scrubbed == REPLACED.encode()):
            return scrubbed
        return body if self._keep_files else scrubbed_file(body)


def _is_replaced(url: str) -> bool:
    """Whether a URL is what replaced a link."""
    return url.startswith(replaced_link("", "").rstrip("/"))
