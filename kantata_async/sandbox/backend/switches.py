"""Switches for what the API's documentation leaves open, or to an account's settings."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import attrs


def _names(given: Iterable[str]) -> frozenset[str]:
    return frozenset(given)


Consent = Literal["ask", "allow", "deny"]


@attrs.define(kw_only=True)
class Switches:
    """The sandbox's behaviour where the real server's is not documented; the defaults are the most demanding.

    Attributes:
        bulk_atomic: One bad object fails the whole batch. False: the good ones are created, the answer is still 422.
        error_index: A validation error of a batch carries `index`, the object's position in the array sent.
        bulk_order: The order of a bulk create's results: the endpoint's default sort, as sent, or shuffled.
        references_without_include: Matches carry the ids of their associations without the include being asked for.
        associated_references: Associated objects carry the ids of their own associations too.
        refuse_unknown: Unknown query parameters are a 400 and unknown body fields a 422; False: both are ignored.
        unique_participations: A second participation of the same user on the same workspace is a 422.
        integer_ids: Ids are JSON numbers where they are numeric; keys of maps stay strings.
        csv_export: CSV exports answer text/csv; False: the JSON envelope that the description shows.
        access_group_message: Removing an access group membership answers 200 with a message; False: 204.
        updates_without_body: A PUT that answers an envelope answers 204 and nothing instead.
        retry_after: The form of the `Retry-After` header on a 429; None sends none, as the real server.
        consent: What becomes of a person who is sent to agree: "ask" shows them a page, "allow" and "deny" decide.
        export_seconds: How long a data export is queued before it is ready, by the server's clock.
        export_error: Why data exports fail; None lets them succeed.
        ranges: Downloads can be resumed: a Range header is answered with a part.
        whole_seconds: Times show without a fraction of a second, as in real answers, though they are kept with one.
        withheld_attributes: Attributes no answer shows, as ``"users.email_address"``: the caller lacks the permission.
        ignored_fields: Fields of bodies that are taken and change nothing, as ``"participations.permissions"``: the
            caller lacks the permission to set them.
        invisible_objects: Objects that are referred to and never sent, as ``"users.9"``: the caller may not see them.
    """

    bulk_atomic: bool = True
    error_index: bool = True
    bulk_order: Literal["endpoint", "sent", "shuffled"] = "endpoint"
    references_without_include: bool = False
    associated_references: bool = False
    refuse_unknown: bool = True
    unique_participations: bool = False
    integer_ids: bool = False
    csv_export: bool = True
    access_group_message: bool = True
    updates_without_body: bool = False
    retry_after: Literal["seconds", "date"] | None = None
    consent: Consent = "ask"
    export_seconds: float = 0.5
    export_error: str | None = None
    ranges: bool = True
    whole_seconds: bool = True
    withheld_attributes: frozenset[str] = attrs.field(default=frozenset(), converter=_names)
    ignored_fields: frozenset[str] = attrs.field(default=frozenset(), converter=_names)
    invisible_objects: frozenset[str] = attrs.field(default=frozenset(), converter=_names)
