"""Direct uploads: the API says where a file goes, it is sent there once, and the API takes it over."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from ..calls import Call, Connection
from ..errors import ConnectionFailedError, InvalidResponseError, KantataError, RequestTimeoutError
from ..transport import FileContent, FileExchange, FormPart, form_of, type_of

_FILE_FIELD = "file"
_SEE_OTHER = 303
"""The status with which a storage leads a browser back to where it came from."""


@attrs.frozen
class UploadPlace:
    """Where the file of an attachment goes, and with which fields."""

    attachment: str
    action: str
    fields: Mapping[str, str]


async def ask_for_place(connection: Connection, call: Call) -> UploadPlace:
    """The place for the file of the attachment that a call creates.

    Raises:
        InvalidResponseError: the answer names none.
        KantataError: as the call itself raises.
    """
    # The reference shows `direct` among the attachment's fields, its prose beside them.
    success = await connection.send(attrs.evolve(call, body={**call.body, "direct": True}, multipart=False))
    return place_in(success.data)


def place_in(data: Any) -> UploadPlace:
    """The place that an answer names: beside the attachment, or among its attributes.

    Raises:
        InvalidResponseError: it names none.
    """
    data = data if isinstance(data, dict) else {}
    attachments = data.get("attachments")
    shown: dict[str, Any] = next(iter(attachments.values()), {}) if isinstance(attachments, dict) else {}
    for one in (data, shown):
        match one:
            case {"action": str(action), "fields": dict(fields)}:
                identity = shown.get("id", data.get("id"))
                if isinstance(identity, str | int) and not isinstance(identity, bool):
                    return UploadPlace(str(identity), action, {str(name): str(value) for name, value in fields.items()})
    raise InvalidResponseError("POST /attachments: the answer does not say where the file goes (action and fields)")


async def put_there(exchange: FileExchange, place: UploadPlace, content: FileContent) -> KantataError | None:
    """Why nobody knows whether the file arrived, once it is sent; None where an answer came.

    Raises:
        APIError: the storage refused it.
        UsageError: the place cannot be sent to.
    """
    parts = [FormPart(name, value) for name, value in place.fields.items()]
    parts.append(FormPart(_FILE_FIELD, content, content.filename, type_of(content.filename)))
    try:
        with exchange.recorded(), await exchange.give(place.action, form_of(parts)) as answer:
            if answer.status >= 300 and answer.status != _SEE_OTHER:
                raise await answer.refusal()
    except (ConnectionFailedError, RequestTimeoutError) as lost:
        return lost
    return None
