"""Which part of the server answers a request: the authorization server, the files, or the API behind the token."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from ..backend import (
    FOLDER,
    UPLOADED,
    Answer,
    Clock,
    Refusal,
    ServedAnswer,
    Service,
    Switches,
    receive_upload,
    unauthorized,
)
from ..seed import found
from .authorization import PATHS, AuthorizationServer, OAuthApplication, OAuthRequest
from .downloads import download
from .wire import Body

BASE: Final = "/api/v1"


def is_secret(path: str) -> bool:
    """Whether requests to a path hold codes or tokens, which no log may hold."""
    return path in PATHS


def below_base(path: str) -> str:
    """A path below the base URL, without `.json`; others as they are."""
    return path.removeprefix(BASE).removesuffix(".json")


class Gateway:
    """One company, and who may ask it."""

    def __init__(
        self, switches: Switches, clock: Clock, application: OAuthApplication, *, seed: int, people: int, projects: int
    ) -> None:
        self.service = Service(switches, clock)
        self.authorization = AuthorizationServer(application, clock)
        found(self.service.company, seed=seed, people=people, projects=projects)

    def carry_out(self, request: web.Request, body: Body, token: str) -> ServedAnswer:
        """The answer to a request; `token` is the sandbox's own."""
        company = self.service.company
        if request.path in PATHS:
            return ServedAnswer(self._authorize(request, body), committed=False)
        try:
            if request.path.startswith(f"/{UPLOADED}/"):
                receive_upload(company, request.path.rpartition("/")[2], body.form or {})
                return ServedAnswer(Answer(204), committed=True)
            if request.path.startswith(f"{FOLDER}/"):
                return ServedAnswer(self._file(request), committed=False)
            kind, _, given = request.headers.get("Authorization", "").partition(" ")
            if kind != "Bearer" or not self.authorization.accepts(given, token):
                raise unauthorized()
            return self._call(request, body)
        except Refusal as refusal:
            return ServedAnswer(refusal.answer(), committed=False)

    def _call(self, request: web.Request, body: Body) -> ServedAnswer:
        path = below_base(request.path) if request.path.startswith(f"{BASE}/") else ""
        if request.method == "GET" and (document := self.service.document(path)) is not None:
            ranges = self.service.company.switches.ranges
            return ServedAnswer(download(document, request.headers, ranges=ranges), committed=False)
        form = body.form is not None
        given = body.form if form else body.json
        return self.service.carry_out(request.method, path, request.query.items(), given, form=form)

    def _file(self, request: web.Request) -> Answer:
        if request.method not in {"GET", "HEAD"}:
            raise Refusal(405, [{"type": "system", "message": "Files can only be read"}], {"Allow": "GET, HEAD"})
        company = self.service.company
        file = company.files.get(request.raw_path.partition("?")[0])
        return download(file, request.headers, ranges=company.switches.ranges)

    def _authorize(self, request: web.Request, body: Body) -> Answer:
        asked = OAuthRequest(
            method=request.method,
            path=request.path,
            query=request.query,
            form=body.form or {},
            authorization=request.headers.get("Authorization", ""),
            origin=self.service.company.files.origin,
        )
        return self.authorization.answer(asked, self.service.company.switches.consent)
