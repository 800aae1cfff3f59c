"""What targets are told: where the copy is, and what becomes in it of what is gone."""

from __future__ import annotations

from os import fsdecode
from typing import cast

from ...errors import UsageError
from ...model import brief_repr
from .protocol import OnDeletion


def checked_path(path: object) -> str:
    """The path of a copy as text.

    Raises:
        UsageError: it is none.
    """
    try:
        text = fsdecode(path)  # type: ignore[arg-type]  # that is the question
    except TypeError:
        raise UsageError(f"a copy is kept at a path, and {brief_repr(path)} is none") from None
    if "\0" in text:
        raise UsageError(f"no path has a NUL character: {brief_repr(text)}")
    return text


def checked_on_deletion(given: object) -> OnDeletion:
    """What becomes of objects that are gone.

    Raises:
        UsageError: it is neither of the two.
    """
    if not isinstance(given, str) or given not in {"mark", "remove"}:
        raise UsageError(f"on_deletion is 'mark' or 'remove', not {brief_repr(given)}")
    return cast("OnDeletion", given)
