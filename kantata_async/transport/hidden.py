"""Secrets that their repr does not show: a traceback may show the variables that hold one."""

from __future__ import annotations

from collections.abc import Mapping

import attrs


@attrs.frozen
class HiddenToken:
    """A token."""

    value: str = attrs.field(repr=False)


@attrs.frozen
class HiddenForm:
    """The fields of a form."""

    fields: Mapping[str, str] = attrs.field(repr=False)
