"""Which requests a fault, a rate limit or a count is about."""

from __future__ import annotations


def matches(method: str | None, pattern: str | None, *, request_method: str, request_path: str) -> bool:
    """Whether a request fits a method and a pattern; None fits any.

    A pattern is a path below `/api/v1` without `.json`: ``/users/7`` means that path alone, a segment in braces any
    one segment (``/users/{id}``), and a final ``*`` whatever follows (``/users*``).
    """
    return (method is None or method.upper() == request_method) and (
        pattern is None or path_matches(pattern, request_path)
    )


def path_matches(pattern: str, path: str) -> bool:
    """Whether a path fits a pattern as `matches` describes it."""
    if pattern.endswith("*"):
        return path.startswith(pattern[:-1])
    wanted, given = pattern.removesuffix(".json").split("/"), path.split("/")
    return len(wanted) == len(given) and all(w == g or w.startswith("{") for w, g in zip(wanted, given, strict=True))
