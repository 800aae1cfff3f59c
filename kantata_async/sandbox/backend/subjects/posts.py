"""Posts and their replies."""

from __future__ import annotations

from ..associations import inverse, latest
from ..predicates import absent, flag
from ..rules import CollectionRules, Hidden, Values, declare
from ..store import Record, Store
from .projects import outside_the_archive

_newest_reply = latest(inverse("posts", "parent_post_id"))


def _newest_reply_user(store: Store, record: Record) -> str | None:
    newest = _newest_reply(store, record)
    reply = store.records("posts").get(newest) if isinstance(newest, str) else None
    return reply["user_id"] if reply else None


def _meant_by_post(_: Store, values: Values) -> Values:
    message = values.get("message")
    meant: Values = {"parsed_message": message, "formatted_message": f"<p>{message}</p>"} if message else {}
    if "attachment_ids" in values:
        meant["has_attachments"] = bool(values["attachment_ids"])
    if values.get("subject_type") == "Post":
        meant |= {"parent_post_id": values.get("subject_id"), "reply": True}
    return meant


declare(
    "posts",
    CollectionRules(
        filters={"parents_only": flag(absent("reply"))},
        hidden=Hidden(outside_the_archive, ("from_archived_workspaces",)),
        associations={
            "newest_reply_id": _newest_reply,
            "newest_reply_user_id": _newest_reply_user,
            "reply_ids": inverse("posts", "parent_post_id"),
        },
        has_owner=True,
        meaning=_meant_by_post,
    ),
)
