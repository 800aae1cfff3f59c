"""The functions that options take: whether they can be called as they are going to be is known beforehand."""

from __future__ import annotations

import inspect

from .errors import UsageError


def fault_in_calling(function: object, *given: str) -> str | None:
    """Why something cannot be called with these arguments, each named by a noun; None where it can be.

    What does not say which arguments it takes, as much that is built into Python, is believed to take these.
    """
    if not callable(function):
        return f"must be a function, not {type(function).__name__}"
    try:
        signature = inspect.signature(function)
    except Exception:  # noqa: BLE001 - an object of the program's may raise anything when it is looked at
        return None
    try:
        signature.bind(*given)
    except TypeError as error:
        arguments = f"with {' and '.join(given)}" if given else "without arguments"
        return f"is called {arguments}: {error}"
    return None


def check_function(owner: str, name: str, function: object, *given: str) -> None:
    """Refuse what cannot be called with these arguments, each named by a noun.

    Raises:
        UsageError: it cannot.
    """
    fault = fault_in_calling(function, *given)
    if fault is not None:
        raise UsageError(f"{owner}: {name} {fault}")
