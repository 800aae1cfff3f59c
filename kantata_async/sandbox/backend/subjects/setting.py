"""Handlers that set attributes of the object in their path."""

from __future__ import annotations

from typing import Any

from ..answer import Answer
from ..company import Company, ParsedRequest
from ..routes import Handler
from ..standard_handlers import existing, resource


def setting(**changes: Any) -> Handler:
    """A handler that makes these changes to the object in its path."""

    def handle(company: Company, call: ParsedRequest) -> Answer:
        collection = resource(call)
        existing(company, collection, call.id)
        company.store.update(collection, call.id, changes)
        return company.changed(call, call.id)

    return handle
