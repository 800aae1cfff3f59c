"""A web service on Kantata with FastAPI: one session for the process, two seconds for a person who waits.

KANTATA_TOKEN, and KANTATA_BASE_URL for a sandbox, are taken from the environment:

    uvicorn examples.web.service:app
    gunicorn examples.web.service:app --workers 2 --worker-class uvicorn_worker.UvicornWorker
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Final, TypedDict

from fastapi import Depends, FastAPI, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from kantata_async import (
    AmbiguousWriteError,
    KantataError,
    KantataSession,
    NotFoundError,
    RateLimitError,
    RequestTimeoutError,
    RetryPolicy,
    ValidationError,
    may_be_carried_out,
)

PATIENCE: Final = 2.0
"""Seconds that a person waits at most, in line for the rate limit and between attempts included."""


class State(TypedDict):
    """What lives as long as the process."""

    kantata: KantataSession


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[State]:
    """One session from the start of the process to its end; its requests go before those of jobs beside it."""
    async with KantataSession() as kantata:
        hurried = kantata.with_options(timeout=PATIENCE, retry=RetryPolicy(deadline=PATIENCE), priority="high")
        yield {"kantata": hurried}


app = FastAPI(lifespan=lifespan)


def session(request: Request) -> KantataSession:
    """The session of the process."""
    kantata: KantataSession = request.state.kantata
    return kantata


Kantata = Annotated[KantataSession, Depends(session)]


class Person(BaseModel):
    """What the service says of a person."""

    id: str
    name: str


class Role(BaseModel):
    """What the service says of a role."""

    id: str
    name: str


@app.get("/people/{id}")
async def person(id: str, kantata: Kantata) -> Person:
    """One person."""
    async with asyncio.timeout(PATIENCE):
        found = await kantata.users.get(id)
    return Person(id=found.id, name=found.full_name or "")


@app.get("/projects/{id}/team")
async def team(id: str, kantata: Kantata) -> list[Person]:
    """The people on a project."""
    async with asyncio.timeout(PATIENCE):
        members = await kantata.participations.list(workspace_id=id, include=["user"])
    people = (member.user for member in members)
    return [Person(id=one.id, name=one.full_name or "") for one in people if one is not None]


@app.post("/roles", status_code=201)
async def add_role(name: str, kantata: Kantata) -> Role:
    """A new role."""
    async with asyncio.timeout(PATIENCE):
        made = await kantata.roles.create(name=name)
    return Role(id=made.id, name=made.name or "")


@app.exception_handler(TimeoutError)
async def too_late(_: Request, error: Exception) -> JSONResponse:
    """Two seconds are over: 504, and whether a write may have been carried out all the same."""
    return JSONResponse({"detail": "Kantata is busy", "may_be_carried_out": bool(may_be_carried_out(error))}, 504)


@app.exception_handler(KantataError)
async def failed(_: Request, error: Exception) -> JSONResponse:
    """What an error of Kantata's means to whoever called this service."""
    match error:
        case NotFoundError():
            return JSONResponse({"detail": "There is no such object"}, 404)
        case ValidationError():
            return JSONResponse({"detail": [one.message for one in error.errors]}, 422)
        case RateLimitError() | RequestTimeoutError():
            return JSONResponse({"detail": "Kantata is busy"}, 503, {"Retry-After": "5"})
        case AmbiguousWriteError():
            return JSONResponse({"detail": "Nobody knows what became of it", "may_be_carried_out": True}, 502)
        case _:
            return JSONResponse({"detail": "Kantata failed"}, 502)
