"""Which part of the server answers a request: the authorization server, the storage, or the API behind the token."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from ..backend import Answer, Clock, Refusal, ServedAnswer, Service, Switches, make_file, unauthorized
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
        self.origin = ""
        self.service = Service(switches, clock)
        self.authorization = AuthorizationServer(application, clock)
        found(self.service.company, seed=seed, people=people, projects=projects)

    def store_at(self, origin: str) -> None:
        """Have the files served at this origin."""
        self.service.company.files.origin = origin

    def make_file(self, attachment: str, size: int) -> None:
        """Give an attachment a file of so many bytes.

        Raises:
            LookupError: there is no such attachment.
        """
        try:
            make_file(self.service.company.store, self.service.company.files, attachment, size)
        except Refusal:
            raise LookupError(f"there is no attachment {attachment}") from None

    def carry_out(self, request: web.Request, body: Body, token: str) -> ServedAnswer:
        """The answer to a request; `token` is the sandbox's own."""
        if request.path in PATHS:
            return ServedAnswer(self._authorize(request, body), committed=False)
        try:
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

    def _authorize(self, request: web.Request, body: Body) -> Answer:
        asked = OAuthRequest(
            method=request.method,
            path=request.path,
            query=request.query,
            form=body.form or {},
            authorization=request.headers.get("Authorization", ""),
            origin=self.origin,
        )
        return self.authorization.answer(asked, self.service.company.switches.consent)
