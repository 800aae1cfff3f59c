"""The storage: files and direct uploads, at another address than the API's, to which no token may go."""

from __future__ import annotations

from datetime import datetime

from aiohttp import web

from ..backend import UPLOADED, Answer, Company, Refusal, ServedAnswer, receive_upload
from .downloads import download
from .wire import Body

_READING = frozenset({"GET", "HEAD"})


def serve(company: Company, request: web.Request, body: Body, began: datetime) -> ServedAnswer:
    """The answer to a request that began to arrive at that moment."""
    try:
        return _served(company, request, body, began)
    except Refusal as refusal:
        return ServedAnswer(refusal.answer(), committed=False)


def _served(company: Company, request: web.Request, body: Body, began: datetime) -> ServedAnswer:
    if "Authorization" in request.headers:
        # As a storage with signed addresses does; here it means that a token went astray.
        raise Refusal(400, [{"type": "system", "message": "Only one auth mechanism allowed"}])
    if request.path.startswith(f"/{UPLOADED}/") and request.method == "POST":
        receive_upload(company, request.path.rpartition("/")[2], body.form or {}, began)
        return ServedAnswer(Answer(204), committed=True)
    if request.method not in _READING:
        raise Refusal(405, [{"type": "system", "message": "Files can only be read"}], {"Allow": "GET, HEAD"})
    file = company.files.get(request.raw_path.partition("?")[0])
    return ServedAnswer(download(file, request.headers, ranges=company.switches.ranges), committed=False)
