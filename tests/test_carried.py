"""Results that travel with an exception."""

from __future__ import annotations

from kantata_async.bulk import attach, attached
from kantata_async.errors import KantataError


class Outcomes(list[str]):
    """A result of one kind."""


class Figures(dict[str, int]):
    """A result of another kind."""


def test_an_exception_carries_one_result_of_each_kind() -> None:
    """A later one takes the place of an earlier one of its kind, and of no other's."""
    error = KantataError("broken off")
    for result in (Outcomes("a"), Figures(read=1), Outcomes("ab")):
        attach(error, result)
    assert attached(error, Outcomes) == ["a", "b"]
    assert attached(error, Figures) == {"read": 1}
    assert attached(error, set) is None


def test_a_result_is_found_behind_causes_contexts_and_groups() -> None:
    """Whatever was raised on the way, what was done until then is not lost."""
    within = TimeoutError()
    attach(within, Outcomes("a"))
    caused, handled = KantataError("caused"), ValueError("handled")
    caused.__cause__ = ExceptionGroup("of a task group", [KeyError(), within])
    handled.__context__ = caused
    assert attached(handled, Outcomes) == ["a"]


def test_a_circle_of_exceptions_ends() -> None:
    """Two that are each other's cause are looked at once each."""
    one, other = KantataError("one"), KantataError("other")
    one.__cause__, other.__cause__ = other, one
    assert attached(one, Outcomes) is None
    assert attached(None, Outcomes) is None
